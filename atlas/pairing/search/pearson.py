"""Pearson correlation of standardised features: from a sparse product to r, and the best pairs both ways."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.search.bothways import Progress, SparseBlock, Top, both_ways
from atlas.pairing.search.products import blocks, have_sums, product
from atlas.pairing.search.silent import silent_best, with_silent
from atlas.pairing.search.standardised import Standardised
from atlas.pairing.search.topk import Values


def best_correlations(
    x: Standardised,
    y: Standardised,
    k: int,
    pool: Executor,
    *,
    block_size: int = 1024,
    on_progress: Progress | None = None,
    same: bool = False,
) -> tuple[Top, Top]:
    """The k best partners of every feature of x, and of every feature of y; without counts."""
    pearson = Pearson(x.ratio, y.ratio)

    def block_of(features: NDArray) -> SparseBlock:
        return pearson.block(features, product(x.by_feature, features, y.by_token, same=same))

    parts = blocks(x.by_feature, y.by_token, block_size)
    ab, ba = both_ways((len(x.ratio), len(y.ratio)), k, parts, block_of, pool, on_progress)
    return (
        with_silent(ab, x.ratio, y.ratio, lambda f, p: have_sums(x.by_feature, y.by_feature, f, p), not_self=same),
        with_silent(ba, y.ratio, x.ratio, lambda f, p: have_sums(y.by_feature, x.by_feature, f, p), not_self=same),
    )


class Pearson:
    """How r follows from the sum of the products of two standardised features.

    `ratio_x` (d_x,) and `ratio_y` (d_y,) are mean over standard deviation of the features of both SAEs.
    """

    def __init__(self, ratio_x: Values, ratio_y: Values) -> None:
        self._ratio_x, self._ratio_y = ratio_x, ratio_y
        self._slack_x, self._slack_y = _excess(ratio_x, ratio_y), _excess(ratio_y, ratio_x)
        self._signed = bool(self._slack_x.any())

    def block(self, features: NDArray, sums: Any) -> SparseBlock:
        """Correlations of some features, from the CSR of their sums (len(features), d_y), which is changed in place."""
        if not self._signed:  # r is clipped, and its bound must not be below -1
            np.maximum(sums.data, -1.0, out=sums.data)
        return SparseBlock(features, sums, self._exact, (self._slack_x[features], self._slack_y))

    def _exact(self, feature: NDArray, partner: NDArray, sums: Values) -> Values:
        return np.clip(sums - self._ratio_x[feature] * self._ratio_y[partner], -1.0, 1.0)


def _excess(ratio_x: Values, ratio_y: Values) -> Values:
    """(d_x,) by how much r can exceed the sum, rounding included: the largest r without a common token, or 0."""
    largest = np.nan_to_num(silent_best(ratio_x, ratio_y), nan=0.0, neginf=0.0)
    # With signs the allowance for rounding is for every feature, as sums below -1 stay as they are.
    return np.maximum(largest, 0.0) + 1e-9 if np.any(largest > 0) else np.zeros(len(ratio_x))
