"""Sparse autoencoders through SAELens: load one, fold its decoder norms, encode with it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import torch

from atlas.errors import AtlasError, UnknownName, UsageError
from ingest.quiet import quietly
from ingest.sources.failures import library_errors, reason
from ingest.sources.folders import check_sae

_UNFOLDED = ("topk", "abstopk")
_UNSUPPORTED = ("transcoder", "temporal", "matching_pursuit", "crosscoder")
_DECIDES_CODES = (
    "architecture",
    "k",
    "apply_b_dec_to_input",
    "normalize_activations",
    "rescale_acts_by_decoder_norm",
)


@dataclass(frozen=True, slots=True)
class Sae:
    """An SAE ready to encode. Grain of table `sae`."""

    name: str
    """What the atlas calls it."""

    source: str
    """As the user gave it: folder or release/sae_id."""

    named: bool
    """Whether the user chose the name."""

    hook: str | None
    """Point of the model that it reads; None if neither its cfg nor the user says."""

    architecture: str
    """standard, gated, topk, jumprelu …"""

    d_in: int
    """Width of the activations it reads."""

    d_sae: int
    """Number of features."""

    sha256: str
    """Of the weights as they came, and of the settings that decide the codes."""

    decoder_norm: str
    """'folded': activations are scaled to unit decoder rows; 'as stored'."""

    norms: np.ndarray
    """(d_sae,) float32: norms of the decoder rows as they came; 0 where a feature was cut away."""

    cfg: str
    """Its cfg, as JSON."""

    prepend_bos: bool | None
    """Whether it was trained on contexts that begin with BOS; None if the cfg does not say."""

    context_size: int | None
    """Tokens of the contexts it was trained on, as its cfg says, sense or not; None if it does not say."""

    centred: bool
    """Whether it was trained on a model whose weights that write into the residual stream were centred."""

    module: Any
    """The SAE of SAELens."""

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Codes (tokens, d_sae) of activations (tokens, d_in)."""
        return self.module.encode(x)

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Reconstructions (tokens, d_in) of the codes that `encode` gave last."""
        cfg = self.module.cfg
        if not (getattr(cfg, "rescale_acts_by_decoder_norm", False) and (self.norms == 0).any()):
            return self.module.decode(codes)
        # SAELens divides by the norms: one row of zeros would make the whole reconstruction NaN.
        cfg.rescale_acts_by_decoder_norm = False
        try:
            return self.module.decode(codes * torch.nan_to_num(1 / self.module.W_dec.norm(dim=-1), posinf=0.0))
        finally:
            cfg.rescale_acts_by_decoder_norm = True

    def try_out(self) -> None:
        """Encode and decode two vectors, so that an SAE that cannot fails before the model runs.

        Raises:
            AtlasError: It does not give one activation a feature and one number a dimension.
        """
        x = torch.linspace(-1, 1, 2 * self.d_in, device=self.module.W_dec.device).reshape(2, self.d_in)
        try:
            with torch.inference_mode():
                codes = self.encode(x)
                shapes = tuple(codes.shape), tuple(self.decode(codes).shape)
        except library_errors() as error:
            raise AtlasError(f"the SAE {self.name} does not encode", why=reason(error)) from error
        if shapes != ((2, self.d_sae), (2, self.d_in)):
            why = f"two vectors give codes of {shapes[0]} and reconstructions of {shapes[1]}"
            raise AtlasError(f"the SAE {self.name} does not decode what it encodes", why=why)

    def vectors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Decoder rows (d_sae, d_in), encoder columns (d_sae, d_in) and encoder biases (d_sae,), as used."""
        bias = getattr(self.module, "b_enc", None)
        bias = self.module.b_gate if bias is None else bias
        w_enc = _numpy(self.module.W_enc).T
        return _numpy(self.module.W_dec), np.ascontiguousarray(w_enc), _numpy(bias)


def load_sae(source: str, device: str, *, name: str | None = None, hook: str | None = None) -> Sae:
    """Load an SAE and fold its decoder norms, unless it is of the TopK family.

    Args:
        source: Local folder, or `release/sae_id` of SAELens.
        device: Device of PyTorch.
        name: What the atlas shall call it; None for the folder's name or `release/sae_id`.
        hook: Point of the model; None for what its cfg says.

    Raises:
        AtlasError: There is no such SAE, or it cannot be used.
    """
    folder = check_sae(source)
    module = _from_disk(folder, device) if folder else _from_registry(source, device)
    default = folder.resolve().name if folder else source
    architecture = str(module.cfg.architecture())
    if any(kind in architecture for kind in _UNSUPPORTED):
        raise AtlasError(
            f"{default} is of the kind {architecture}", why="featlas reads SAEs that decode what they encode"
        )
    _check_finite(name or default, module)
    module.turn_off_forward_pass_hook_z_reshaping()
    sha256, norms = _sha256(module), _numpy(module.W_dec.norm(dim=-1))
    fold = architecture not in _UNFOLDED
    if fold:
        module.fold_W_dec_norm()
    metadata = module.cfg.metadata
    return Sae(
        name=name or default,
        source=source,
        named=name is not None,
        hook=hook or metadata.hook_name,
        architecture=architecture,
        d_in=int(module.cfg.d_in),
        d_sae=int(module.cfg.d_sae),
        sha256=sha256,
        decoder_norm="folded" if fold else "as stored",
        norms=norms,
        cfg=json.dumps(module.cfg.to_dict(), sort_keys=True, default=str),
        prepend_bos=metadata.prepend_bos,
        context_size=metadata.context_size,
        centred=bool((metadata.model_from_pretrained_kwargs or {}).get("center_writing_weights")),
        module=module,
    )


