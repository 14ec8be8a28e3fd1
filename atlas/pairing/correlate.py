"""Exact Pearson correlation of every feature of one SAE with every feature of another, kept as top-k both ways.

The correlation is over all tokens, silent ones included, with population standard deviations and float64 sums.
Activations are >= 0, so pairs that never fire together have r = -(mu/sd)(nu/td) <= 0, and among those the best
partner of a feature is the one with the smallest nu/td. Hence one sparse product, block by block, plus one ordered
list gives the same top-k as the full d_a x d_b matrix, which is never built.

Departures from arXiv 2410.06981 and its code: both directions, not B to A only; r is not (n-1)/n too small; a dead or
constant feature has no correlation, where the code gives it r = 0 with everything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.standardised import Standardised
from atlas.pairing.topk import BestSoFar, Index, Values, empty_top, top_of_rows

Progress = Callable[[int, int], object]

PAIRS_PER_BLOCK = 2_000_000
"""Most pairs one product may hold: 24 MB of result, and small enough that a thread stays under 150 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class TopPairs:
    """The best partners of every feature, both ways. Rows are features, columns ranks: best first, ties by lower id."""

    index_ab: Index
    """(d_a, top_k) feature of b at that rank for each feature of a; -1 where undefined or fewer partners exist."""

    value_ab: Values
    """(d_a, top_k) Pearson r in [-1, 1]; NaN where the index is -1."""

    index_ba: Index
    """(d_b, top_k) feature of a at that rank for each feature of b; -1 as above."""

    value_ba: Values
    """(d_b, top_k) Pearson r in [-1, 1]; NaN where the index is -1."""

    joint_ab: Index
    """(d_a, top_k) tokens on which both features of the pair fire, >= 0; 0 where the index is -1."""

    joint_ba: Index
    """(d_b, top_k) the same for the pairs of `index_ba`."""

    n_a: NDArray[np.int64]
    """(d_a,) tokens on which each feature of a fires; 0 is a dead feature."""

    n_b: NDArray[np.int64]
    """(d_b,) tokens on which each feature of b fires."""

    n_tokens: int
    """Tokens both sides were read on, silent ones included."""

    @property
    def median_best(self) -> tuple[float, float]:
        """Median best r over the features that have one, a to b and b to a; NaN where none has."""
        return _median(self.value_ab[:, 0]), _median(self.value_ba[:, 0])


def correlate_sparse(
    a: Any,
    b: Any,
    *,
    top_k: int = 10,
    block_size: int = 1024,
    workers: int | None = None,
    on_progress: Progress | None = None,
) -> TopPairs:
    """Find the most correlated partners of every feature, in both directions and in one pass.

    Args:
        a: (n_tokens, d_a) activations >= 0, any SciPy sparse array; stored zeros count as silent.
        b: (n_tokens, d_b) activations of the other SAE on the same tokens, in the same order.
        top_k: Partners kept for each feature.
        block_size: Most features of `a` in one product; changes memory and time only.
        workers: Threads; None is one per core, 8 at most. Each takes up to 150 MB; changes time only.
        on_progress: Called as `on_progress(done, total)`, counted in features of `a`, from the calling thread.
    """
    if a.shape[0] != b.shape[0]:
        raise ValueError(f"a has {a.shape[0]} tokens and b has {b.shape[0]}; both must hold the same tokens in order")
    if top_k < 1 or block_size < 1:
        raise ValueError(f"top_k and block_size must be at least 1, not {top_k} and {block_size}")
    x, y = Standardised.of(a, name="a"), Standardised.of(b, name="b")
    with ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1)) as pool:
        (index_ab, value_ab), (index_ba, value_ba) = _both_ways(x, y, top_k, block_size, pool, on_progress)
        joint_ab = _joint_counts(x, y, index_ab, pool)
        joint_ba = _joint_counts(y, x, index_ba, pool)
    return TopPairs(
        index_ab, value_ab, index_ba, value_ba, joint_ab, joint_ba, x.n_fired, y.n_fired, n_tokens=a.shape[0]
    )


def _both_ways(
    x: Standardised, y: Standardised, k: int, block_size: int, pool: ThreadPoolExecutor, on_progress: Progress | None
) -> tuple[tuple[Index, Values], tuple[Index, Values]]:
    """Top-k of the rows and of the columns of r(x, y), from one pass over the features of x."""
    d_x, d_y = len(x.ratio), len(y.ratio)
    columns = BestSoFar(d_y, d_x, k)

    def best_of(features: NDArray) -> tuple[Index, Values]:
        r = _correlations(x, y, features)
        columns.absorb(r.indices, np.repeat(features, np.diff(r.indptr)), r.data)
        return _with_silent(x, y, features, r, k)

    index, value = empty_top(d_x, k)
    done = 0
    blocks = list(_blocks(np.arange(d_x, dtype=np.int32), x, y, block_size))
    for features, (index_of, value_of) in zip(blocks, pool.map(best_of, blocks), strict=True):
        index[features], value[features] = index_of, value_of
        done += len(features)
        if on_progress:
            on_progress(done, d_x)
    return (index, value), _settled(y, x, *columns.finish(), block_size)


