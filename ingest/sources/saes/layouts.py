"""Which tensor of a file is which tensor of an SAE: one layout for each format that SAELens does not write."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.sources.saes.described import ROLES
from ingest.sources.saes.formats import SaeFiles

_MODULE = re.compile(r"(?:.*\.)?(?:layers|h|blocks)\.(\d+)(?:\.(\w+))?")
_MODULE_HOOKS = {
    None: "hook_resid_post",
    "mlp": "hook_mlp_out",
    "attention": "hook_attn_out",
    "self_attn": "hook_attn_out",
    "attn": "hook_attn_out",
}
_EMBEDDINGS = ("embed_tokens", "embed_in", "wte")
_SUBMODULE_HOOKS = {
    "resid_post": "hook_resid_post",
    "resid_out": "hook_resid_post",
    "resid_pre": "hook_resid_pre",
    "mlp_out": "hook_mlp_out",
    "attn_out": "hook_attn_out",
    "attention_out": "hook_attn_out",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A tensor in a file."""

    name: str
    """Its name there."""
    axes: tuple[str, ...]
    """Its axes there, of d_in and d_sae."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read an SAE from a file of tensors."""

    architecture: str
    """standard, topk, jumprelu or gated."""
    tensors: Mapping[str, Named]
    """Tensor of the SAE -> tensor in the file."""
    apply_b_dec_to_input: bool
    """Whether b_dec is taken from the input."""
    metadata: Mapping[str, Any]
    """What is known of its training, with the keys of SAELens."""
    k: int | None = None
    """Features that fire on a token, of TopK; None to read it from the tensor `k`."""
    threshold: float | None = None
    """One threshold for all features, where no tensor holds it."""
    normalize_activations: str = "none"
    """Of the input, as SAELens calls it."""
    input_scale: float | None = None
    """What the input is multiplied by; None for 1."""
    rescale_acts_by_decoder_norm: bool = False
    """Whether TopK chooses among pre-activations times decoder norms."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """d_in and d_sae as the settings say, where they do."""


def layout_of(files: SaeFiles) -> Layout:
    """The layout of an SAE that SAELens did not write."""
    of_format = {"sparsify": _sparsify, "dictionary_learning": _dictionary, "described": _described}
    return of_format[files.format](files)


def _named(**names: str) -> dict[str, Named]:
    """Tensors by role; a `.T` after a name says that its axes are the other way round than in SAELens."""
    return {
        role: Named(name.removesuffix(".T"), ROLES[role][::-1] if name.endswith(".T") else ROLES[role])
        for role, name in names.items()
    }


def _sparsify(files: SaeFiles) -> Layout:
    """A folder of EleutherAI's sparsify: its encoder always reads x - b_dec."""
    cfg, run = files.facts, _run_config(files.folder)
    metadata = {
        "hook_name": _hook_of_module(files.folder.resolve()),
        "model_name": run.get("model"),
        "dataset_path": run.get("dataset"),
        "context_size": run.get("ctx_len"),
        "prepend_bos": False,
    }
    return Layout(
        "topk",
        _named(W_enc="encoder.weight.T", b_enc="encoder.bias", W_dec="W_dec", b_dec="b_dec"),
        apply_b_dec_to_input=True,
        metadata=metadata,
        k=cfg["k"],
        sizes={"d_in": cfg.get("d_in") or 0, "d_sae": cfg.get("num_latents") or 0},
    )


