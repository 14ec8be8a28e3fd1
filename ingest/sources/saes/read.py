"""SAEs of every format as modules of SAELens: for any layout on the disk, SAELens encodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from atlas.errors import AtlasError
from ingest.sources.failures import library_errors, reason
from ingest.sources.files import read_object
from ingest.sources.quiet import quietly
from ingest.sources.saes.described import NEEDED, ROLES
from ingest.sources.saes.formats import SaeFiles
from ingest.sources.saes.layouts import Layout, Named, layout_of
from ingest.sources.saes.locate import Listed

_SCALER = "activation_scaler.json"


def read_module(found: SaeFiles | Listed, device: str) -> Any:
    """The SAE of SAELens that computes what the files say, in float32.

    Raises:
        AtlasError: It is not at hand, or its files do not make an SAE.
    """
    if isinstance(found, Listed):
        return _listed(found, device)
    module = _saelens(found, device) if found.format == "SAELens" else _converted(found, device)
    scale = _input_scale(found) if found.format == "SAELens" else layout_of(found).input_scale
    if scale is not None:
        module.fold_activation_norm_scaling_factor(scale)
    return module


def _listed(found: Listed, device: str) -> Any:
    """An SAE of SAELens' list."""
    from huggingface_hub.errors import HfHubHTTPError
    from sae_lens import SAE

    try:
        with quietly():
            return SAE.from_pretrained(found.release, found.sae_id, device=device, dtype="float32")
    except (OSError, HfHubHTTPError) as error:
        raise AtlasError(
            f"the SAE {found.name!r} is not at hand",
            why=f"the Hugging Face hub does not give it: {reason(error)}",
            hint="check the name, or unset HF_HUB_OFFLINE",
        ) from error
    except library_errors() as error:
        raise AtlasError(f"the SAE {found.name!r} cannot be loaded", why=reason(error)) from error


def _saelens(files: SaeFiles, device: str) -> Any:
    """A folder that SAELens wrote."""
    from sae_lens import SAE

    try:
        with quietly():
            return SAE.load_from_disk(str(files.folder), device=device, dtype="float32")
    except (OSError, *library_errors()) as error:
        raise AtlasError(
            f"the SAE in {files.folder} cannot be loaded", why=reason(error), hint="give a folder that SAELens wrote"
        ) from error


def _input_scale(files: SaeFiles) -> float | None:
    """What SAELens multiplied the input by while training, where it is not in the weights yet."""
    if files.facts.get("normalize_activations") not in ("expected_average_only_in", True):
        return None
    scaler = files.folder / _SCALER
    scale = read_object(scaler).get("scaling_factor") if scaler.is_file() else None
    if isinstance(scale, int | float) and scale > 0:
        return float(scale)
    raise AtlasError(
        f"{files.folder} does not say what its input is multiplied by",
        why="its cfg has normalize_activations expected_average_only_in, "
        f"and there is no scaling_factor in {_SCALER} beside it",
        hint="give the SAE that SAELens saves at the end of training, which has the factor in its weights",
    )


def _converted(files: SaeFiles, device: str) -> Any:
    """An SAE in another format, its tensors named and turned as SAELens has them."""
    from sae_lens import SAE

    layout = layout_of(files)
    weights = _tensors(files.weights)
    state = _state(layout, weights, files.weights)
    d_in, d_sae = state["W_enc"].shape
    cfg = {
        "architecture": layout.architecture,
        "d_in": d_in,
        "d_sae": d_sae,
        "dtype": "float32",
        "device": device,
        "apply_b_dec_to_input": layout.apply_b_dec_to_input,
        "normalize_activations": layout.normalize_activations,
        "reshape_activations": "none",
        # With a version from 6 on SAELens takes the cfg as it is.
        "metadata": {"sae_lens_version": "6.0.0", **layout.metadata},
    }
    if layout.architecture == "topk":
        cfg["k"] = _k(layout, weights, d_sae, files.weights)
        cfg["rescale_acts_by_decoder_norm"] = layout.rescale_acts_by_decoder_norm
    try:
        with quietly():
            return SAE.load_from_disk(str(files.folder), device=device, converter=lambda *_, **__: (cfg, state))
    except library_errors() as error:
        raise AtlasError(f"the SAE {files.name} cannot be loaded", why=reason(error)) from error


