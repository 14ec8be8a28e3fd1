"""Sparse autoencoders of every format: load one, fold its decoder norms, encode and decode with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from atlas.errors import AtlasError, UsageError
from ingest.sources.failures import library_errors, reason
from ingest.sources.saes.codes import Coder, SparseCodes, fold
from ingest.sources.saes.locate import locate
from ingest.sources.saes.read import read_module

_UNSUPPORTED = {
    "transcoder": "featlas reads SAEs that decode what they encode",
    "crosscoder": "featlas reads SAEs that decode what they encode",
    "temporal": "its codes depend on the tokens before",
    "matching_pursuit": "its codes are found one after another, which featlas cannot do sparsely",
    "abstopk": "its activations have signs, and featlas measures activations that are not below zero",
}
_UNSCALED = ("expected_average_only_in", "covariance_whitening")
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
    """'folded': decoder rows have unit norm, and activations are multiplied by the norms once they are chosen."""
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
    coder: Coder
    """Encodes and decodes."""
    model_name: str | None = None
    """Model it was trained on, as its cfg says; None if it does not say."""
    model_class: str | None = None
    """Class of TransformerLens that loaded the model it was trained on; None if the cfg does not say."""
    model_kwargs: Mapping[str, Any] = field(default_factory=dict)
    """How that model was loaded: arguments of `from_pretrained`, as its cfg says."""
    dataset_path: str | None = None
    """Corpus it was trained on, as its cfg says; None if it does not say."""

    @property
    def module(self) -> Any:
        """The SAE of SAELens, its decoder rows of unit norm; encode and decode with the SAE, not with this."""
        return self.coder.module

    def encode(self, x: torch.Tensor) -> SparseCodes:
        """Codes that are not zero, of activations (tokens, d_in)."""
        return self.coder.encode(x)

    def decode(self, codes: SparseCodes, n_tokens: int) -> torch.Tensor:
        """Reconstructions (n_tokens, d_in) of what `encode` gave for that many tokens."""
        return self.coder.decode(codes, n_tokens)

    def try_out(self) -> None:
        """Encode and decode two vectors, so that an SAE that cannot fails before the model runs.

        Raises:
            AtlasError: It does not give one activation a feature and one number a dimension.
        """
        x = torch.linspace(-1, 1, 2 * self.d_in, device=self.module.W_dec.device).reshape(2, self.d_in)
        try:
            with torch.inference_mode():
                shapes = tuple(self.module.W_enc.shape), tuple(self.decode(self.encode(x), 2).shape)
        except library_errors() as error:
            raise AtlasError(f"the SAE {self.name} does not encode", why=reason(error)) from error
        if shapes != ((self.d_in, self.d_sae), (2, self.d_in)):
            why = f"its encoder is {shapes[0]} and two vectors give reconstructions of {shapes[1]}"
            raise AtlasError(f"the SAE {self.name} does not decode what it encodes", why=why)

    def vectors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Decoder rows (d_sae, d_in), encoder columns (d_sae, d_in) and encoder biases (d_sae,), as used.

        Columns and biases give the pre-activations in the units of the activations; those of a gated SAE open its gate.
        """
        bias = getattr(self.module, "b_enc", None)
        bias = self.module.b_gate if bias is None else bias
        factor = self._factor()
        w_enc = _numpy(self.module.W_enc).T * factor[:, None]
        return _numpy(self.module.W_dec), np.ascontiguousarray(w_enc), _numpy(bias) * factor

    def thresholds(self) -> np.ndarray | None:
        """(d_sae,) float32: activation from which each feature of a JumpReLU SAE fires; None for other SAEs."""
        threshold = getattr(self.module, "threshold", None)
        return None if threshold is None else _numpy(threshold) * self._factor()

    def encoder_norms(self) -> np.ndarray:
        """(d_sae,) float32: norms of the encoder columns, as used."""
        return _numpy(self.module.W_enc.norm(dim=0)) * self._factor()

    def _factor(self) -> np.ndarray:
        """(d_sae,) float32: what pre-activations are multiplied by on their way to activations."""
        scales = [scale for scale in (self.coder.before, self.coder.after) if scale is not None]
        return _numpy(scales[0]) if scales else np.ones(self.d_sae, np.float32)


def load_sae(source: str, device: str, *, name: str | None = None, hook: str | None = None) -> Sae:
    """Load an SAE of any format and fold its decoder norms.

    Args:
        source: Folder, `.pt` or `.json` file, `release/sae_id` of SAELens, or `org/repo/folder` on the hub.
        device: Device of PyTorch.
        name: What the atlas shall call it; None for the folder's name or the name on the hub.
        hook: Point of the model; None for what its cfg says.

    Raises:
        AtlasError: There is no such SAE, or it cannot be used.
    """
    found = locate(source)
    default = found.name if Path(source).expanduser().exists() else source
    module = read_module(found, device)
    architecture = str(module.cfg.architecture())
    _check_supported(name or default, architecture, module)
    _check_finite(name or default, module)
    module.turn_off_forward_pass_hook_z_reshaping()
    sha256 = _sha256(module)
    cfg = json.dumps(module.cfg.to_dict(), sort_keys=True, default=str)
    norms, coder = fold(module)
    metadata = module.cfg.metadata
    kwargs = metadata.model_from_pretrained_kwargs or {}
    return Sae(
        name=name or default,
        source=source,
        named=name is not None,
        hook=hook or metadata.hook_name,
        architecture=architecture,
        d_in=int(module.cfg.d_in),
        d_sae=int(module.cfg.d_sae),
        sha256=sha256,
        decoder_norm="folded",
        norms=_numpy(norms),
        cfg=cfg,
        prepend_bos=metadata.prepend_bos,
        context_size=metadata.context_size,
        centred=bool(kwargs.get("center_writing_weights")),
        coder=coder,
        model_name=metadata.model_name,
        model_class=metadata.model_class_name,
        model_kwargs=kwargs,
        dataset_path=metadata.dataset_path,
    )


def _check_supported(name: str, architecture: str, module: Any) -> None:
    """Raise if an SAE is of a kind that featlas does not measure."""
    for kind, why in _UNSUPPORTED.items():
        if kind in architecture:
            raise AtlasError(f"{name} is of the kind {architecture}", why=why)
    if module.cfg.normalize_activations in _UNSCALED:
        raise AtlasError(
            f"{name} does not say how its input is normalised",
            why=f"its cfg has normalize_activations {module.cfg.normalize_activations}, and not the factors",
            hint="give the SAE that SAELens saves at the end of training, which has them in its weights",
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
