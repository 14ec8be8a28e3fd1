"""Language models through TransformerLens: load one, know its hooks, read its activations."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from atlas.errors import AtlasError, UnknownName, UsageError
from ingest.sources.failures import reason
from ingest.sources.folders import check_model, files_sha256, weight_files
from ingest.sources.models.classes import BRIDGE, boot, official_name
from ingest.sources.quiet import quietly
from ingest.sources.tokens.vocabulary import Vocabulary, vocabulary


@dataclass(frozen=True, slots=True)
class Model:
    """A language model ready to run. Grain of table `model`."""

    name: str
    """Name of the folder, or the name on the hub."""
    source: str
    """As the user gave it."""
    sha256: str
    """Of the weight files, or of the parameters if there are none at hand."""
    architecture: str | None
    """Class name in transformers."""
    d_model: int
    """Width of the residual stream."""
    n_layers: int
    """Number of blocks."""
    n_ctx: int | None
    """Longest context, in tokens; None if there is no limit."""
    device: str
    """Device of PyTorch it runs on."""
    tokenizer: Any
    """Hugging Face tokenizer."""
    words: Vocabulary
    """Vocabulary of the tokenizer."""
    module: Any
    """The TransformerBridge or HookedTransformer."""
    model_class: str
    """Which of the two."""
    dtype: str
    """float32, float16 or bfloat16: of its weights and activations."""
    n_embedded: int
    """Rows of the input embedding: token ids from here on cannot be read, even if the tokenizer has them."""
    centres: bool
    """Whether its norms take the mean out (LayerNorm) and its writing weights are not centred yet: then, and only then,
    the mean at a hook that is written is to be taken out for an SAE that was trained on centred weights."""
    hooks: tuple[str, ...]
    """Names of the points that can be read, residual ones first."""

    def run(self, tokens: np.ndarray, hooks: Sequence[str]) -> dict[str, torch.Tensor]:
        """Activations at `hooks` for contexts of equal length: (contexts, positions, width) each.

        The forward pass ends after the last block that a hook needs.
        """
        ids = torch.from_numpy(tokens).to(self.device)
        stop = _stop_at(hooks, self.n_layers)
        with torch.inference_mode():
            _, cache = self.module.run_with_cache(
                ids, names_filter=list(hooks), stop_at_layer=stop, return_cache_object=False
            )
        return {hook: cache[hook].flatten(2) for hook in hooks}

    def width(self, hook: str) -> int:
        """Width of the activations at a hook.

        Raises:
            UnknownName: The model has no such hook.
            UsageError: The hook gives nothing that an SAE can read.
        """
        if hook not in self.hooks:
            raise UnknownName("hook", hook, self.hooks, hint=f"--hook {self.residual_hook}")
        n_tokens = min(3, self.n_ctx or 3)
        n_ids = min(len(self.words.texts), self.n_embedded)
        first = next((i for i in range(n_ids) if i not in self.words.special_ids), 0)
        try:
            with quietly():
                shape = self.run(np.full((1, n_tokens), first), [hook])[hook].shape
        except (RuntimeError, ValueError, TypeError, ArithmeticError, AssertionError) as error:
            hint = None if self.dtype == "float32" else "--dtype float32"
            in_type = "" if self.dtype == "float32" else f" in {self.dtype} on {self.device}"
            raise AtlasError(f"the model {self.name} does not run{in_type}", why=reason(error), hint=hint) from error
        except (KeyError, AttributeError, IndexError) as error:
            why = "TransformerLens does not compute it unless asked to"
            raise UsageError(
                f"the hook {hook} gives no activations", why=why, hint=f"--hook {self.residual_hook}"
            ) from error
        if shape[:2] != (1, n_tokens):
            raise UsageError(f"the hook {hook} gives no vector for each token", hint=f"--hook {self.residual_hook}")
        return int(shape[2])

    @property
    def residual_hook(self) -> str:
        """The residual stream in the middle of the model, as an example."""
        return f"blocks.{self.n_layers // 2}.hook_resid_post"


def load_model(
    name: str,
    device: str,
    *,
    model_class: str | None = None,
    dtype: str = "float32",
    model_kwargs: Mapping[str, Any] | None = None,
) -> Model:
    """Load a model from a local Hugging Face folder or from the hub.

    Args:
        name: Local folder, name on the hub, or alias that TransformerLens knows.
        device: Device of PyTorch.
        model_class: TransformerBridge or HookedTransformer (names on the hub only); None for the bridge.
        dtype: float32, float16 or bfloat16; SAEs get its activations as float32.
        model_kwargs: Options of the loading, as `agreed_model` gives them.

    Raises:
        AtlasError: There is no such model, or it cannot be loaded.
    """
    folder, options = check_model(name), dict(model_kwargs or {})
    model_class = model_class or BRIDGE
    at_hub = name if folder else official_name(name) or name
    module = boot(at_hub, device, model_class, dtype, options)
    if module.tokenizer is None:
        raise AtlasError(f"{name} has no tokenizer", hint="give a model that comes with one")
    cfg = module.cfg
    if int(cfg.n_layers) < 1 or (cfg.n_ctx and int(cfg.n_ctx) < 2):
        why = f"its config speaks of {cfg.n_layers} layers and of contexts of {cfg.n_ctx} tokens"
        raise AtlasError(f"the model {name} cannot be read", why=why, hint="check its config.json")
    return Model(
        name=folder.resolve().name if folder else name,
        source=name,
        sha256=_sha256(at_hub, folder, module, options),
        architecture=getattr(cfg, "original_architecture", None) or getattr(cfg, "architecture", None),
        d_model=int(cfg.d_model),
        n_layers=int(cfg.n_layers),
        n_ctx=int(cfg.n_ctx) if cfg.n_ctx else None,
        device=device,
        tokenizer=module.tokenizer,
        words=vocabulary(module.tokenizer),
        module=module,
        model_class=model_class,
        dtype=dtype,
        n_embedded=int(module.W_E.shape[0]),
        centres=cfg.normalization_type in ("LN", "LNPre") and not options.get("center_writing_weights"),
        hooks=_hooks(module, model_class),
    )


def default_device() -> str:
    """A CUDA GPU if there is one, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def check_device(device: str) -> str:
    """The device, if PyTorch can use it here.

    Raises:
        UsageError: It cannot.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"PyTorch cannot use the device {device!r} here", why=why, hint="--device cpu") from error
    return device


def _sha256(name: str, folder: Path | None, module: Any, options: Mapping[str, Any]) -> str:
    """Hash of the weight files, found in the hub's cache if need be, else of the parameters; and of the options."""
    if folder is None and not any(key.startswith("checkpoint") for key in options):
        from huggingface_hub import snapshot_download

        try:
            folder = Path(snapshot_download(name, revision=options.get("revision"), local_files_only=True))
        except (OSError, ValueError):
            folder = None
    files = weight_files(folder) if folder else []
    weights = files_sha256(files) if files else _parameters_sha256(module)
    if not options:
        return weights
    return hashlib.sha256(json.dumps([weights, options], sort_keys=True).encode()).hexdigest()


