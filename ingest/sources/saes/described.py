"""The JSON that names the tensors of an SAE in no known format: what can stand in it, and what is wrong with one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError

ROLES = {
    "W_enc": ("d_in", "d_sae"),
    "W_dec": ("d_sae", "d_in"),
    "b_enc": ("d_sae",),
    "b_dec": ("d_in",),
    "threshold": ("d_sae",),
    "b_gate": ("d_sae",),
    "b_mag": ("d_sae",),
    "r_mag": ("d_sae",),
}
"""Tensor of an SAE -> its axes in SAELens."""

NEEDED = {
    "standard": ("W_enc", "W_dec", "b_enc", "b_dec"),
    "topk": ("W_enc", "W_dec", "b_enc", "b_dec"),
    "jumprelu": ("W_enc", "W_dec", "b_enc", "b_dec", "threshold"),
    "gated": ("W_enc", "W_dec", "b_dec", "b_gate", "b_mag", "r_mag"),
}
"""Architecture -> its tensors."""

OPTIONAL = ("b_enc", "b_dec")
"""Tensors that are zero where a description does not name them."""

_MATRICES = ("W_enc", "W_dec")
_NORMALISATIONS = ("none", "constant_norm_rescale", "layer_norm")
_WORDS = {
    "weights": (str, "the name of a file beside it"),
    "hook": (str, "the name of a hook"),
    "model": (str, "the name of a model"),
    "dataset": (str, "the name of a corpus"),
    "apply_b_dec_to_input": (bool, "true or false"),
    "rescale_acts_by_decoder_norm": (bool, "true or false"),
    "prepend_bos": (bool, "true or false"),
    "context_size": (int, "a number of tokens"),
}
_KEYS = {*_WORDS, "architecture", "tensors", "k", "threshold", "normalize_activations", "input_scale"}


def description_fault(facts: Mapping[str, Any]) -> str | None:
    """What is wrong with a description; None if nothing is."""
    if unknown := sorted(set(facts) - _KEYS):
        return f"{unknown[0]!r:.80} means nothing in it; it can hold {', '.join(sorted(_KEYS))}"
    if facts.get("architecture") not in NEEDED:
        return f"its architecture is {facts.get('architecture')!r:.80}, and should be one of {', '.join(NEEDED)}"
    for key, (kind, words) in _WORDS.items():
        if not isinstance(facts.get(key), kind | None):
            return f"{key} is {facts[key]!r:.80}, and should be {words}"
    if facts.get("apply_b_dec_to_input") is None:
        return "it does not say apply_b_dec_to_input: whether b_dec is taken from the input, true or false"
    if facts.get("normalize_activations", "none") not in _NORMALISATIONS:
        given = facts["normalize_activations"]
        return f"normalize_activations is {given!r:.80}, and should be one of {', '.join(_NORMALISATIONS)}"
    return _numbers_fault(facts) or _tensors_fault(facts)


def _numbers_fault(facts: Mapping[str, Any]) -> str | None:
    """What is wrong with the numbers in a description."""
    k = facts.get("k")
    if (facts["architecture"] == "topk") != (k is not None) or (k is not None and (type(k) is not int or k < 1)):
        return f"k is {k!r:.80}, and should be a whole number of at least 1 for topk, and left out otherwise"
    for key in ("threshold", "input_scale"):
        value = facts.get(key)
        if value is not None and (type(value) not in (int, float) or not math.isfinite(value)):
            return f"{key} is {value!r:.80}, and should be a number"
    if facts.get("input_scale") is not None and facts["input_scale"] <= 0:
        return f"input_scale is {facts['input_scale']!r:.80}, and should be above 0"
    return None


def _tensors_fault(facts: Mapping[str, Any]) -> str | None:
    """What is wrong with the names of the tensors in a description."""
    architecture, tensors = facts["architecture"], facts.get("tensors")
    if not isinstance(tensors, dict):
        return "its tensors are not a JSON object"
    needed = NEEDED[architecture]
    if spare := sorted(set(tensors) - set(needed)):
        return f"{architecture} has no tensor {spare[0]!r:.80}; it has {', '.join(needed)}"
    given = {*tensors, *OPTIONAL, *(["threshold"] if facts.get("threshold") is not None else [])}
    if missing := [role for role in needed if role not in given]:
        return f"it does not name the tensor {missing[0]}; {architecture} has {', '.join(needed)}"
    for role, named in tensors.items():
        name, axes = (named.get("name"), named.get("axes")) if isinstance(named, dict) else (named, None)
        if not isinstance(name, str):
            return f"the name of {role} is {name!r:.80}, and should be a text"
        if role in _MATRICES and (not isinstance(axes, list) or axes not in (["d_in", "d_sae"], ["d_sae", "d_in"])):
            return f'{role} needs its axes: {{"name": …, "axes": ["d_in", "d_sae"]}} or the other way round'
    return None


def weights_of(settings: Path, facts: Mapping[str, Any]) -> Path:
    """The file of weights that a description means.

    Raises:
        AtlasError: There is no such file, or it names none and there are several.
    """
    folder = settings.parent
    if named := facts.get("weights"):
        if not (folder / named).is_file():
            raise AtlasError(f"{settings} names weights that are not there", why=f"there is no {folder / named}")
        return folder / named
    there = sorted(folder.glob("*.safetensors"))
    if len(there) != 1:
        held = ", ".join(file.name for file in there) or "none"
        why = f"of files *.safetensors beside it there are: {held}"
        raise AtlasError(f"{settings} does not say where the weights are", why=why, hint='add "weights": "FILE"')
    return there[0]
