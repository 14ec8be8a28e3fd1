"""Which class of TransformerLens loads a model, as its SAEs were trained, and the loading itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch

from atlas.errors import AtlasError, UsageError, nearest
from ingest.sources.failures import library_errors, reason
from ingest.sources.folders import local_folder
from ingest.sources.models import DTYPES, MODEL_CLASSES
from ingest.sources.quiet import quietly

BRIDGE, HOOKED = MODEL_CLASSES

_PROCESSING = ("fold_ln", "center_writing_weights", "center_unembed", "fold_value_biases")
_VERSIONS = ("revision", "checkpoint_index", "checkpoint_value")
# What --device and --dtype decide, and what only concerns text that is not tokenised by us.
_OURS = (
    "device",
    "device_map",
    "n_devices",
    "move_to_device",
    "dtype",
    "torch_dtype",
    "default_prepend_bos",
    "default_padding_side",
    "attn_implementation",
)


class TrainedOn(Protocol):
    """What the cfg of an SAE says of the model that it was trained on."""

    @property
    def name(self) -> str:
        """What the atlas calls the SAE."""
        ...

    @property
    def model_class(self) -> str | None:
        """Class that loaded the model; None if the cfg does not say."""
        ...

    @property
    def model_kwargs(self) -> Mapping[str, Any] | None:
        """Options that it was loaded with; None if the cfg does not say."""
        ...


def agreed_model(saes: Sequence[TrainedOn], model: str, chosen: str | None = None) -> tuple[str, dict[str, Any]]:
    """Class and options with which one model serves all SAEs of a command.

    A `HookedTransformer` without processing and the bridge give the same activations, so a model that only the bridge
    loads (a local folder, a name that TransformerLens does not list) is loaded by the bridge whatever the cfgs say.
    Centring of the writing weights is not an option of the model: it is done at the hook (`Model.centres`), SAE by SAE.

    Args:
        saes: SAEs of one command.
        model: Folder or name on the hub.
        chosen: The user's choice of a class; then no cfg is asked for it.

    Raises:
        UsageError: The cfgs contradict each other, or ask for something that featlas does not do.
    """
    classes = {sae.name: _class_of(sae, model) for sae in saes if sae.model_class} if chosen is None else {}
    if len(set(classes.values())) > 1:
        said = "; ".join(f"{name}: {of}" for name, of in classes.items())
        hint = f"ingest them in two commands, or choose with --model-class {BRIDGE}"
        raise UsageError("these SAEs were trained on models of different classes", why=said, hint=hint)
    options = {sae.name: _options_of(sae) for sae in saes}
    distinct = [some for i, some in enumerate(options.values()) if some not in list(options.values())[:i]]
    if len(distinct) > 1:
        said = "; ".join(f"{name}: {some or 'none'}" for name, some in options.items())
        raise UsageError(
            "these SAEs were trained on models with different options", why=said, hint="ingest them in two commands"
        )
    return chosen or next(iter(classes.values()), BRIDGE), distinct[0] if distinct else {}


def _class_of(sae: TrainedOn, model: str) -> str:
    """Class that gives an SAE the activations it was trained on."""
    if sae.model_class not in (*MODEL_CLASSES, "AutoModelForCausalLM"):
        raise UsageError(
            f"{sae.name} was trained on a model of the class {sae.model_class}",
            why=f"featlas loads models through {' or '.join(MODEL_CLASSES)}",
            hint=f"try --model-class {BRIDGE}",
        )
    if sae.model_class == HOOKED and local_folder(model) is None and official_name(model):
        return HOOKED
    return BRIDGE


def _options_of(sae: TrainedOn) -> dict[str, Any]:
    """Options in an SAE's cfg that change what the model computes."""
    # A cfg comes from anywhere: nothing but these may pass, least of all trust_remote_code.
    said = {key: value for key, value in (sae.model_kwargs or {}).items() if value is not None and value is not False}
    if unknown := sorted(said.keys() - {*_PROCESSING, *_VERSIONS, *_OURS}):
        why = f"featlas passes on {', '.join((*_PROCESSING, *_VERSIONS))}"
        raise UsageError(f"the cfg of {sae.name} loads its model with {', '.join(unknown)}", why=why)
    return {key: said[key] for key in (*_PROCESSING, *_VERSIONS) if key in said and key != "center_writing_weights"}


