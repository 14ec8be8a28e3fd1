"""The k largest inner products of two sets of vectors, both ways, without the full matrix of products.

Blocks are multiplied in single precision where its rounding is small; pairs that come near the best are computed again
in double precision, each by itself. So the answer is that of double precision and the same for every cut.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.search.bothways import Progress, Top, both_ways
from atlas.pairing.search.products import threads
from atlas.pairing.search.topk import Values, top_of_rows
from atlas.pairing.search.toppairs import BestPartners

_COARSEST = 1e-4
"""Rounding of single precision above which blocks are multiplied in double precision."""


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
        left: (n_a, d) vectors of a; rows with a NaN have no partner and are nobody's partner.
        right: (n_b, d) vectors of b.
        top_k: Partners kept for each vector.
        block_size: Vectors of `left` in one product; changes memory (about 30 bytes times n_b each) and time only.
        workers: Threads; None is one per core, 8 at most; changes time only.
        on_progress: Called as `on_progress(done, total)`, counted in vectors of `left`.
        same: Both sides are one set: no vector is its own partner.
    """
    if left.shape[1] != right.shape[1]:
        raise ValueError(f"vectors of {left.shape[1]} and of {right.shape[1]} dimensions have no inner product")
    if top_k < 1 or block_size < 1:
        raise ValueError(f"top_k and block_size must be at least 1, not {top_k} and {block_size}")
    of_a, of_b = (np.flatnonzero(~np.isnan(side).any(axis=1)).astype(np.int32) for side in (left, right))
    x, y = np.ascontiguousarray(left[of_a], np.float64), np.ascontiguousarray(right[of_b], np.float64)
    products = _Products(x, y, top_k, of_a if same else None, of_b)
    cut = [np.arange(s, min(s + block_size, len(x)), dtype=np.int32) for s in range(0, len(x), block_size)]
    with threads(workers) as pool:
        ab, ba = both_ways((len(x), len(y)), top_k, cut, products.block, pool, on_progress)
    return BestPartners(*_named(ab, of_a, of_b, len(left)), *_named(ba, of_b, of_a, len(right)))


def inner_at(left: Values, right: Values, features: NDArray, partners: NDArray) -> Values:
    """(n,) inner products of given pairs, clipped to [-1, 1]; NaN where a vector holds one."""
    value = np.empty(len(features))
    at_once = max(1, 4_000_000 // max(left.shape[1], 1))
    for start in range(0, len(features), at_once):
        here = slice(start, start + at_once)
        value[here] = np.vecdot(left[features[here]], right[partners[here]])
    return np.clip(value, -1.0, 1.0)


def _named(top: Top, of_x: NDArray, of_y: NDArray, d_x: int) -> Top:
    """The answer among all vectors, from that among those without a NaN."""
    index, value = np.full((d_x, top[0].shape[1]), -1, np.int32), np.full((d_x, top[0].shape[1]), np.nan)
    if len(of_x) and len(of_y):
        index[of_x], value[of_x] = np.where(top[0] >= 0, of_y[top[0]], -1), top[1]
    return index, value


class _Products:
    """Both sides in the precision that is needed, and how far a product of it may be off."""

    def __init__(self, x: Values, y: Values, k: int, of_x: NDArray | None, of_y: NDArray) -> None:
        self._k, self._x, self._y, self._of_x, self._of_y = k, x, y, of_x, of_y
        norms = [np.sqrt(np.vecdot(side, side)).max(initial=0.0) for side in (x, y)]
        # Higham 2002, section 3.1: a sum of d products is off by at most d + 2 roundings of the product of the norms.
        scale = 2.0 * (x.shape[1] + 2) * norms[0] * norms[1]
        single = scale * float(np.finfo(np.float32).eps) <= _COARSEST
        self._dtype = np.float32 if single else np.float64
        self._rounding = scale * float(np.finfo(self._dtype).eps)
        self._coarse_x, self._coarse_y = x.astype(self._dtype, copy=False), y.astype(self._dtype, copy=False)

    def block(self, features: NDArray) -> _InnerBlock:
        """All products of some vectors of x."""
        coarse = self._coarse_x[features] @ self._coarse_y.T
        if self._of_x is not None:
            coarse[self._of_x[features][:, None] == self._of_y] = -np.inf
        return _InnerBlock(features, coarse, self._k, self._rounding, self.exact)

    def exact(self, feature: NDArray, partner: NDArray) -> Values:
        """Inner products of chosen pairs in double precision, each from its two vectors alone."""
        return inner_at(self._x, self._y, feature, partner)


class _InnerBlock:
    """The products of a few vectors with all of the other side, off by `rounding` at most."""

    def __init__(
        self, features: NDArray, coarse: NDArray, k: int, rounding: float, exact: Callable[[NDArray, NDArray], Values]
    ) -> None:
        self._features, self._coarse, self._k, self._rounding, self._exact = features, coarse, k, rounding, exact

    def rows(self, k: int) -> Top:
        """The k best partners of each vector of the block."""
        n, width = len(self._coarse), self._coarse.shape[1] // (4 * k)
        floor = np.full(n, -np.inf)
        if width:
            maxima = self._coarse[:, : 4 * k * width].reshape(n, 4 * k, width).max(axis=2)
            floor = _reached_by_k(maxima, k) - self._rounding
        row, partner, value = self._reaching(floor[:, None])
        return top_of_rows(np.searchsorted(row, np.arange(n + 1)), partner, value, k)

    def reaching(self, floor: Values) -> tuple[NDArray, NDArray, Values]:
        """Partners, vectors and values of the pairs that reach the floor of the partner."""
        # The best of this block alone raise the floor: that of all blocks so far is none at first.
        k, width = self._k, len(self._coarse) // (4 * self._k)
        if width:
            maxima = self._coarse[: 4 * k * width].reshape(4 * k, width, -1).max(axis=1).T
            floor = np.maximum(floor, _reached_by_k(maxima, k) - self._rounding)
        row, partner, value = self._reaching(floor)
        return partner, self._features[row], value

    def _reaching(self, floor: Values) -> tuple[NDArray, NDArray, Values]:
        """Rows, partners and values of the pairs whose value can be as high as `floor`."""
        # Never minus infinity, which marks a vector and itself; rounded down, as comparing must not turn to doubles.
        lowest = np.maximum(floor - self._rounding, np.finfo(self._coarse.dtype).min / 2).astype(self._coarse.dtype)
        row, partner = np.nonzero(self._coarse >= np.nextafter(lowest, np.array(-np.inf, lowest.dtype)))
        partner = partner.astype(np.int32)
        return row, partner, self._exact(self._features[row], partner)


def _reached_by_k(maxima: NDArray, k: int) -> Values:
    """For each row of (n, 4 k) maxima a number that k of them reach, close to the k-th largest of all values."""
    return np.partition(maxima, 3 * k, axis=1)[:, 3 * k].astype(np.float64)
