"""The result of a search: the best partners of every feature of both SAEs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.search.topk import Index, Values


@dataclass(frozen=True, slots=True, eq=False)
class BestPartners:
    """The best partners of every feature of a and b. Rows are features, columns ranks: best first, ties by lower id."""

    index_ab: Index
    """(d_a, top_k) feature of b at that rank for each feature of a; -1 where undefined or fewer partners exist."""
    value_ab: Values
    """(d_a, top_k) similarity, in the range of the measure; NaN where the index is -1."""
    index_ba: Index
    """(d_b, top_k) feature of a at that rank for each feature of b; -1 as above."""
    value_ba: Values
    """(d_b, top_k) similarity; NaN where the index is -1."""

    @property
    def median_best(self) -> tuple[float, float]:
        """Median best value over the features that have one, a to b and b to a; NaN where none has."""
        return median(self.value_ab[:, 0]), median(self.value_ba[:, 0])


@dataclass(frozen=True, slots=True, eq=False)
class TopPairs(BestPartners):
    """Best partners by activations on the same tokens, with the counts of tokens behind each value."""

    joint_ab: Index
    """(d_a, top_k) tokens on which both features of the pair fire, >= 0; 0 where the index is -1."""
    joint_ba: Index
    """(d_b, top_k) tokens on which both features of the pairs of `index_ba` fire."""
    n_a: NDArray[np.int64]
    """(d_a,) tokens on which each feature of a fires; 0 is a dead feature."""
    n_b: NDArray[np.int64]
    """(d_b,) tokens on which each feature of b fires."""
    n_tokens: int
    """Tokens of both scans, silent ones included."""


def median(best: Values) -> float:
    """Median over the features that have a value; NaN where none has."""
    known = best[~np.isnan(best)]
    return float(np.median(known)) if len(known) else float("nan")