def official_name(name: str) -> str | None:
    """Name on the hub of a model that TransformerLens lists under this name or alias; None if it lists none."""
    from transformer_lens.loading_from_pretrained import get_official_model_name

    try:
        return get_official_model_name(name)
    except ValueError:
        return None


def torch_dtype(dtype: str) -> torch.dtype:
    """The type of PyTorch that a name means.

    Raises:
        UsageError: A model cannot run in it.
    """
    if dtype not in DTYPES:
        raise UsageError(f"no model runs in {dtype!r}", why=f"known: {', '.join(DTYPES)}", hint="--dtype float32")
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[dtype]


def boot(name: str, device: str, model_class: str, dtype: str, options: Mapping[str, Any]) -> Any:
    """The model as TransformerLens wraps it, in evaluation mode, with TransformerLens kept silent.

    Args:
        name: Local folder, or name on the hub.
        device: Device of PyTorch.
        model_class: One of `MODEL_CLASSES`.
        dtype: One of `DTYPES`.
        options: As `agreed_model` gives them; `center_writing_weights` too.

    Raises:
        AtlasError: There is no such model, or this class cannot load it.
    """
    from huggingface_hub.errors import HfHubHTTPError

    kind, local = torch_dtype(dtype), local_folder(name)
    if model_class not in MODEL_CLASSES:
        raise UsageError(f"no model class {model_class!r}", why=f"known: {', '.join(MODEL_CLASSES)}")
    load = _bridge if model_class == BRIDGE else _hooked
    try:
        with quietly():
            return load(str(local or name), device, kind, options).eval()
    except (OSError, HfHubHTTPError) as error:
        if local:
            raise AtlasError(f"the model in {local} cannot be loaded", why=reason(error)) from error
        raise AtlasError(
            f"there is no model {name!r}",
            why="it is not a folder here, and the Hugging Face hub does not have it: " + reason(error),
            hint="give a local folder, check the name, or unset HF_HUB_OFFLINE",
        ) from error
    except library_errors() as error:
        hint = "check its config.json and that all its files are there"
        raise AtlasError(f"the model {local or name} cannot be loaded", why=reason(error), hint=hint) from error


def _bridge(name: str, device: str, dtype: torch.dtype, options: Mapping[str, Any]) -> Any:
    """A TransformerBridge, with processed weights only where that is asked for."""
    from transformer_lens.model_bridge import TransformerBridge

    versions = {key: options[key] for key in _VERSIONS if key in options}
    bridge = TransformerBridge.boot_transformers(name, device=device, dtype=dtype, **versions)
    processing = {key: bool(options.get(key)) for key in _PROCESSING}
    if any(processing.values()):
        bridge.enable_compatibility_mode(disable_warnings=True, **processing)
    return bridge


def _hooked(name: str, device: str, dtype: torch.dtype, options: Mapping[str, Any]) -> Any:
    """A HookedTransformer, as SAELens loads it: without processing but for what is asked for."""
    from transformer_lens import HookedTransformer

    if local_folder(name) is not None:
        raise UsageError(
            f"{HOOKED} does not load a model from a folder",
            why="TransformerLens loads it by the names that it lists; the bridge gives the same activations",
            hint=f"--model-class {BRIDGE}, or give the model's name on the hub",
        )
    if official_name(name) is None:
        from transformer_lens.supported_models import OFFICIAL_MODEL_NAMES

        near = nearest(name, OFFICIAL_MODEL_NAMES)
        raise UsageError(
            f"{HOOKED} knows no model {name!r}" + (f"; did you mean {near!r}?" if near else ""),
            why=f"TransformerLens lists {len(OFFICIAL_MODEL_NAMES)} names, and this is not one of them",
            hint=f"--model-class {BRIDGE}",
        )
    # With padding on the left, an EOS at the beginning of a context would be masked as if it were padding.
    return HookedTransformer.from_pretrained_no_processing(
        name, device=device, dtype=dtype, default_padding_side="right", **options
    )
