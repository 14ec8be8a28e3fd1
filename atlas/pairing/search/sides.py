"""What is asked of two sides: best partners, the chance level that judges them, and values at given pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from atlas.choices import Unit
from atlas.pairing.assignment.measures import unrelated
from atlas.pairing.measures.activation import correlate_sparse
from atlas.pairing.measures.registry import Measure
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.chance import ShiftNull, shift_null, shift_null_blocks
from atlas.pairing.search.products import joint_at, threads
from atlas.pairing.search.standardised import fires
from atlas.pairing.search.streamed import correlate_blocks, correlations_of_blocks_at, joint_of_blocks_at
from atlas.pairing.search.topk import Values
from atlas.pairing.search.toppairs import BestPartners
from atlas.pairing.tokens.alignment import SharedSample

_SAMPLED = 4096
"""Features of each side on which a chance level is measured, as in `shift_null`."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a comparison, ready for the function of a measure."""

    arguments: tuple[Any, ...]
    """What the function takes, before its options; two sources of blocks where `sums` is given."""

    n_tokens: int
    """Tokens of the scans, spans of their text, or documents where activations are pooled."""

    n_a: np.ndarray
    """(d_a,) int64: tokens, or documents, in which each feature of a fires."""

    n_b: np.ndarray
    """(d_b,) int64: the same of b."""

    dimension: int | None = None
    """Weights that a feature of a has; None where tokens are compared."""

    same: bool = False
    """Both sides are one SAE: no feature is its own partner."""

    unit: Unit = "tokens"
    """What `n_tokens`, `n_a` and `n_b` count; spans of text where two tokenizers were aligned."""

    shared: SharedSample | None = None
    """How much of two texts is compared; None where the tokens are the same."""

    sums: int | None = None
    """Bytes of sums held at once where activations are read in blocks; None where they are in memory."""


@dataclass(frozen=True, slots=True)
class Chance:
    """How high the median best value is where nothing belongs together."""

    best_ab: float
    """Of the features of a among all of b."""

    best_ba: float
    """Of the features of b among all of a."""

    shift: int | None = None
    """Rows by which b was rolled; None where random vectors took the place of the weights."""

    n_a: int | None = None
    """Features of a sampled; None in pairings of before random vectors were drawn."""

    n_b: int | None = None
    """Features of b sampled."""


def best_partners(
    measure: Measure, sides: Sides, *, top_k: int = 10, on_progress: Progress | None = None
) -> BestPartners:
    """The best partners of every feature, both ways."""
    options: dict[str, Any] = {"top_k": top_k, "on_progress": on_progress, "same": sides.same}
    if sides.sums is not None:
        return correlate_blocks(*sides.arguments, memory=sides.sums, **options)
    return measure.function(*sides.arguments, **options)


def chance_level(measure: Measure, sides: Sides, *, seed: int = 0) -> Chance:
    """The level that judges the best partners; within one SAE a feature may find itself out of step."""
    if sides.dimension is not None:
        return _of_random_vectors(measure, sides, seed)
    null = _shifted(measure, sides, seed)
    # A measure that leaves out pairs without a common token has the value 0 there.
    ab, ba = (np.nan_to_num(best[0]) if measure.low >= 0 else best[0] for best in (null.best_ab, null.best_ba))
    return Chance(float(ab), float(ba), int(null.shifts[0]), null.n_a, null.n_b)


def _of_random_vectors(measure: Measure, sides: Sides, seed: int) -> Chance:
    """The search once more for a sample of each side, all weights replaced by Gaussian vectors."""
    (a, b, *others), _ = unrelated(measure, sides.arguments, seed)
    rng = np.random.default_rng(np.random.PCG64(seed))
    of_a, of_b = (np.sort(rng.permutation(np.flatnonzero(side.any(axis=1)))[:_SAMPLED]) for side in (a, b))
    ab = measure.function(a[of_a], b, *others, top_k=1)
    ba = measure.function(a, b[of_b], *others, top_k=1)
    return Chance(ab.median_best[0], ba.median_best[1], None, len(of_a), len(of_b))


def _shifted(measure: Measure, sides: Sides, seed: int) -> ShiftNull:
    """The search once more with the rows of b rolled."""
    if sides.sums is not None:
        a, b = sides.arguments
        return shift_null_blocks(a, b, sides.n_a, sides.n_b, sides.n_tokens, seed=seed, memory=sides.sums)
    if measure.function is correlate_sparse:
        return shift_null(*sides.arguments, seed=seed)
    return shift_null(*sides.arguments, seed=seed, measure=cast(Any, measure.function))


def values_at(measure: Measure, sides: Sides, features_a: NDArray, features_b: NDArray) -> Values:
    """The values of given pairs: (n,) float64, NaN where undefined.

    Args:
        measure: What is compared.
        sides: What it is compared on.
        features_a: (n,) features of a.
        features_b: (n,) their partners.
    """
    if sides.sums is not None:
        a, b = sides.arguments
        return correlations_of_blocks_at(a, b, features_a, features_b)
    return measure.at(*sides.arguments, features_a, features_b)


def joint_counts_at(sides: Sides, features_a: NDArray, features_b: NDArray) -> NDArray[np.int64] | None:
    """(n,) tokens, or documents, in which both features of given pairs fire; None where weights are compared."""
    if sides.dimension is not None:
        return None
    if sides.sums is not None:
        a, b = sides.arguments
        return joint_of_blocks_at(a, b, features_a, features_b)
    x, y = (fires(side) for side in sides.arguments)
    with threads(None) as pool:
        return joint_at(x, y, features_a, features_b, pool)