def _parameters_sha256(module: Any) -> str:
    """Hash of the names and values of all parameters."""
    digest = hashlib.sha256()
    for key, parameter in sorted(module.state_dict().items()):
        digest.update(key.encode())
        digest.update(parameter.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _hooks(module: Any, model_class: str) -> tuple[str, ...]:
    """Every name that `run_with_cache` takes, the residual stream first."""
    from transformer_lens.model_bridge.bridge import build_alias_to_canonical_map

    aliases = build_alias_to_canonical_map(module.hook_dict) if model_class == BRIDGE else {}
    names = {*module.hook_dict, *aliases}

    def order(name: str) -> tuple[int, list[int], str]:
        kinds = ("hook_resid_post", "hook_resid_pre", "hook_resid_mid")
        kind = next((i for i, kind in enumerate(kinds) if name.endswith(kind)), len(kinds))
        return kind, [int(number) for number in re.findall(r"\d+", name)], name

    return tuple(sorted(names, key=order))


def layer_of(hook: str) -> int | None:
    """Block that a hook is in; None if it is in none."""
    block = re.match(r"blocks\.(\d+)\.", hook)
    return int(block[1]) if block else None


def is_written(hook: str) -> bool:
    """Whether what is at a hook is, or is added to, the residual stream."""
    return hook.rpartition("_resid_")[2] in ("pre", "mid", "post") or hook.endswith(
        ("hook_attn_out", "hook_mlp_out", "hook_embed", "hook_pos_embed")
    )


def _stop_at(hooks: Sequence[str], n_layers: int) -> int | None:
    """First block that no hook needs; None to run the whole model."""
    layers = [layer_of(hook) for hook in hooks]
    if any(layer is None for layer in layers):
        return None
    last = max(layer for layer in layers if layer is not None) + 1
    return last if last < n_layers else None
