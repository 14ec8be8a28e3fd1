"""Exact assignment on a sparse pool of pairs, with the dual prices that prove it optimal on that pool.

A small core of the pool (the best pairs of every row and column) is solved by the shortest augmenting paths of
Jonker & Volgenant 1987 (Computing 38:325) as SciPy has them. Pairs of the pool that its prices do not cover join the
core, until none is left. The prices are longest paths in the matched graph, found by Bellman-Ford.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import maximum_bipartite_matching, min_weight_full_bipartite_matching

from atlas.pairing.search.topk import top_of_rows

Ids = NDArray[np.int64]
Reals = NDArray[np.float64]

ValueOf = Callable[[NDArray, NDArray], Reals]
"""Gives the values of pairs from their rows and columns."""

CORE = 10
"""Best pairs of every row and of every column that the first solution sees; changes time only."""

MORE_PER_ROW = 8
"""Maximum of uncovered pairs of one row that join the core at a time; changes time only."""

CHUNK = 1_000_000
"""Pairs processed together: 8 MB an array."""

GRID_BITS = 48
"""Costs are solved to this share, 2**-48, of their range; sums of up to 32 ranges stay exact in float64."""

ROUNDING = 1e-12
"""Differences below this share of the largest absolute value are rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """A matching of rows and columns, and prices with row + column >= value on every pair of the pool."""

    column_of: Ids
    """(n,) column of each row; -1 where it stays unmatched."""
    row: Reals
    """(n,) price of each row in units of the values, >= 0 where rows may stay unmatched."""
    column: Reals
    """(m,) price of each column, >= 0 where columns may stay unmatched."""


@dataclass(slots=True, eq=False)
class Pool:
    """Pairs that may be matched, sorted by row and column, each once; `core` marks those that the solver uses.

    Values outside the core may be upper bounds. Then `exact` gives the values of pairs that join it.
    """

    shape: tuple[int, int]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: Reals
    core: NDArray[np.bool_]
    exact: ValueOf | None

    @classmethod
    def of(
        cls, shape: tuple[int, int], rows: NDArray, columns: NDArray, values: NDArray, exact: ValueOf | None = None
    ) -> Pool:
        """The pool of some pairs in any order, repeats dropped, with the best of each row and column as core."""
        key = _keys(rows, columns, shape)
        if np.all(key[1:] > key[:-1]):
            row, column = rows, columns
        else:
            key, first = np.unique(key, return_index=True)
            row, column = np.divmod(key, max(shape[1], 1))
            values = values[first]
        del key
        row, column = row.astype(np.int32, copy=False), column.astype(np.int32, copy=False)
        pool = cls(shape, row, column, values, np.zeros(len(values), dtype=bool), exact)
        pool.admit(np.flatnonzero(_best_of_both_sides(pool)))
        return pool

    def admit(self, at: NDArray) -> None:
        """Put pairs of the pool, by their index in it, into the core."""
        at = at[~self.core[at]]
        self.core[at] = True
        if self.exact is not None:
            self.values[at] = self.exact(self.rows[at], self.columns[at])

    def add(self, rows: NDArray, columns: NDArray, values: NDArray) -> None:
        """Put more pairs into the pool and into its core; known pairs keep the larger value."""
        key, first = np.unique(_keys(rows, columns, self.shape), return_index=True)
        held = _keys(self.rows, self.columns, self.shape)
        at = np.searchsorted(held, key)
        known = at < len(held)
        known[known] = held[at[known]] == key[known]
        self.admit(at[known])
        self.values[at[known]] = np.maximum(self.values[at[known]], values[first[known]])
        at, key, fresh = at[~known], key[~known], values[first[~known]]
        row, column = np.divmod(key, max(self.shape[1], 1))
        self.rows, self.columns = np.insert(self.rows, at, row), np.insert(self.columns, at, column)
        self.values, self.core = np.insert(self.values, at, fresh), np.insert(self.core, at, True)

    def values_of(self, rows: Ids, columns: Ids) -> Reals:
        held = _keys(self.rows, self.columns, self.shape)
        return self.values[np.searchsorted(held, _keys(rows, columns, self.shape))]

    def uncovered(self, prices: Prices) -> tuple[NDArray, Reals]:
        """Index of the pairs outside the core that are above their two prices, and by how much."""
        places, excess = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        for start in range(0, len(self.values), CHUNK):
            part = slice(start, start + CHUNK)
            over = self.values[part] - prices.row[self.rows[part]] - prices.column[self.columns[part]]
            over[self.core[part]] = 0.0
            found = np.flatnonzero(over > 2 * ROUNDING * self.scale)
            places.append(start + found)
            excess.append(over[found])
        return np.concatenate(places), np.concatenate(excess)

    @property
    def scale(self) -> float:
        return float(max(self.values.max(initial=0.0), -self.values.min(initial=0.0)))


