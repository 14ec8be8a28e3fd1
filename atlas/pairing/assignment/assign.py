"""The optimal one-to-one assignment of features: the pairs with the largest possible sum of values, with a proof.

The problem is the linear assignment of Kuhn 1955 (the Hungarian method), solved on the pairs that can matter instead
of the full matrix. Every matching is at most the sum of any prices with row + column >= value on all pairs; the
prices found here reach the sum of the matching itself, so it is optimal. A large matrix is read in blocks.

It does not say how close the second-best matching is. With ties, any of the optimal matchings may be returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.assignment.inputs import Candidates, SparseSource, candidates_of, source_of
from atlas.pairing.assignment.scan import Pairs, Seen, first_scan, rescan, row_prices
from atlas.pairing.assignment.solver import CHUNK, Pool, Prices, complete_core, optimum, optimum_or_unmatched
from atlas.pairing.search.source import Source

TOLERANCE = 1e-9
"""A matching is certified if no other can be better by more than this share of the sum of all absolute prices."""

SLACK = 4e-12
"""Prices count as covering a pair up to this share of the largest absolute value; `gap` includes it."""

MAX_SCANS = 100
"""Maximum number of partial passes over a matrix; without a certificate after these, there is none. Usually two."""


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """One-to-one pairs of features with the largest sum of values. Pairs are sorted by row."""

    rows: NDArray[np.int64]
    """(n_pairs,) row features, ascending, each at most once."""
    cols: NDArray[np.int64]
    """(n_pairs,) column feature of each pair, each at most once."""
    values: NDArray[np.float64]
    """(n_pairs,) value of each pair, in units of the input."""
    certified: bool
    """Whether all pairs of the problem were checked against the prices and `gap` is within the tolerance."""
    gap: float
    """No matching has a sum above `total + gap`; >= 0, in units of the input."""
    row_prices: NDArray[np.float64]
    """(n,) dual price of every row feature; for each pair of the problem, row price + column price >= value."""
    col_prices: NDArray[np.float64]
    """(m,) dual price of every column feature; >= 0 where features may stay unmatched, 0 for those that do."""
    alone: bool
    """Whether features of A and B may stay unmatched; else all features of the smaller SAE are matched."""

    @property
    def total(self) -> float:
        return float(self.values.sum())


def assign(
    values: Any,
    *,
    missing: Literal["impossible", "zero"] = "impossible",
    alone: bool | None = None,
    top: int = 48,
    block_size: int = 256,
) -> Assignment:
    """Match features one to one with the largest sum of values.

    Three kinds of input:

    - An (n, m) array, or a source with `shape` and `rows(start, stop)`, such as the `rows` of a measure. All of the
      smaller side is matched, at negative values if necessary: the total is that of SciPy's `linear_sum_assignment`.
    - A SciPy sparse array. Missing entries are impossible, features may stay unmatched, and pairs with values of 0 or
      less are never matched; or with `missing="zero"` their value is 0 and the smaller side is matched, as if dense.
    - `TopPairs`. As the first sparse case, over the stored pairs; certified only if the values at the last rank
      prove that no other pair can help, and `gap` says how much it could.

    Args:
        values: The values, finite.
        missing: Meaning of a missing entry of a sparse array.
        alone: Whether features stay unmatched rather than take a pair with a value below 0. None is as above.
        top: Values of every row and column that the first pass over a matrix keeps; changes memory and time only.
        block_size: Rows of a block; changes memory and time only.

    Raises:
        ValueError: Values that are not finite, not real or not two-dimensional, or options that do not fit.
    """
    if top < 1 or block_size < 1:
        raise ValueError(f"top and block_size must be at least 1, not {top} and {block_size}")
    if missing not in ("impossible", "zero"):
        raise ValueError(f"missing must be 'impossible' or 'zero', not {missing!r}")
    source = source_of(values)
    if source is not None:
        return _from_source(source, bool(alone), top, block_size)
    candidates = candidates_of(values)
    if missing == "impossible" and alone is False:
        raise ValueError("alone=False needs a value for every pair; missing entries must be 'zero' for that")
    if missing == "impossible":
        return _from_candidates(candidates, candidates.seen)
    best = _from_candidates(candidates, None)
    if alone:
        return best
    matrix = sp.csr_array((candidates.values, (candidates.rows, candidates.columns)), shape=candidates.shape)
    return _filled(best, matrix) or _from_source(SparseSource(matrix, candidates.shape), False, top, block_size)


def certify(values: Any, assignment: Assignment, *, block_size: int = 256) -> tuple[bool, float]:
    """Check an assignment against the whole matrix, from its pairs and its prices only.

    Args:
        values: The array or source that was assigned.
        assignment: Pairs and prices, from any solver.
        block_size: Rows of a block; changes memory and time only.

    Returns:
        Whether the prices prove the pairs optimal, and how much a better matching could gain at most.
    """
    source = source_of(values)
    if source is None:
        raise ValueError(
            "certify needs an array or a source of rows; the prices of candidates do not cover other pairs"
        )
    n, m = source.shape
    rows, cols = assignment.rows, assignment.cols
    if len(np.unique(rows)) < len(rows) or len(np.unique(cols)) < len(cols):
        return False, float("inf")
    if len(rows) < min(n, m) and not assignment.alone:
        return False, float("inf")
    column = assignment.col_prices if n >= m and not assignment.alone else np.maximum(assignment.col_prices, 0.0)
    least = row_prices(source, column, block_size)
    row = np.maximum(assignment.row_prices, least if n <= m and not assignment.alone else np.maximum(least, 0.0))
    scale = max(np.abs(row).max(initial=0.0), np.abs(column).max(initial=0.0))
    covered = bool(np.all(row - assignment.row_prices <= 2 * SLACK * scale))
    gap = max(0.0, float(row.sum() + column.sum() - source.at(rows, cols).sum()))
    return covered and gap <= _tolerance(row, column), gap


def _from_source(source: Source, alone: bool, top: int, block_size: int) -> Assignment:
    """Solve on the largest values, read again the rows whose prices do not cover the bounds on the rest, repeat."""
    n, m = source.shape
    pairs, seen = first_scan(source, top, block_size)
    pool = _pool(source.shape, pairs, alone, source if source.error else None)
    complete_core(pool, _nothing if alone else source.at)
    prices, scans = None, 1
    while True:
        prices = optimum_or_unmatched(pool, start=prices) if alone else optimum(pool, start=prices)
        real = Prices(prices.column_of[:n], prices.row[:n], prices.column[:m])
        open_rows = seen.open_rows(real, SLACK * pool.scale)
        if not len(open_rows) or scans == MAX_SCANS:
            break
        found, scans = rescan(source, seen, open_rows, real, max(top // 4, 1), block_size), scans + 1
        use = found.values > 0 if alone else slice(None)
        pool.add(found.rows[use], found.columns[use], found.values[use])
    if len(open_rows):
        seen.bound, seen.scan = row_prices(source, real.column, block_size), np.ones(n, dtype=np.int64)
        seen.prices = [np.zeros(m), real.column]
    return _result(pool, real, alone, seen)


def _from_candidates(candidates: Candidates, seen: Seen | None) -> Assignment:
    """Solve on the stored pairs, with features free to stay unmatched; `seen` bounds all other pairs, None if at 0."""
    n, m = candidates.shape
    pairs = Pairs(candidates.rows, candidates.columns, candidates.values)
    pool = _pool(candidates.shape, pairs, True, None)
    complete_core(pool, _nothing)
    prices = optimum_or_unmatched(pool)
    return _result(pool, Prices(prices.column_of[:n], prices.row[:n], prices.column[:m]), True, seen)


def _pool(shape: tuple[int, int], pairs: Pairs, alone: bool, source: Source | None) -> Pool:
    """The pairs that may be matched; where features may stay unmatched, those above 0 in a square.

    The values of pairs are upper bounds where there is a source, and exact otherwise.
    """
    if not alone:
        return Pool.of(shape, pairs.rows, pairs.columns, pairs.values, source.at if source else None)
    use, side = pairs.values > 0, max(shape)
    exact = (lambda rows, columns: np.maximum(source.at(rows, columns), 0.0)) if source else None
    return Pool.of((side, side), pairs.rows[use], pairs.columns[use], pairs.values[use], exact)


def _nothing(rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
    return np.zeros(len(rows))


def _result(pool: Pool, prices: Prices, alone: bool, seen: Seen | None) -> Assignment:
    """The pairs, and prices raised until they provably cover everything: their excess over the pairs is the gap."""
    n, m = len(prices.row), len(prices.column)
    row, column = prices.row.copy(), prices.column
    for start in range(0, len(pool.values), CHUNK):
        at = np.arange(start, min(start + CHUNK, len(pool.values)))
        at = at[(pool.rows[at] < n) & (pool.columns[at] < m)]
        np.maximum.at(row, pool.rows[at], pool.values[at] - column[pool.columns[at]])
    if seen is not None and n and m:
        raised = Prices(prices.column_of, row.copy(), column)
        row[seen.open_rows(raised, 0.0)] += SLACK * pool.scale
        open_rows = seen.open_rows(raised, SLACK * pool.scale)
        slack = np.array([np.min(column - then) for then in seen.prices])[seen.scan]
        row[open_rows] = np.maximum(row, seen.bound - slack)[open_rows]
    rows = np.flatnonzero((prices.column_of >= 0) & (prices.column_of < m))
    columns = prices.column_of[rows]
    values = pool.values_of(rows, columns)
    if alone:
        taken = values > 0
        rows, columns, values = rows[taken], columns[taken], values[taken]
    gap = max(0.0, float(row.sum() + column.sum() - values.sum()))
    return Assignment(rows, columns, values, gap <= _tolerance(row, column), gap, row, column, alone)


def _tolerance(row: NDArray, column: NDArray) -> float:
    return TOLERANCE * float(np.abs(row).sum() + np.abs(column).sum())


def _filled(best: Assignment, matrix: sp.csr_array) -> Assignment | None:
    """The assignment with unmatched features paired at missing entries; None if some such pair is below 0."""
    n, m = len(best.row_prices), len(best.col_prices)
    rows, cols = np.setdiff1d(np.arange(n), best.rows), np.setdiff1d(np.arange(m), best.cols)
    few = min(len(rows), len(cols))
    for shift in range(min(max(len(rows), len(cols), 1), 64)):
        row = rows if few == len(rows) else np.roll(rows, -shift)[:few]
        col = np.roll(cols, -shift)[:few] if few == len(rows) else cols
        if few == 0 or abs(matrix[row, col]).sum() == 0:
            order = np.argsort(np.append(best.rows, row), kind="stable")
            values = np.append(best.values, np.zeros(few))[order]
            pairs = np.append(best.rows, row)[order], np.append(best.cols, col)[order], values
            return Assignment(*pairs, best.certified, best.gap, best.row_prices, best.col_prices, alone=False)
    return None
