"""Inner products of two sets of vectors without the full matrix: rows, single pairs, and the k largest of each vector.

Blocks are multiplied in single precision where its rounding is small; pairs close to the best are computed again in
double precision, each by itself. So the result is that of double precision and does not depend on the blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.search.bothways import Progress, Top, both_ways
from atlas.pairing.search.products import threads
from atlas.pairing.search.source import GATHERED, Source
from atlas.pairing.search.topk import BestPartners, Values, top_of_rows

COARSEST = 1e-4
"""Rounding of single precision above which blocks are multiplied in double precision."""


class ScreenedProducts(Source):
    """Inner products of two sets of vectors, in [-1, 1]: approximate within a proved `error`, and exact.

    The (n, d) and (m, d) float64 vectors are changed in place. They must be such that no product exceeds 1 except by
    rounding: unit vectors, or p' S and q of a covariance S. A vector with a NaN has the product 0 with every other
    (`defined` says which). Memory: a float32 copy of both sets where the rounding of that is small.
    """

    def __init__(self, left: Values, right: Values) -> None:
        if left.shape[1] != right.shape[1]:
            raise ValueError(f"vectors of {left.shape[1]} and of {right.shape[1]} dimensions have no inner product")
        known_x, known_y = (np.asarray(np.isfinite(side).all(axis=1)) for side in (left, right))
        left[~known_x], right[~known_y] = 0.0, 0.0
        self.defined, self.shape = (known_x, known_y), (len(left), len(right))
        longest_x, longest_y = (float(np.sqrt(np.vecdot(side, side)).max(initial=0.0)) for side in (left, right))
        bounds = {dtype: rounding(left.shape[1], longest_x, longest_y, dtype) for dtype in (np.float32, np.float64)}
        dtype = np.float32 if bounds[np.float32] <= COARSEST else np.float64
        self.error, self._vectors = bounds[dtype], (left, right)
        self._quick = (left.astype(dtype, copy=False), right.astype(dtype, copy=False))

    def take(self, ids: NDArray) -> NDArray:
        return np.clip(self._vectors[0][ids] @ self._vectors[1].T, -1.0, 1.0)

    def screen(self, ids: NDArray) -> NDArray:
        """Rows in the precision that suffices; not clipped, which the bound allows for."""
        return self._quick[0][ids] @ self._quick[1].T

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        """Single values; the bits do not depend on the other pairs."""
        return inner_at(*self._vectors, rows, columns)


def rounding(d: int, longest_x: float, longest_y: float, dtype: type[np.floating[Any]]) -> float:
    """Bound on the error of a product of two vectors of d dimensions, rounded to and multiplied in `dtype`; above 0.

    Higham 2002, section 3.1: d roundings of the product of the lengths for any order of the sum, two for rounding both
    vectors, and two more so that the exact value may be clipped. Numbers too small for `dtype` vanish on top of that.
    """
    limits = np.finfo(dtype)
    unit = (d + 4) * float(limits.eps) / 2
    vanished = (d + 1) * (1.0 + longest_x + longest_y) * float(limits.tiny)
    return unit / (1 - unit) * longest_x * longest_y + vanished


def inner_at(left: Values, right: Values, features: NDArray, partners: NDArray) -> Values:
    """(n,) inner products of given pairs, clipped to [-1, 1]; NaN where a vector holds a NaN."""
    value = np.empty(len(features))
    at_once = max(1, GATHERED // max(left.shape[1], 1))
    for start in range(0, len(features), at_once):
        here = slice(start, start + at_once)
        value[here] = np.vecdot(left[features[here]], right[partners[here]])
    return np.clip(value, -1.0, 1.0)


def best_inner(
    left: Values,
    right: Values,
    *,
    top_k: int = 10,
    block_size: int = 256,
    workers: int | None = None,
    on_progress: Progress | None = None,
    same: bool = False,
) -> BestPartners:
    """Find the partners with the largest inner product, in both directions; clipped to [-1, 1].

    Args:
        left: (n_a, d) vectors of a; rows with a NaN have no partner and are not a partner.
        right: (n_b, d) vectors of b.
        top_k: Partners kept for each vector.
        block_size: Vectors of `left` in one product; changes memory (about 30 bytes times n_b each) and time only.
        workers: Threads; None is one per core, 8 at most; changes time only.
        on_progress: Called as `on_progress(done, total)`, counted in vectors of `left`.
        same: A and B are one SAE: no vector is its own partner.
    """
    if top_k < 1 or block_size < 1:
        raise ValueError(f"top_k and block_size must be at least 1, not {top_k} and {block_size}")
    of_a, of_b = (np.flatnonzero(~np.isnan(side).any(axis=1)).astype(np.int32) for side in (left, right))
    x, y = (np.ascontiguousarray(side[known], np.float64) for side, known in ((left, of_a), (right, of_b)))
    products = ScreenedProducts(x, y)

    def block_of(features: NDArray) -> _InnerBlock:
        coarse = products.screen(features)
        if same:
            coarse[of_a[features][:, None] == of_b] = -np.inf
        return _InnerBlock(features, coarse, top_k, products)

    blocks = [np.arange(s, min(s + block_size, len(of_a)), dtype=np.int32) for s in range(0, len(of_a), block_size)]
    with threads(workers) as pool:
        ab, ba = both_ways(products.shape, top_k, blocks, block_of, pool, on_progress)
    return BestPartners(*_named(ab, of_a, of_b, len(left)), *_named(ba, of_b, of_a, len(right)))


def _named(top: Top, of_x: NDArray, of_y: NDArray, d_x: int) -> Top:
    """The result for all vectors, from the result for those without a NaN."""
    index, value = np.full((d_x, top[0].shape[1]), -1, np.int32), np.full((d_x, top[0].shape[1]), np.nan)
    if len(of_x) and len(of_y):
        index[of_x], value[of_x] = np.where(top[0] >= 0, of_y[top[0]], -1), top[1]
    return index, value


class _InnerBlock:
    """The coarse products of a few vectors with all of the other set."""

    def __init__(self, features: NDArray, coarse: NDArray, k: int, products: ScreenedProducts) -> None:
        self._features, self._coarse, self._k, self._products = features, coarse, k, products

    def rows(self, k: int) -> Top:
        """The k best partners of each row of this block."""
        n, width = len(self._coarse), self._coarse.shape[1] // (4 * k)
        floor = np.full(n, -np.inf)
        if width:
            maxima = self._coarse[:, : 4 * k * width].reshape(n, 4 * k, width).max(axis=2)
            floor = _reached_by_k(maxima, k) - self._products.error
        row, partner, value = self._reaching(floor[:, None])
        return top_of_rows(np.searchsorted(row, np.arange(n + 1)), partner, value, k)

    def reaching(self, floor: Values) -> tuple[NDArray, NDArray, Values]:
        """Row, partner and exact value of all that reach the floor of their column."""
        # The best of this block raise the floor: without earlier blocks there is none.
        k, width = self._k, len(self._coarse) // (4 * self._k)
        if width:
            maxima = self._coarse[: 4 * k * width].reshape(4 * k, width, -1).max(axis=1).T
            floor = np.maximum(floor, _reached_by_k(maxima, k) - self._products.error)
        row, partner, value = self._reaching(floor)
        return partner, self._features[row], value

    def _reaching(self, floor: Values) -> tuple[NDArray, NDArray, Values]:
        """Rows, partners and values of the pairs whose value can be as high as `floor`."""
        # Never minus infinity, which marks a vector and itself; rounded down, as comparing must not turn to doubles.
        lowest = np.maximum(floor - self._products.error, np.finfo(self._coarse.dtype).min / 2)
        lowest = lowest.astype(self._coarse.dtype)
        row, partner = np.nonzero(self._coarse >= np.nextafter(lowest, np.array(-np.inf, lowest.dtype)))
        partner = partner.astype(np.int32)
        return row, partner, self._products.at(self._features[row], partner)


def _reached_by_k(maxima: NDArray, k: int) -> Values:
    """For each row of (n, 4 k) maxima a number that k of them reach, close to the k-th largest of all values."""
    return np.partition(maxima, 3 * k, axis=1)[:, 3 * k].astype(np.float64)