def _keys(rows: NDArray, columns: NDArray, shape: tuple[int, int]) -> Ids:
    """One number for each pair, ascending by row and then column."""
    return rows.astype(np.int64) * max(shape[1], 1) + columns


def _best_of_both_sides(pool: Pool) -> NDArray[np.bool_]:
    core = np.zeros(len(pool.values), dtype=bool)
    if not len(core):
        return core
    places = np.arange(len(core), dtype=np.int32)
    best, _ = top_of_rows(np.searchsorted(pool.rows, np.arange(pool.shape[0] + 1)), places, pool.values, CORE)
    core[best[best >= 0]] = True
    indptr = np.append(0, np.cumsum(np.bincount(pool.columns, minlength=pool.shape[1])))
    places = np.argsort(pool.columns, kind="stable").astype(np.int32)
    best, _ = top_of_rows(indptr, places, pool.values[places], CORE)
    core[best[best >= 0]] = True
    return core


def optimum(pool: Pool, *, start: Prices | None = None) -> Prices:
    """The matching of all of the smaller side with the largest sum in the pool, whose core must allow one and grows.

    Prices of an earlier, smaller pool to start from change time only.
    """
    while True:
        start = _core_optimum(pool, start)
        uncovered, excess = pool.uncovered(start)
        if not len(uncovered):
            return start
        indptr = np.searchsorted(pool.rows[uncovered], np.arange(pool.shape[0] + 1))
        worst, _ = top_of_rows(indptr, uncovered, excess, MORE_PER_ROW)
        pool.admit(worst[worst >= 0])


def optimum_or_unmatched(pool: Pool, *, start: Prices | None = None) -> Prices:
    """The matching of largest sum in which features stay unmatched rather than take a pair below 0; prices are >= 0.

    That is the complete matching of a square pool in which every other pair has the value 0. Such pairs join the pool
    only where they are needed, and matched at 0 means unmatched. `start` as in `optimum`.
    """
    rng = np.random.default_rng(0)
    while True:
        start = optimum(pool, start=start)
        negative = np.flatnonzero(start.row < -2 * ROUNDING * pool.scale)
        if not len(negative):
            return Prices(start.column_of, np.maximum(start.row, 0.0), start.column)
        cheapest = np.argsort(start.column, kind="stable")
        below = np.searchsorted(start.column[cheapest], -start.row[negative])
        picks = (rng.random((len(negative), MORE_PER_ROW)) ** 2 * below[:, None]).astype(np.int64)
        picks[:, 0] = 0
        pool.add(np.repeat(negative, MORE_PER_ROW), cheapest[picks.ravel()], np.zeros(picks.size))