def _run_config(folder: Path) -> Mapping[str, Any]:
    """What the config.json of the whole run says, if it lies above the folder."""
    for above in list(folder.parents)[:2]:
        try:
            run = json.loads((above / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(run, dict) and isinstance(run.get("sae"), dict):
            kinds = {"model": str, "dataset": str, "ctx_len": int}
            return {key: run[key] for key, kind in kinds.items() if isinstance(run.get(key), kind)}
    return {}


def _hook_of_module(folder: Path) -> str | None:
    """The hook that the folder of a hookpoint means: `layers.3` is the output of block 3; None if it means none."""
    name = folder.parent.name if re.fullmatch(r"seed\d+", folder.name) else folder.name
    if name.rpartition(".")[2] in _EMBEDDINGS:
        return "hook_embed"
    module = _MODULE.fullmatch(name)
    if not module or module[2] not in _MODULE_HOOKS:
        return None
    return f"blocks.{module[1]}.{_MODULE_HOOKS[module[2]]}"


def _dictionary(files: SaeFiles) -> Layout:
    """A checkpoint of dictionary_learning, each class as its `encode` reads it."""
    trainer = files.facts["trainer"]
    linear = {"W_enc": "encoder.weight.T", "W_dec": "decoder.weight.T"}
    linear_bias = {**linear, "b_enc": "encoder.bias", "b_dec": "b_dec"}
    plain = {role: role for role in ("W_enc", "W_dec", "b_enc", "b_dec")}
    gated = {"b_gate": "gate_bias", "b_mag": "mag_bias", "r_mag": "r_mag"}
    kinds = {
        "AutoEncoder": ("standard", {**linear_bias, "b_dec": "bias"}, True),
        "AutoEncoderNew": ("standard", {**linear_bias, "b_dec": "decoder.bias"}, False),
        "GatedAutoEncoder": ("gated", {**linear, **gated, "b_dec": "decoder_bias"}, True),
        "JumpReluAutoEncoder": ("jumprelu", {**plain, "threshold": "threshold"}, False),
        "AutoEncoderTopK": ("topk", linear_bias, True),
        "BatchTopKSAE": ("jumprelu", {**linear_bias, "threshold": "threshold"}, True),
        "MatryoshkaBatchTopKSAE": ("jumprelu", {**plain, "threshold": "threshold"}, True),
    }
    architecture, names, subtracts = kinds[trainer["dict_class"]]
    return Layout(
        architecture,
        _named(**names),
        apply_b_dec_to_input=subtracts,
        metadata=_dictionary_metadata(files.facts),
        k=trainer.get("k") if architecture == "topk" else None,
        sizes={"d_in": trainer.get("activation_dim") or 0, "d_sae": trainer.get("dict_size") or 0},
    )


def _dictionary_metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the config of dictionary_learning says of the training."""
    trainer, buffer = config["trainer"], config.get("buffer")
    buffer = buffer if isinstance(buffer, dict) else {}
    module = re.fullmatch(r"([a-z_]+?)(?:_?layer_?\d+)?", str(trainer.get("submodule_name")))
    at, layer = _SUBMODULE_HOOKS.get(module[1].rstrip("_") if module else ""), trainer.get("layer")
    reads_output = buffer.get("io", "out") == "out"
    return {
        "hook_name": f"blocks.{layer}.{at}" if at and reads_output and type(layer) is int else None,
        "model_name": trainer.get("lm_name"),
        "context_size": buffer.get("ctx_len"),
        "training_architecture": trainer["dict_class"],
    }


def _described(files: SaeFiles) -> Layout:
    """An SAE whose tensors a JSON names."""
    facts = files.facts
    tensors = {
        role: Named(named["name"], tuple(named.get("axes") or ROLES[role]))
        if isinstance(named, dict)
        else Named(named, ROLES[role])
        for role, named in facts["tensors"].items()
    }
    keys = {"hook": "hook_name", "model": "model_name", "dataset": "dataset_path"}
    metadata = {keys.get(key, key): facts.get(key) for key in (*keys, "prepend_bos", "context_size")}
    return Layout(
        facts["architecture"],
        tensors,
        apply_b_dec_to_input=facts["apply_b_dec_to_input"],
        metadata=metadata,
        k=facts.get("k"),
        threshold=facts.get("threshold"),
        normalize_activations=facts.get("normalize_activations") or "none",
        input_scale=facts.get("input_scale"),
        rescale_acts_by_decoder_norm=bool(facts.get("rescale_acts_by_decoder_norm")),
    )
