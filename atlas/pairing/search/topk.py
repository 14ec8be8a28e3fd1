"""The k best partners of every feature, picked from sparse rows or from a stream of pairs.

Order is the same everywhere: higher value first, then lower partner id. So the result does not depend on how the
pairs were divided into blocks, nor on the order in which blocks arrive.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Index = NDArray[np.int32]
Values = NDArray[np.float64]


def top_of_rows(indptr: NDArray, partner: NDArray, value: NDArray, k: int) -> tuple[Index, Values]:
    """The k best entries of each row of a CSR matrix, as (rows, k) partners and values; -1 and NaN fill short rows."""
    kept = np.flatnonzero(value >= np.repeat(floors_of_rows(indptr, value, k), np.diff(indptr)))
    starts = np.searchsorted(kept, indptr)
    lengths = np.diff(starts)
    partner, value = partner[kept], value[kept]
    index, top = empty_top(len(lengths), k)
    # Rows of similar length are sorted together: an order of magnitude faster than one sort of all entries.
    for rows in _of_like_length(lengths):
        width = int(lengths[rows].max())
        at = starts[rows, None] + np.arange(width)
        missing = np.arange(width) >= lengths[rows, None]
        at[missing] = 0
        falling = np.where(missing, np.inf, -value[at])
        best = np.lexsort((partner[at], falling, missing), axis=-1)[:, :k]
        found = ~np.take_along_axis(missing, best, axis=1)
        chosen = np.take_along_axis(at, best, axis=1)
        index[rows, : best.shape[1]] = np.where(found, partner[chosen], -1)
        top[rows, : best.shape[1]] = np.where(found, value[chosen], np.nan)
    return index, top


def kth_of_rows(indptr: NDArray, value: NDArray, k: int) -> Values:
    """The k-th largest entry of each row of a CSR matrix; -inf for rows with fewer."""
    lengths = np.diff(indptr)
    kth = np.full(len(lengths), -np.inf)
    for rows in _of_like_length(np.where(lengths < k, 0, lengths)):
        width = int(lengths[rows].max())
        at = indptr[rows, None].astype(np.int64) + np.arange(width)
        missing = np.arange(width) >= lengths[rows, None]
        at[missing] = 0
        entries = np.where(missing, -np.inf, value[at])
        kth[rows] = np.partition(entries, width - k, axis=1)[:, width - k]
    return kth


def _of_like_length(lengths: NDArray) -> Iterator[NDArray]:
    """Rows that are not empty, in groups whose longest is at most twice as long as the shortest, 16 at least."""
    group = np.ceil(np.log2(np.maximum(lengths, 16))).astype(np.int64)
    group[lengths == 0] = -1
    for size in np.unique(group[group >= 0]):
        rows = np.flatnonzero(group == size)
        yield from np.array_split(rows, max(1, len(rows) * 2**size >> 20))


def empty_top(n_rows: int, k: int) -> tuple[Index, Values]:
    """The result for rows without a partner: (n_rows, k) of -1 and NaN."""
    return np.full((n_rows, k), -1, dtype=np.int32), np.full((n_rows, k), np.nan)


def floors_of_rows(indptr: NDArray, value: NDArray, k: int) -> Values:
    """For each row a value that at least k of its entries reach; -inf for short rows.

    A row is divided into 4k runs, and the k-th largest of their maxima is such a value. It leaves a few more than k
    entries a row to sort, where a co-firing row holds hundreds or thousands (30x faster than sorting them all).
    """
    n_runs = 4 * k
    start, lengths = indptr[:-1].astype(np.int64), np.diff(indptr)
    floors = np.full(len(start), -np.inf)
    long = lengths >= n_runs
    if long.any():
        cuts = start[:, None] + lengths[:, None].astype(np.int64) * np.arange(n_runs) // n_runs
        # Empty rows at the end point past the last entry; clipping can only lower a floor, which stays valid.
        maxima = np.maximum.reduceat(value, np.minimum(cuts, len(value) - 1).ravel()).reshape(-1, n_runs)
        floors[long] = np.partition(maxima[long], n_runs - k, axis=1)[:, n_runs - k]
    return floors


class BestSoFar:
    """The k best partners of each of n features, from pairs that arrive in any order and from any thread.

    Holds the (n, k) result so far and a buffer of newer pairs that may still enter it, at most `budget` pairs
    beyond the block that fills it.
    """

    def __init__(self, n: int, n_partners: int, k: int, *, budget: int = 1_000_000) -> None:
        self._shape, self._k, self._budget = (n, n_partners), k, budget
        self._index, self._value = empty_top(n, k)
        self._floor = np.full(n, -np.inf)
        self._buffer: list[tuple[NDArray, NDArray, NDArray]] = []
        self._lock = threading.Lock()

    @property
    def floor(self) -> Values:
        """(n,) values that a pair must reach to enter, as far as known: pairs below may be left out."""
        return self._floor

    def absorb(self, feature: NDArray, partner: NDArray, value: NDArray) -> None:
        """Add pairs, each pair at most once over the life of this object."""
        # An older floor can only be lower than the newest one: it admits more pairs, never fewer.
        enters = np.flatnonzero(value >= self._floor[feature])
        with self._lock:
            self._buffer.append((feature[enters], partner[enters], value[enters]))
            if sum(len(block[2]) for block in self._buffer) > self._budget:
                self._settle()

    def finish(self) -> tuple[Index, Values]:
        with self._lock:
            self._settle()
        return self._index, self._value

    def _settle(self) -> None:
        feature, rank = np.nonzero(self._index >= 0)
        self._buffer.append((feature.astype(np.int32), self._index[feature, rank], self._value[feature, rank]))
        features, partners, values = (np.concatenate(part) for part in zip(*self._buffer, strict=True))
        by_feature = sp.csr_array((values, (features, partners)), shape=self._shape)
        self._index, self._value = top_of_rows(by_feature.indptr, by_feature.indices, by_feature.data, self._k)
        self._floor = np.nan_to_num(self._value[:, -1], nan=-np.inf)
        self._buffer = []


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