def complete_core(pool: Pool, value_of: ValueOf) -> None:
    """Add pairs of features that a largest matching of the core leaves unmatched: then all of the smaller side fits.

    In a square every row also gets a second pair: on rows with a single one SciPy's solver subtracts infinities and
    may never end.
    """
    n, m = pool.shape
    rng = np.random.default_rng(0)
    core = (pool.rows[pool.core], pool.columns[pool.core])
    graph = sp.csr_array((np.ones(len(core[0]), np.int8), core), shape=pool.shape)
    column_of = maximum_bipartite_matching(graph, perm_type="column")
    rows, columns = np.flatnonzero(column_of < 0), np.setdiff1d(np.arange(m), column_of)
    if len(rows) and len(columns):
        few, many = min(len(rows), len(columns)), max(len(rows), len(columns))
        index = np.tile(np.arange(many), 2)
        row, column = rows[index % len(rows)], columns[rng.permutation(index) % len(columns)]
        row, column = np.append(row, rows[:few]), np.append(column, columns[:few])
        pool.add(row, column, value_of(row, column))
    single = np.flatnonzero(np.bincount(pool.rows[pool.core], minlength=n) < 2)
    if n == m and len(single):
        row, column = np.tile(single, 2), np.append(single + 1, single + 2) % m
        pool.add(row, column, value_of(row, column))


def _core_optimum(pool: Pool, start: Prices | None) -> Prices:
    """The optimum of the core, with the smaller side as rows, as every one of them gets a partner."""
    n, m = pool.shape
    rows, columns = pool.rows[pool.core].astype(np.int64), pool.columns[pool.core].astype(np.int64)
    values = pool.values[pool.core]
    cost = -values
    if n == m and start is not None:
        # Prices change the sum of every complete matching by the same amount; good ones leave almost no path to search.
        cost += start.row[rows] + start.column[columns]
    if n <= m:
        partner = _least_cost(n, m, rows, columns, cost)
        column, row = _prices(m, rows, columns, values, partner, pool.scale)
        return Prices(partner, row, column)
    order = np.argsort(columns, kind="stable")
    rows, columns, values, cost = rows[order], columns[order], values[order], cost[order]
    partner = _least_cost(m, n, columns, rows, cost)
    row, column = _prices(n, columns, rows, values, partner, pool.scale)
    column_of = np.full(n, -1, dtype=np.int64)
    column_of[partner] = np.arange(m)
    return Prices(column_of, row, column)


def _least_cost(n: int, width: int, rows: Ids, columns: Ids, cost: Reals) -> Ids:
    """(n,) column of each row in the complete matching of minimum cost; the graph must allow one.

    Costs become whole numbers below 2**GRID_BITS: the solver then never rounds. On floats it may never end, when it
    lowers a price by less than the last bit of the price. The error of the sum is at most n of these steps.
    """
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    span = (cost.max() - cost.min()) or 1.0
    # From 1 up, as the solver takes a cost of 0 for a missing pair.
    whole = np.rint((cost - cost.min()) / span * 2.0**GRID_BITS) + 1
    row, column = min_weight_full_bipartite_matching(sp.csr_array((whole, (rows, columns)), shape=(n, width)))
    partner = np.empty(n, dtype=np.int64)
    partner[row] = column
    return partner


def _prices(width: int, rows: Ids, columns: Ids, values: Reals, partner: Ids, scale: float) -> tuple[Reals, Reals]:
    """Minimum column prices >= 0, and row prices, that make `partner` optimal; the price of unmatched columns is 0.

    A column must cost at least what any row would gain by moving to it from its own: price(j) >= price(partner(i)) +
    value(i, j) - value(i, partner(i)). Only rows whose column price rose are processed again.
    """
    n = len(partner)
    indptr = np.searchsorted(rows, np.arange(n + 1))
    own = np.empty(n)
    mine = partner[rows] == columns
    own[rows[mine]] = values[mine]
    gain = values - own[rows]
    owner = np.full(width, -1, dtype=np.int64)
    owner[partner] = np.arange(n)
    price = np.zeros(width)
    active = np.arange(n)
    for _ in range(n + 1):
        length = indptr[active + 1] - indptr[active]
        edges = np.repeat(indptr[active] - np.cumsum(length) + length, length) + np.arange(length.sum())
        raised = price.copy()
        np.maximum.at(raised, columns[edges], price[partner[rows[edges]]] + gain[edges])
        dearer = np.flatnonzero(raised > price + ROUNDING * scale)
        if not len(dearer):
            break
        price = raised
        active = owner[dearer]
        active = active[active >= 0]
    return price, own - price[partner]
