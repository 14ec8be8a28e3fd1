"""Pearson correlation of standardised features: from a sparse product to r, and the best pairs both ways.

Partners that never fire together with a feature may still be among its best. Without a common token
r = -(mu/sd)(nu/td): for a feature with mu/sd > 0 the best such partner has the smallest nu/td, for one with mu/sd < 0
(possible in signed data) the largest. One ordered list gives them, no matrix is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.search.bothways import Progress, SparseBlock, Top, both_ways
from atlas.pairing.search.products import blocks, have_sums, product
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


Together = Callable[[NDArray, NDArray], NDArray[np.bool_]]
"""`together(features, partners)`: (features, partners) whether the pair was seen: fires together, sum not exactly 0."""


def silent_best(ratio_x: Values, ratio_y: Values) -> Values:
    """(d_x,) maximum of -(mu/sd)(nu/td) over all partners: an upper bound of r without a common token.

    NaN where undefined, -inf without partners. Above 1 only where features with signs must share a token.
    """
    known = ratio_y[~np.isnan(ratio_y)]
    if not len(known):
        return np.full(len(ratio_x), -np.inf)
    return np.maximum(0.0 - ratio_x * known.min(), 0.0 - ratio_x * known.max())


def with_silent(top: Top, ratio_x: Values, ratio_y: Values, together: Together, *, not_self: bool = False) -> Top:
    """The best over all partners, from the best over those that co-fire, which is changed in place.

    The ratios are mean over standard deviation, NaN where undefined; with `not_self` no feature is its own partner.
    """
    index, value = top
    k = index.shape[1]
    open_rows = ~(value[:, -1] > np.clip(silent_best(ratio_x, ratio_y), -1.0, 1.0)) & ~np.isnan(ratio_x)
    defined = np.flatnonzero(~np.isnan(ratio_y))
    rising = defined[np.argsort(ratio_y[defined], kind="stable")]
    falling = defined[np.argsort(-ratio_y[defined], kind="stable")]
    for of_sign, order in ((ratio_x > 0, rising), (ratio_x == 0, defined), (ratio_x < 0, falling)):
        for rows, partner in _first_silent(np.flatnonzero(open_rows & of_sign), order, k, together, not_self):
            # "0.0 -" as in the product of pairs that do fire together, so that no pair gets -0.0.
            r = np.clip(0.0 - ratio_x[rows, None] * ratio_y[partner], -1.0, 1.0)
            r[partner < 0] = np.nan
            index[rows], value[rows] = _best_of_both(index[rows], value[rows], partner, r)
    return index, value


def _first_silent(
    rows: NDArray, order: NDArray, k: int, together: Together, not_self: bool
) -> Iterator[tuple[NDArray, NDArray]]:
    """For each row the first k of `order` that it never fires together with, -1 where there are fewer."""
    looked_at = 8 * k
    while len(rows) and len(order):
        nearest = order[:looked_at]
        left = []
        # At most 16 MB of answers at a time, for any number of features.
        for part in np.array_split(rows, max(1, len(rows) * len(nearest) >> 24)):
            silent = ~together(part, nearest)
            if not_self:
                silent &= part[:, None] != nearest
            enough = (silent.sum(axis=1) >= k) | (len(nearest) == len(order))
            first = np.argsort(~silent[enough], axis=1, kind="stable")[:, :k]
            found = np.where(np.take_along_axis(silent[enough], first, axis=1), nearest[first], -1)
            yield part[enough], found
            left.append(part[~enough])
        rows = np.concatenate(left)
        looked_at *= 4


def _best_of_both(index: NDArray, value: NDArray, partner: NDArray, r: NDArray) -> Top:
    """Merge (rows, k) known and silent partners: higher value first, then lower id, the missing last."""
    partners, values = np.concatenate([index, partner], axis=1), np.concatenate([value, r], axis=1)
    falling = np.where(partners < 0, np.inf, -values)
    best = np.lexsort((partners, falling), axis=-1)[:, : index.shape[1]]
    return np.take_along_axis(partners, best, axis=1), np.take_along_axis(values, best, axis=1)
