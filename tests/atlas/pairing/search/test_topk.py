"""Claims about keeping the k best: any order of arrival and any cut give the same answer."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from atlas.pairing.search.topk import BestSoFar, top_of_rows


def by_sorting(rows: list[list[tuple[int, float]]], k: int) -> tuple[list[list[int]], list[list[float]]]:
    """The slow way: sort each row by falling value, then rising partner."""
    best = [sorted(row, key=lambda pair: (-pair[1], pair[0]))[:k] for row in rows]
    return [[partner for partner, _ in row] for row in best], [[value for _, value in row] for row in best]


# Few distinct values, so that ties are the rule; rows both shorter and longer than 4k.
tables = st.lists(
    st.dictionaries(st.integers(0, 39), st.sampled_from([-0.5, 0.0, 0.25, 1.0]), max_size=40).map(
        lambda row: list(row.items())
    ),
    min_size=1,
    max_size=6,
)


def stored(index: np.ndarray) -> list[list[int]]:
    return [row[row >= 0].tolist() for row in index]


@given(rows=tables, k=st.integers(1, 4))
def test_the_best_of_each_row_are_those_that_sorting_gives(rows, k):
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    partner = np.array([p for row in rows for p, _ in row], dtype=np.int32)
    value = np.array([v for row in rows for _, v in row], dtype=float)
    index, top = top_of_rows(indptr, partner, value, k)
    assert (stored(index), [row[~np.isnan(row)].tolist() for row in top]) == by_sorting(rows, k)


@given(rows=tables, k=st.integers(1, 4), budget=st.integers(0, 30), size=st.integers(1, 20), seed=st.integers(0, 99))
def test_pairs_may_arrive_in_any_order_and_any_portions(rows, k, budget, size, seed):
    pairs = np.array([(r, p, v) for r, row in enumerate(rows) for p, v in row]).reshape(-1, 3)
    pairs = np.random.default_rng(seed).permutation(pairs)
    best = BestSoFar(len(rows), 40, k, budget=budget)
    for start in range(0, len(pairs), size):
        feature, partner, value = pairs[start : start + size].T
        best.absorb(feature.astype(np.int32), partner.astype(np.int32), value)
    index, top = best.finish()
    assert (stored(index), [row[~np.isnan(row)].tolist() for row in top]) == by_sorting(rows, k)


def test_a_long_row_is_ranked_as_a_dense_sort_ranks_it():
    dense = np.random.default_rng(0).normal(size=(5, 3000))
    matrix = sp.csr_array(dense)
    index, _ = top_of_rows(matrix.indptr, matrix.indices, matrix.data, 7)
    np.testing.assert_array_equal(index, np.argsort(-dense, axis=1)[:, :7])
