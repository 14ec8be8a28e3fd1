"""The search that all measures share: the k best partners of every feature, in both directions, block by block.

A block gives a cheap upper bound for each of its pairs, and exact values for the few pairs whose bound reaches the k-th
best. So the result is that of the full matrix, which is never built, and does not depend on the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.search.topk import BestSoFar, Index, Values, empty_top, floors_of_rows, kth_of_rows, top_of_rows

Progress = Callable[[int, int], object]
"""Called as `progress(done, total)`."""

Exact = Callable[[NDArray, NDArray, Values], Values]
"""`exact(features, partners, bounds)`: the values of some pairs, each at most its bound plus the slack."""

Slack = tuple[Values | float, Values | float]
"""By how much values may exceed their bounds, by row and by partner."""

Top = tuple[Index, Values]
"""(n, k) partners, best first and -1 where there are fewer; (n, k) values, NaN there."""


class Block(Protocol):
    """All pairs of a few features of x that can be among the best."""

    def rows(self, k: int) -> Top:
        """The k best partners of each feature of the block."""
        ...

    def reaching(self, floor: Values) -> tuple[NDArray, NDArray, Values]:
        """Partners, features and values of the pairs whose bound reaches (d_y,) `floor` at the partner."""
        ...


class SparseBlock:
    """Some features of x with the few partners that each of them has.

    `pairs` is (m, d_y) CSR of bounds of the values, one row for each of the (m,) features; pairs without an entry are
    left out. `exact` is None where the bounds are the values.
    """

    def __init__(self, features: NDArray, pairs: Any, exact: Exact | None = None, slack: Slack = (0.0, 0.0)) -> None:
        self._features, self._exact, self._slack = features, exact, slack
        self._indptr, self._partner, self._bound = pairs.indptr, pairs.indices, pairs.data

    def rows(self, k: int) -> Top:
        """The k best partners of each row, exact where values were screened."""
        if self._exact is None:
            return top_of_rows(self._indptr, self._partner, self._bound, k)
        # At least k pairs of a row have a bound that high; the k-th best of their values is a floor for values.
        starts, _, value = self._from(floors_of_rows(self._indptr, self._bound, k))
        floor = kth_of_rows(starts, value, k)
        return top_of_rows(*self._from(floor - self._slack[0]), k)

    def reaching(self, floor: Values) -> tuple[NDArray, NDArray, Values]:
        at = np.flatnonzero(self._bound >= (floor - self._slack[1])[self._partner])
        feature = self._features[np.searchsorted(self._indptr, at, side="right") - 1]
        return self._partner[at], feature, self._values(at, feature)

    def _from(self, floor: Values) -> tuple[NDArray, NDArray, Values]:
        at = np.flatnonzero(self._bound >= np.repeat(floor, np.diff(self._indptr)))
        starts = np.searchsorted(at, self._indptr)
        return starts, self._partner[at], self._values(at, np.repeat(self._features, np.diff(starts)))

    def _values(self, at: NDArray, feature: NDArray) -> Values:
        bound = self._bound[at]
        return bound if self._exact is None else self._exact(feature, self._partner[at], bound)


class Search:
    """The k best partners of every row and of every column of a (d_x, d_y) matrix that comes block by block.

    Features that are in no block have no partner. Progress is counted in features of x.
    """

    def __init__(self, shape: tuple[int, int], k: int, pool: Executor, on_progress: Progress | None = None) -> None:
        self._k, self._pool, self._on_progress, self._done = k, pool, on_progress, 0
        self._index, self._value = empty_top(shape[0], k)
        self._columns = BestSoFar(shape[1], shape[0], k)

    def see(self, blocks: Sequence[NDArray], block_of: Callable[[NDArray], Block]) -> None:
        """Search blocks of features of x, each feature once; `block_of` is called from the threads of the pool."""

        def best_of(features: NDArray) -> Top:
            block = block_of(features)
            self._columns.absorb(*block.reaching(self._columns.floor))
            return block.rows(self._k)

        for features, (index_of, value_of) in zip(blocks, self._pool.map(best_of, blocks), strict=True):
            self._index[features], self._value[features] = index_of, value_of
            self._done += len(features)
            if self._on_progress:
                self._on_progress(self._done, len(self._index))

    def finish(self) -> tuple[Top, Top]:
        return (self._index, self._value), self._columns.finish()


def both_ways(
    shape: tuple[int, int],
    k: int,
    blocks: Sequence[NDArray],
    block_of: Callable[[NDArray], Block],
    pool: Executor,
    on_progress: Progress | None = None,
) -> tuple[Top, Top]:
    search = Search(shape, k, pool, on_progress)
    search.see(blocks, block_of)
    return search.finish()


def runs(items: NDArray, cost: NDArray, budget: int, most: int) -> Iterator[NDArray]:
    """Consecutive runs of at most `most` items, each within `budget` of summed cost unless one item exceeds it."""
    total = np.cumsum(cost, dtype=np.int64)
    start = 0
    while start < len(items):
        spent = total[start - 1] if start else 0
        stop = int(np.searchsorted(total, spent + budget, side="right"))
        stop = min(max(stop, start + 1), start + most)
        yield items[start:stop]
        start = stop
