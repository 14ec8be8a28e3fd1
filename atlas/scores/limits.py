"""What is too few or too many pairs for a metric to say anything, and the way out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from atlas.catalog.requests import Comparison
from atlas.choices import SVCCA_DIRECTIONS
from atlas.comparisons.matched import Matched
from atlas.errors import AtlasError
from atlas.metrics import METRICS
from atlas.metrics.registry import Result
from atlas.metrics.resample import MIN_RESAMPLED
from atlas.metrics.rsa import bytes_needed
from atlas.pairing.search.memory import half_of_available

ROWS_PER_DIRECTION = 5
"""Fewest pairs to a direction where the directions follow from a share of the variance (google/svcca's own rule)."""

FEWEST_PAIRS = 4
"""Pairs of features below which no score is given."""


class SubsetTooSmall(AtlasError):
    """The subset holds too few pairs for the metric to say anything."""


class SubsetTooLarge(AtlasError):
    """The subset holds more pairs than the metric can take in bounded memory."""


def check_size(wanted: Comparison, matched: Matched) -> None:
    """Refuse before computing where rank alone decides, or where the memory would not do."""
    metric, subset, options, n = wanted.metric, wanted.subset, wanted.options, len(matched.features_a)
    if metric == "rsa":
        _check_memory(n, str(options["compare"]))
    needed = max(FEWEST_PAIRS, _rows_for(metric, options))
    if n >= needed:
        return
    more = "--keep-unshared, --keep-non-concept, --match best"
    if subset.concept:
        more = "--concept-share 0.3, --match best" if subset.min_share > 0.3 else "--match best, --concept-rule word"
    ways = [f"keep more pairs: {more}" + (", a wider --where" if subset.where else "")]
    if metric == "svcca" and "k" in options and n >= FEWEST_PAIRS:
        ways.insert(0, f"fewer directions: --directions {max(1, n // 4)}")
    if metric == "mutual_knn" and n >= FEWEST_PAIRS:
        ways.insert(0, f"fewer neighbours: --neighbours {max(1, n // 4)}")
    fell = ", ".join(f"{name} {count}" for name, count in matched.steps)
    raise SubsetTooSmall(
        f"{n} matched pairs are too few for {metric}, which needs {needed} here",
        why=f"pairs at each step: {fell}",
        hint="; or ".join(ways),
    )


def _rows_for(metric: str, options: Mapping[str, Any]) -> int:
    if metric == "mutual_knn":
        return options["k"] + 2
    return 2 * options["k"] + 1 if metric == "svcca" and "k" in options else 0


def _check_memory(n: int, compared_by: Any) -> None:
    """Refuse what would not fit into half of the memory that is free."""
    needed, free = bytes_needed(n, compare=compared_by), half_of_available()
    if needed > free:
        raise SubsetTooLarge(
            f"rsa compares all distances between {n:,} features, which takes {needed / 1e9:.1f} GB",
            why=f"{free / 1e9:.1f} GB are half of what is free",
            hint="fewer pairs: a higher --min-value, --match one-to-one, or --where",
        )


def check_halves(metric: str, x: np.ndarray, y: np.ndarray, options: Mapping[str, Any]) -> None:
    """Raise SubsetTooSmall where half of the rows is too little for the metric, or decides it by counting."""
    half = len(x) // 2
    try:
        forced = METRICS[metric].function(x[:half], y[:half], **options).details.get("forced", 0)
        problem = f"{forced} of the correlations of {half} pairs are 1 by rank alone" if forced else None
    except ValueError as error:
        problem = str(error)
    if problem or half < MIN_RESAMPLED // 2:
        raise SubsetTooSmall(
            f"half of {len(x)} pairs is too little for {metric}",
            why=problem or f"an interval and halves need {MIN_RESAMPLED} pairs",
            hint="keep more pairs, or leave out --bootstrap and --split-half",
        )


def check_forced(result: Result, options: Mapping[str, Any]) -> None:
    """Refuse a score part of which noise would get as well, and one that keeps too many directions for its rows."""
    ranks = [result.details.get(name, 0) for name in ("rank_x", "rank_y")]
    n, forced, hint = result.n, result.details.get("forced", 0), f"lower --variance, or --directions {SVCCA_DIRECTIONS}"
    if forced:
        raise SubsetTooSmall(
            f"{forced} of the correlations are 1 by rank alone: {n} pairs, {ranks[0]} + {ranks[1]} directions",
            hint=f"{hint}, or keep more pairs",
        )
    if options.get("variance") is not None and n < ROWS_PER_DIRECTION * max(ranks):
        raise SubsetTooSmall(
            f"{n} pairs say little of {max(ranks)} directions: noise scores about {math.sqrt(max(ranks) / n):.2f}",
            why=f"a share of the variance needs {ROWS_PER_DIRECTION} pairs to a direction",
            hint=f"{hint}, or keep more pairs",
        )
