"""The pairs of a large matrix that an assignment has to see, and a bound on all others.

One pass over the matrix picks the largest values of every row and column and keeps a bound on the others.
Prices that cover the bounds cover every pair; only rows where they do not are computed again.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.assignment.solver import Ids, Prices, Reals
from atlas.pairing.search.source import Source

WORKERS = 2
"""Blocks processed at the same time: one is multiplied while another is searched."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Some entries of the matrix."""

    rows: NDArray[np.integer]
    columns: NDArray[np.integer]
    values: Reals


@dataclass(slots=True, eq=False)
class Seen:
    """Bounds on the pairs that no scan has returned.

    Such a pair (i, j) has value <= bound[i] + prices[scan[i]][j]; where scan[i] is 0, also value <= column_bound[j].
    """

    bound: Reals
    """(n,) in units of the values; -inf where every pair of the row is known."""
    column_bound: Reals
    """(m,) in units of the values; -inf where every pair of the column is known."""
    scan: NDArray[np.int64] = field(init=False)
    """(n,) number of the scan that gave the bound of each row."""
    prices: list[Reals] = field(init=False)
    """Column prices (m,) at each scan; 0 at the first."""

    def __post_init__(self) -> None:
        self.scan = np.zeros(len(self.bound), dtype=np.int64)
        self.prices = [np.zeros(len(self.column_bound))]

    def open_rows(self, prices: Prices, tolerance: float) -> Ids:
        """Rows where an unseen pair could be above its two prices and the tolerance together."""
        if not len(self.column_bound):
            return np.zeros(0, dtype=np.int64)
        slack = np.array([np.min(prices.column - then) for then in self.prices])[self.scan]
        is_open = self.bound - prices.row > slack + tolerance
        order = np.argsort(prices.column, kind="stable")
        room = np.maximum.accumulate((self.column_bound - prices.column)[order])
        first = np.flatnonzero(is_open & (self.scan == 0))
        cheap = np.searchsorted(prices.column[order], self.bound[first] - prices.row[first] - tolerance)
        is_open[first] = (cheap > 0) & (room[np.maximum(cheap - 1, 0)] > prices.row[first] + tolerance)
        return np.flatnonzero(is_open)


def first_scan(source: Source, top: int, block_size: int) -> tuple[Pairs, Seen]:
    """Read the whole matrix once: about `top` of the largest values of every row and column, and bounds on the rest.

    The values are upper bounds, `source.error` above what its screen shows; exact where that error is 0.

    Raises:
        ValueError: A value is not finite.
    """
    n, m = source.shape
    column_bound = _column_bound(source, top)

    def best_of(ids: NDArray) -> tuple[Reals, Pairs]:
        block = _checked(source.screen(ids), ids)
        bound, keep = _largest(block, column_bound.astype(block.dtype), top)
        row, column = np.divmod(np.flatnonzero(keep), max(m, 1))
        return bound, Pairs(ids[row], column, block[row, column].astype(np.float64) + source.error)

    with ThreadPoolExecutor(WORKERS) as pool:
        parts = list(pool.map(best_of, _runs(np.arange(n), block_size)))
    bound = np.concatenate([part[0] for part in parts] or [np.zeros(0)]) + source.error
    return _joined([part[1] for part in parts]), Seen(bound, column_bound + source.error)


def rescan(source: Source, seen: Seen, rows: Ids, prices: Prices, top: int, block_size: int) -> Pairs:
    """Read some rows again, exactly: the `top` pairs of each that its prices cover least."""
    m = source.shape[1]
    top = min(top, m)
    seen.prices.append(prices.column)
    found = []
    for ids in _runs(rows, block_size):
        block = _checked(source.take(ids), ids)
        worth = block - prices.column
        best = np.argpartition(worth, m - top, axis=1)
        chosen = best[:, m - top :]
        rest = np.take_along_axis(worth, best[:, : m - top], axis=1)
        seen.bound[ids] = rest.max(axis=1, initial=-np.inf)
        seen.scan[ids] = len(seen.prices) - 1
        row, column = np.repeat(ids, top), chosen.ravel()
        values = source.at(row, column) if source.error else np.take_along_axis(block, chosen, axis=1).ravel()
        found.append(Pairs(row, column, values))
    return _joined(found)


def row_prices(source: Source, column_prices: Reals, block_size: int) -> Reals:
    """(n,) minimum price of every row that covers all its pairs, from all values, computed exactly."""
    least = np.full(source.shape[0], -np.inf)
    for ids in _runs(np.arange(source.shape[0]), block_size):
        least[ids] = (_checked(source.take(ids), ids) - column_prices).max(axis=1, initial=-np.inf)
    return least


def _column_bound(source: Source, top: int) -> Reals:
    """(m,) a value that about `top` entries of each column exceed, from every n-th row; -inf if all are kept."""
    n, m = source.shape
    if m <= 4 * top or n <= top:
        return np.full(m, -np.inf)
    ids = np.unique(np.linspace(0, n - 1, max(2, 2 * n // top)).astype(np.int64))
    sample = _checked(source.screen(ids), ids)
    return np.partition(sample, len(ids) - 2, axis=0)[len(ids) - 2].astype(np.float64)


def _largest(block: NDArray, column_bound: NDArray, top: int) -> tuple[Reals, NDArray[np.bool_]]:
    """A bound for each row that a few more than `top` - 1 entries exceed, and marks of all above a bound.

    Maxima over columns 4 `top` apart give the bound in a hundredth of the time of sorting.
    """
    n, m = block.shape
    runs = 4 * top
    if m <= runs:
        return np.full(n, -np.inf), np.ones(block.shape, dtype=bool)
    maxima = block[:, : m // runs * runs].reshape(n, -1, runs).max(axis=1)
    bound = np.partition(maxima, runs - top, axis=1)[:, runs - top]
    keep = block > bound[:, None]
    crowded = np.flatnonzero(np.count_nonzero(keep, axis=1) > 8 * top)
    if len(crowded):
        bound[crowded] = np.partition(block[crowded], m - top, axis=1)[:, m - top]
        keep[crowded] = block[crowded] > bound[crowded, None]
    keep |= block > column_bound
    return bound.astype(np.float64), keep


def _checked(block: NDArray, ids: NDArray) -> NDArray:
    if not np.isfinite(block.sum()) and not np.isfinite(block).all():
        row = ids[np.flatnonzero(~np.isfinite(block).all(axis=1))[0]]
        raise ValueError(f"row {row} holds values that are not finite; give pairs without a value 0 or leave them out")
    return block


def _runs(ids: Ids, length: int) -> Iterator[Ids]:
    for start in range(0, len(ids), length):
        yield ids[start : start + length]


def _joined(parts: list[Pairs]) -> Pairs:
    none = Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    columns = zip(*((p.rows, p.columns, p.values) for p in [none, *parts]), strict=True)
    return Pairs(*(np.concatenate(column) for column in columns))
