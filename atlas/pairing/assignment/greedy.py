"""Greedy one-to-one matching: the largest value first. Quick to explain and not optimal; `assign` is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.assignment.inputs import candidates_of, source_of


def greedy(values: Any, *, min_value: float = -np.inf) -> tuple[NDArray, NDArray, NDArray]:
    """Take pairs in descending order of value, ties by lower row and then lower column, if both are still unmatched.

    The sum is at least half of the largest possible one if values are >= 0, and not the largest in general.

    Args:
        values: An (n, m) array, a SciPy sparse array whose missing entries are impossible, or `TopPairs`. All of its
            pairs are sorted, so a matrix must fit in memory.
        min_value: Pairs below are left out.

    Returns:
        Rows, ascending, their columns, and the values, each (n_pairs,).

    Raises:
        ValueError: Values that are not finite real numbers.
    """
    source = source_of(values)
    if source is not None:
        shape, value = source.shape, source.rows(0, source.shape[0]).ravel()
        row, column = np.divmod(np.arange(value.size), max(shape[1], 1))
    else:
        pairs = candidates_of(values)
        shape, row, column, value = pairs.shape, pairs.rows, pairs.columns, pairs.values
    use = value >= min_value
    row, column, value = row[use], column[use], value[use]
    order = np.lexsort((column, row, -value))
    taken = [order[:0]]
    free_row, free_column = np.ones(shape[0], dtype=bool), np.ones(shape[1], dtype=bool)
    while len(order):
        # A pair that comes first for both of its features is always taken by the greedy matching.
        first_of_row, first_of_column = (_first(side[order], n) for side, n in ((row, shape[0]), (column, shape[1])))
        now = order[first_of_row & first_of_column]
        taken.append(now)
        free_row[row[now]] = free_column[column[now]] = False
        order = order[free_row[row[order]] & free_column[column[order]]]
    pairs_taken = np.concatenate(taken)
    pairs_taken = pairs_taken[np.argsort(row[pairs_taken])]
    return row[pairs_taken], column[pairs_taken], value[pairs_taken]


def _first(ids: NDArray, n: int) -> NDArray[np.bool_]:
    """Marks of the first occurrence of each id."""
    at = np.full(n, len(ids))
    np.minimum.at(at, ids, np.arange(len(ids)))
    marks = np.zeros(len(ids), dtype=bool)
    marks[at[at < len(ids)]] = True
    return marks