def _tensors(file: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of a file, on the CPU; a `.pt` file is opened only if there is nothing but tensors in it."""
    from safetensors.torch import load_file

    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except (OSError, *library_errors()) as error:
            raise AtlasError(f"{file} cannot be read", why=reason(error), hint="copy it again") from error
    hint = "copy it again, or save its tensors alone: torch.save(ae.state_dict(), 'ae.pt')"
    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, EOFError, *library_errors()) as error:
        raise AtlasError(f"{file} cannot be read", why=reason(error), hint=hint) from error
    except torch.serialization.pickle.UnpicklingError as error:  # pyright: ignore[reportPrivateImportUsage]
        why = "there is something else than tensors in it, which opening it would run"
        raise AtlasError(f"{file} is not opened", why=why, hint=hint) from error
    if not isinstance(weights, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in weights.values()):
        raise AtlasError(f"{file} is not valid", why="it is not a state dict: names and their tensors", hint=hint)
    return weights


def _state(layout: Layout, weights: Mapping[str, torch.Tensor], file: Path) -> dict[str, torch.Tensor]:
    """The tensors that SAELens wants, in float32; W_enc of the file decides the sizes."""
    encoder = _tensor(weights, layout.tensors["W_enc"], file)
    if encoder.ndim != 2:
        raise _misshapen(file, layout.tensors["W_enc"], encoder, "and should have two axes")
    sizes = dict(zip(layout.tensors["W_enc"].axes, encoder.shape, strict=True))
    for axis, said in layout.sizes.items():
        if said and said != sizes[axis]:
            why = f"and its settings speak of {axis} {said:,}"
            raise _misshapen(file, layout.tensors["W_enc"], encoder, why)
    state = {}
    for role in NEEDED[layout.architecture]:
        named, shape = layout.tensors.get(role), [sizes[axis] for axis in ROLES[role]]
        if named is None:
            fill = layout.threshold if role == "threshold" and layout.threshold is not None else 0.0
            state[role] = torch.full(shape, float(fill))
            continue
        tensor = _tensor(weights, named, file)
        if role == "threshold" and tensor.numel() == 1:
            tensor = tensor.reshape(()).expand(shape)
        wanted = tuple(sizes[axis] for axis in named.axes)
        if tuple(tensor.shape) != wanted:
            raise _misshapen(file, named, tensor, f"and should have {wanted}: {' x '.join(named.axes)}")
        turned = tensor.T if named.axes != ROLES[role] else tensor
        state[role] = turned.float().contiguous().clone()
    return state


def _tensor(weights: Mapping[str, torch.Tensor], named: Named, file: Path) -> torch.Tensor:
    """A tensor of the file."""
    if named.name in weights:
        return weights[named.name]
    there = ", ".join(sorted(weights)) or "none"
    raise AtlasError(f"{file} lacks the tensor {named.name}", why=f"its tensors are: {there}")


def _misshapen(file: Path, named: Named, tensor: torch.Tensor, why: str) -> AtlasError:
    return AtlasError(f"{named.name} in {file} does not fit", why=f"it has the shape {tuple(tensor.shape)}, {why}")


def _k(layout: Layout, weights: Mapping[str, torch.Tensor], d_sae: int, file: Path) -> int:
    """How many features of a TopK SAE fire on a token."""
    k = layout.k if layout.k is not None else int(weights["k"]) if "k" in weights else 0
    if not 1 <= k <= d_sae:
        raise AtlasError(f"the k of {file} is not valid", why=f"k is {k:,}, and it has {d_sae:,} features")
    return k