def _settled(x: Standardised, y: Standardised, index: Index, value: Values, block_size: int) -> tuple[Index, Values]:
    """Compute afresh the rows of a co-firing top-k that a partner which never co-fires could enter."""
    open_rows = np.flatnonzero(~(value[:, -1] >= _silent_best(x, y)) & ~np.isnan(x.ratio))
    if not len(open_rows):  # the rule on real scans, and then y needs no second copy by token
        return index, value
    for features in _blocks(open_rows, x, y, block_size):
        r = _correlations(x, y, features)
        index[features], value[features] = _with_silent(x, y, features, r, index.shape[1])
    return index, value


def _correlations(x: Standardised, y: Standardised, features: NDArray) -> sp.csr_array:
    """r of some features of x with the features of y they fire together with: (len(features), d_y)."""
    r = sp.csr_array(x.by_feature[features] @ y.by_token)
    expected = np.repeat(x.ratio[features], np.diff(r.indptr))
    expected *= y.ratio[r.indices]
    r.data -= expected
    np.clip(r.data, -1.0, 1.0, out=r.data)
    return r


def _with_silent(x: Standardised, y: Standardised, features: NDArray, r: sp.csr_array, k: int) -> tuple[Index, Values]:
    """Top-k of each feature over all partners: those in `r`, and those that never fire together with it."""
    index, value = top_of_rows(r.indptr, r.indices, r.data, k)
    open_rows = ~(value[:, -1] >= _silent_best(x, y)[features]) & ~np.isnan(x.ratio[features])
    for row in np.flatnonzero(open_rows):
        together = r.indices[r.indptr[row] : r.indptr[row + 1]]
        nearest = y.by_ratio[: k + len(together)]
        silent = nearest[~np.isin(nearest, together)][:k]
        known = index[row] >= 0
        partner = np.concatenate([index[row, known], silent])
        # "0.0 -" as in the product of pairs that do fire together, so that no pair gets -0.0.
        values = np.concatenate([value[row, known], 0.0 - x.ratio[features[row]] * y.ratio[silent]])
        best = np.lexsort((partner, -values))[:k]
        index[row, : len(best)], value[row, : len(best)] = partner[best], values[best]
    return index, value


def _silent_best(x: Standardised, y: Standardised) -> Values:
    """(d_x,) the highest r a partner that never co-fires could have; NaN where undefined, -inf without partners."""
    if not len(y.by_ratio):
        return np.full(len(x.ratio), -np.inf)
    return 0.0 - x.ratio * y.ratio[y.by_ratio[0]]


def _blocks(features: NDArray, x: Standardised, y: Standardised, block_size: int) -> Iterator[NDArray]:
    """Cut features into runs whose product fits: at most `block_size` features and about PAIRS_PER_BLOCK pairs."""
    partners_per_token = np.diff(y.by_token.indptr)
    most_pairs = np.minimum(x.support @ partners_per_token, len(y.ratio))[features]
    yield from _runs(features, most_pairs, PAIRS_PER_BLOCK, block_size)


def _runs(items: NDArray, cost: NDArray, budget: int, most: int) -> Iterator[NDArray]:
    """Consecutive runs of at most `most` items, each within `budget` of summed cost unless one item exceeds it."""
    total = np.cumsum(cost, dtype=np.int64)
    start = 0
    while start < len(items):
        spent = total[start - 1] if start else 0
        stop = int(np.searchsorted(total, spent + budget, side="right"))
        stop = min(max(stop, start + 1), start + most)
        yield items[start:stop]
        start = stop


def _joint_counts(x: Standardised, y: Standardised, index: Index, pool: ThreadPoolExecutor) -> Index:
    """Tokens on which both features of each stored pair fire, counted for the stored pairs only."""
    joint = np.zeros(index.shape, dtype=np.int32)
    feature, rank = np.nonzero(index >= 0)
    partner = index[feature, rank]

    def count(pairs: NDArray) -> NDArray:
        return np.diff(x.support[feature[pairs]].multiply(y.support[partner[pairs]]).tocsr().indptr)

    cost = x.n_fired[feature] + y.n_fired[partner]
    runs = list(_runs(np.arange(len(feature)), cost, 4_000_000, len(feature)))
    for pairs, counts in zip(runs, pool.map(count, runs), strict=True):
        joint[feature[pairs], rank[pairs]] = counts
    return joint


def _median(best: Values) -> float:
    known = best[~np.isnan(best)]
    return float(np.median(known)) if len(known) else float("nan")