def _from_disk(folder: Path, device: str) -> Any:
    """An SAE from a local folder."""
    from sae_lens import SAE

    try:
        with quietly():
            return SAE.load_from_disk(str(folder), device=device, dtype="float32")
    except (OSError, *library_errors()) as error:
        raise AtlasError(
            f"the SAE in {folder} cannot be loaded", why=reason(error), hint="give a folder that SAELens wrote"
        ) from error


def _from_registry(source: str, device: str) -> Any:
    """An SAE by release and id: the release is what stands before a slash and is known, or the first two parts."""
    from huggingface_hub.errors import HfHubHTTPError
    from sae_lens import SAE

    release, sae_id = _release_and_id(source)
    try:
        with quietly():
            return SAE.from_pretrained(release, sae_id, device=device, dtype="float32")
    except (OSError, HfHubHTTPError) as error:
        # A release of SAELens is one word; with a slash it can only be a repository on the hub.
        missing = f"there is no folder {source}, and SAELens has no release {release.partition('/')[0]!r}"
        raise AtlasError(
            missing if "/" in release else f"the SAE {source!r} is not at hand",
            why=f"the Hugging Face hub does not give it: {reason(error)}",
            hint="check the path or the name, or unset HF_HUB_OFFLINE",
        ) from error
    except library_errors() as error:
        raise AtlasError(f"the SAE {source!r} cannot be loaded", why=reason(error)) from error


def _release_and_id(source: str) -> tuple[str, str]:
    """Split `release/sae_id`, or `org/repo/path` of a repository that the registry does not know."""
    from sae_lens.loading.pretrained_saes_directory import get_pretrained_saes_directory

    known = get_pretrained_saes_directory()
    release, _, sae_id = source.partition("/")
    if release in known:
        if sae_id not in known[release].saes_map:
            raise UnknownName(f"SAE in release {release}", sae_id, list(known[release].saes_map))
        return release, sae_id
    organisation, *rest = source.split("/", 2)
    if len(rest) == 2 and all((organisation, *rest)):
        return f"{organisation}/{rest[0]}", rest[1]
    # A release is a long name: a wrong path must not be told that it is nearly one.
    near = next(iter(get_close_matches(release, list(known), n=1, cutoff=0.8)), None)
    raise UsageError(
        f"there is no folder {source}, and SAELens has no release {release!r}"
        + (f"; did you mean {near!r}?" if near else ""),
        hint="check the path, or give RELEASE/SAE_ID of SAELens",
    )


def _check_finite(name: str, module: Any) -> None:
    """Raise if a weight is not a finite number."""
    for key, tensor in module.state_dict().items():
        bad = ~torch.isfinite(tensor)
        if bool(bad.any()):
            axis = {"W_dec": 0, "W_enc": 1}.get(key, 0)
            feature = (
                int(bad.nonzero()[:, axis].min()) if tensor.shape[axis : axis + 1] == (module.cfg.d_sae,) else None
            )
            raise AtlasError(
                f"{key} of the SAE {name} holds {int(bad.sum()):,} numbers that are not finite",
                why=None if feature is None else f"the first feature with one is {feature}",
                hint="copy the weights again, or train the SAE again",
            )


def _sha256(module: Any) -> str:
    """Hash of all tensors and of the settings that decide the codes."""
    cfg = module.cfg.to_dict()
    digest = hashlib.sha256(json.dumps({key: cfg.get(key) for key in _DECIDES_CODES}, sort_keys=True).encode())
    for key, tensor in sorted(module.state_dict().items()):
        digest.update(f"{key} {tuple(tensor.shape)}".encode())
        digest.update(_numpy(tensor).tobytes())
    return digest.hexdigest()


def _numpy(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as a float32 array on the CPU."""
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())


def check_names(saes: list[Sae]) -> None:
    """Raise if two SAEs of one call have one name, or are the same one."""
    for i, sae in enumerate(saes):
        for other in saes[:i]:
            if (sae.sha256, sae.hook) == (other.sha256, other.hook):
                raise UsageError(f"{sae.source} and {other.source} are the same SAE", hint="give it once")
            if sae.name == other.name:
                raise UsageError(
                    f"two SAEs would be called {sae.name!r}: {other.source} and {sae.source}",
                    hint=f"give each a name: --name {sae.name}-1 --name {sae.name}-2",
                )
