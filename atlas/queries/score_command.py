"""The command that computes a stored score again, from the spec of its run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from atlas.choices import DEFAULT_MEASURE, METRIC_OPTIONS

_SUBSET = {
    "match": ("--match", "one-to-one"),
    "direction": ("--direction", "a_to_b"),
    "measure": ("--measure", DEFAULT_MEASURE),
    "min_value": ("--min-value", 0.0),
    "min_joint": ("--min-joint", 0),
    "min_density": ("--min-density", 0.0),
    "max_density": ("--max-density", 1.0),
    "top_tokens": ("--top-tokens", 5),
    "keep_non_concept": ("--keep-non-concept", False),
    "keep_unshared": ("--keep-unshared", False),
    "where": ("--where", None),
    "concept": ("--concept", None),
    "concept_rule": ("--concept-rule", "share"),
    "concept_share": ("--concept-share", None),
}
"""Parts of a subset, the option that sets each, and its value where the option is left out."""

_SCORE = {
    "space": ("--on", "decoder"),
    "null": ("--null", "shuffle"),
    "shuffles": ("--shuffles", 1000),
    "bootstrap": ("--bootstrap", 0),
    "halves": ("--split-half", 0),
    "allow_forced": ("--allow-forced", False),
    "seed": ("--seed", 0),
}
"""The same of what a score needs beside its subset."""

_BY_PAPER = ("match", "direction", "measure", "min_value")


def command_again(spec: Mapping[str, Any]) -> str:
    """`featlas metric …` with every option that is not at its default; empty where the spec is of another kind."""
    subset = spec.get("subset")
    if not isinstance(subset, Mapping) or "metric" not in spec:
        return ""
    words = ["featlas", "metric", str(spec["metric"]), str(spec["sae_a"]), str(spec["sae_b"])]
    words += ["--corpus", str(spec["corpus"])]
    paper = bool(subset.get("paper_compat"))
    words += ["--paper-compat"] if paper else []
    chosen = {name: value for name, value in subset.items() if not (paper and name in _BY_PAPER)}
    words += _words(chosen, _SUBSET)
    words += _words({name: value for name, value in spec.items() if value != "gaussian"}, _SCORE)
    if spec.get("null") == "gaussian" and "--shuffles" not in words:  # whose default is another
        words += ["--shuffles", str(spec["shuffles"])]
    for option, (metric, keyword) in METRIC_OPTIONS.items():
        value = spec.get("options", {}).get(keyword)
        if metric == spec["metric"] and value not in (None, False):
            words += [f"--{option}"] if value is True else [f"--{option}", str(value)]
    return shlex.join(words)


def _words(values: Mapping[str, Any], known: Mapping[str, tuple[str, Any]]) -> list[str]:
    """Options of the values that are not the default; flags have no value."""
    words: list[str] = []
    for name, (option, default) in known.items():
        value = values.get(name, default)
        if value != default:
            words += [option] if value is True else [option, str(value)]
    return words
