"""Names of what can be chosen: match rules, orders and thresholds of pairs, options of metrics, units of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

DEFAULT_MEASURE = "activation"
"""What is meant where no measure is named: one of `atlas.pairing.MEASURES`. All others exchange values with it."""

MATCH_RULES = ("one-to-one", "best", "mutual", "singletons", "first-seen", "assignment", "greedy")
"""As of the macro `matches` and of `Subset.match`, where they are explained."""

STORED_RULES = ("assignment", "greedy")
"""Those that no view can follow: `featlas match` computes and stores their pairs."""

PAIR_SORTS = ("value", "joint", "margin", "n a", "n b", "feature", "partner")
"""Orders of the pair list; `joint` by the tokens on which both fire, `n a` and `n b` by those of one side, `feature`
and `partner` by the ids of the side that chooses and of the other."""

PAIR_FILTER = "value>=0.5 mutual joint>=20 density<=1e-2 top:3 +non-concept +unshared monday"
"""Every term of the filter line of a pair list; what is none of them is looked for in the tokens."""

METRIC_OPTIONS = {
    "directions": ("svcca", "k"),
    "variance": ("svcca", "variance"),
    "rdm": ("rsa", "rdm"),
    "compare": ("rsa", "compare"),
    "debiased": ("cka", "debiased"),
    "neighbours": ("mutual_knn", "k"),
    "near": ("mutual_knn", "by"),
}
"""Options of the commands that score, the metric that each belongs to, and the keyword of its function that it sets."""

Unit = Literal["tokens", "documents", "spans"]
"""`spans`: pieces of a text that two tokenizers cut, as `atlas.pairing.tokens.alignment` finds them."""


def variant(space: str, options: Mapping[str, Any]) -> str:
    """Which rows, and which of a metric's variants, in words."""
    chosen = ", ".join(
        name if value is True else f"{name} {value}" for name, value in options.items() if value is not False
    )
    return f"{space} rows" + (f", {chosen}" if chosen else "")
