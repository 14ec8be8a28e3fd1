"""Claims about the assignment: SciPy's total, a proof that holds for the true optimum only, and cuts that do not show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from atlas.pairing import MEASURES, correlate_sparse
from atlas.pairing.assignment.assign import assign, certify
from atlas.pairing.assignment.greedy import greedy
from atlas.pairing.assignment.inputs import FunctionSource
from atlas.pairing.measures.activation import CorrelationSource


def best_total(values: np.ndarray) -> float:
    """SciPy's total on the full matrix."""
    return float(values[linear_sum_assignment(values, maximize=True)].sum())


def matrix(seed: int, n: int, m: int, kind: str) -> np.ndarray:
    """Dense, sparse, tied, negative, duplicated or dead entries."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, m))
    if kind == "sparse":
        x = np.abs(x) * (rng.random((n, m)) < 0.15)
    elif kind == "signed sparse":
        x *= rng.random((n, m)) < 0.3
    elif kind == "tied":
        x = rng.integers(-2, 3, size=(n, m)).astype(float)
    elif kind == "negative":
        x = -np.abs(x) - 1
    elif kind == "duplicates":
        x = x[rng.integers(0, max(n // 4, 1), size=n)][:, rng.integers(0, max(m // 4, 1), size=m)]
    elif kind == "dead":
        x[rng.random(n) < 0.4] = 0.0
        x[:, rng.random(m) < 0.4] = 0.0
    elif kind == "tiny":
        x *= 1e-12
    elif kind == "huge":
        x = 1e9 + 1e3 * x
    return x


KINDS = ["dense", "sparse", "signed sparse", "tied", "negative", "duplicates", "dead", "tiny", "huge"]
matrices = st.builds(matrix, st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 40), st.sampled_from(KINDS))


def check(got, values: np.ndarray, total: float) -> None:
    """One-to-one pairs with their values, the total expected, and prices that prove it (checked here by hand)."""
    assert len(set(got.rows)) == len(got.rows) == len(set(got.cols))
    assert (np.diff(got.rows) > 0).all()
    scale = np.abs(values).max(initial=1e-300)
    np.testing.assert_allclose(got.values, values[got.rows, got.cols], atol=1e-12 * scale)
    assert got.total == pytest.approx(total, abs=1e-11 * scale * max(len(got.rows), 1))
    assert got.certified
    assert 0 <= got.gap <= 1e-9 * (np.abs(got.row_prices).sum() + np.abs(got.col_prices).sum())
    assert (got.row_prices[:, None] + got.col_prices >= values - 1e-11 * scale).all()


@settings(max_examples=300, deadline=None)
@given(values=matrices, top=st.integers(1, 6), block_size=st.integers(1, 50))
def test_the_total_is_that_of_the_full_matrix_whatever_is_kept_of_it_at_first(values, top, block_size):
    got = assign(values, top=top, block_size=block_size)
    assert len(got.rows) == min(values.shape)
    check(got, values, best_total(values))
    assert certify(values, got, block_size=block_size)[0]


@settings(max_examples=200, deadline=None)
@given(values=matrices, top=st.integers(1, 6))
def test_features_that_may_stay_unmatched_are_never_matched_below_zero(values, top):
    got = assign(values, top=top, alone=True)
    assert (got.values > 0).all()
    check(got, values, best_total(np.maximum(values, 0)))
    assert certify(values, got)[0]
    assert min(got.row_prices.min(initial=0), got.col_prices.min(initial=0)) >= 0


@settings(max_examples=200, deadline=None)
@given(values=matrices)
def test_missing_entries_of_a_sparse_array_are_impossible_or_worth_zero(values):
    for kind in (sp.csr_array, sp.coo_matrix, sp.csc_array):
        free = assign(kind(values))
        check(free, values, best_total(np.maximum(values, 0)))
        assert (values[free.rows, free.cols] > 0).all()
        full = assign(kind(values), missing="zero")
        assert len(full.rows) == min(values.shape)
        check(full, values, best_total(values))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30), m=st.integers(1, 30), top=st.integers(1, 4))
def test_cosines_sought_in_float32_are_assigned_in_float64(seed, n, m, top):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 5)).astype(np.float32), rng.normal(size=(m, 5)).astype(np.float32)
    x[rng.random(n) < 0.2] = 0.0
    y[: min(n, m) // 2] = x[: min(n, m) // 2] * 3
    unit = [s.astype(float) / np.maximum(np.linalg.norm(s.astype(float), axis=1, keepdims=True), 1e-30) for s in (x, y)]
    values, source = unit[0] @ unit[1].T, MEASURES["decoder"].rows(x, y)
    assert np.abs(source.screen(np.arange(n)) - values).max() <= source.error
    np.testing.assert_allclose(source.rows(0, n), values, atol=1e-14)
    check(assign(source, top=top, block_size=7), values, best_total(values))
    check(assign(source, top=top, alone=True), values, best_total(np.maximum(values, 0)))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), top=st.integers(1, 5), top_k=st.integers(1, 25))
def test_correlations_are_assigned_from_the_scans_or_from_top_pairs_with_a_true_bound(seed, top, top_k):
    rng = np.random.default_rng(seed)
    a, b = (rng.exponential(size=(60, d)) * (rng.random((60, d)) < 0.15) for d in (20, 25))
    a[:, 3], b[:, 10:15] = 0.0, a[:, 10:15]
    with np.errstate(all="ignore"):
        r = np.nan_to_num(np.corrcoef(a, b, rowvar=False)[:20, 20:])
    check(assign(CorrelationSource(sp.csr_array(a), sp.csr_array(b)), top=top), r, best_total(r))
    got, best = assign(correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=top_k)), best_total(np.maximum(r, 0))
    np.testing.assert_allclose(got.values, r[got.rows, got.cols], atol=1e-12)
    assert got.total <= best + 1e-9
    assert best <= got.total + got.gap + 1e-9
    assert not got.certified or got.total == pytest.approx(best)
    assert got.certified or top_k < 25


def test_top_pairs_that_leave_a_better_matching_out_are_not_certified():
    rng = np.random.default_rng(0)
    a, b = (sp.random_array((300, 60), density=0.1, rng=rng) for _ in range(2))
    got = assign(correlate_sparse(a, b, top_k=1))
    assert not got.certified
    assert got.gap > 0.1
    assert assign(correlate_sparse(a, b, top_k=60)).certified


@settings(max_examples=100, deadline=None)
@given(values=matrices.filter(lambda v: min(v.shape) > 0), data=st.data())
def test_tampered_prices_and_pairs_lose_the_certificate(values, data):
    got = assign(values)
    scale = 1e-3 * np.abs(np.append(values.ravel(), [1e-300])).max()
    at = data.draw(st.integers(0, values.shape[0] - 1))
    for change in (-scale, scale):
        wrong = got.row_prices.copy()
        wrong[at] += change
        assert not certify(values, replace(got, row_prices=wrong))[0] or (change > 0 and not scale)
    if len(got.rows) >= 2:
        swapped = got.cols.copy()
        swapped[[0, 1]] = swapped[[1, 0]]
        loss = got.total - values[got.rows, swapped].sum()
        holds, gap = certify(values, replace(got, cols=swapped))
        assert gap >= loss * (1 - 1e-9) - 1e-9 * scale
        assert holds == (loss <= 1e-9 * (np.abs(got.row_prices).sum() + np.abs(got.col_prices).sum()))
    assert not certify(values, replace(got, rows=got.rows[1:], cols=got.cols[1:]))[0]


@settings(max_examples=50, deadline=None)
@given(values=matrices, top=st.integers(1, 6), block_size=st.integers(1, 50), alone=st.booleans())
def test_a_function_that_gives_rows_is_the_same_as_the_array_and_the_block_size_changes_no_bit(
    values, top, block_size, alone
):
    whole = assign(values, top=top, block_size=1000, alone=alone)
    cut = assign(FunctionSource(lambda i, j: values[i:j], values.shape), top=top, block_size=block_size, alone=alone)
    for name in ("rows", "cols", "values", "row_prices", "col_prices"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(cut, name))
    assert (whole.certified, whole.gap) == (cut.certified, cut.gap)


class Negated:
    """A source of one's own: nothing but a shape and rows."""

    shape = (3, 4)

    def rows(self, start: int, stop: int) -> np.ndarray:
        return -np.arange(12.0).reshape(3, 4)[start:stop]


def test_any_object_with_a_shape_and_rows_is_a_source():
    assert assign(Negated()).total == best_total(-np.arange(12.0).reshape(3, 4))


def test_planted_pairs_among_random_directions_are_found_in_the_wide_case_that_reads_rows_again():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(700, 24))
    y = rng.normal(size=(900, 24))
    order = rng.permutation(900)[:350]
    y[order] = x[:350] + 0.05 * rng.normal(size=(350, 24))
    source = MEASURES["decoder"].rows(x, y)
    got = assign(source, top=2)
    np.testing.assert_array_equal(got.cols[:350], order)
    check(got, source.rows(0, 700), best_total(source.rows(0, 700)))
    assert certify(source, got)[0]


def test_a_case_by_hand():
    values = np.array([[3.0, 2.9, 0.0], [2.9, 1.0, -5.0]])
    got = assign(values)
    assert (got.rows.tolist(), got.cols.tolist(), got.total) == ([0, 1], [1, 0], pytest.approx(5.8))
    rows, cols, taken = greedy(values)
    assert (rows.tolist(), cols.tolist(), taken.tolist()) == ([0, 1], [0, 1], [3.0, 1.0])


@settings(max_examples=150, deadline=None)
@given(values=matrices, floor=st.sampled_from([-np.inf, 0.0, 0.5]))
def test_greedy_takes_the_largest_value_first_and_ties_by_lower_ids(values, floor):
    order = sorted(np.ndindex(*values.shape), key=lambda p: (-values[p], p))
    rows, cols, expected = set(), set(), []
    for i, j in order:
        if i not in rows and j not in cols and values[i, j] >= floor:
            rows.add(i)
            cols.add(j)
            expected.append((i, j))
    got = greedy(values, min_value=floor)
    assert list(zip(got[0], got[1], strict=True)) == sorted(expected)
    np.testing.assert_array_equal(got[2], values[got[0], got[1]])
    stored = greedy(sp.csr_array(values), min_value=floor)
    assert (values[stored[0], stored[1]] != 0).all()
    assert stored[2][stored[2] > 0].sum() == pytest.approx(got[2][got[2] > 0].sum())


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, lambda v: FunctionSource(lambda i, j: v[i:j], v.shape)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(form, bad):
    values = np.ones((4, 5))
    values[2, 3] = bad
    with pytest.raises(ValueError, match=r"value \(2, 3\)|row 2 holds values that are not finite"):
        assign(form(values))


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones(3), {}, "they must be a matrix"),
        (np.array([["a"]]), {}, "real numbers"),
        (np.ones((2, 2)) * 1j, {}, "real numbers"),
        (sp.csr_array(np.eye(2)), {"missing": "nan"}, "missing must be"),
        (sp.csr_array(np.eye(2)), {"alone": False}, "needs a value for every pair"),
        (np.ones((2, 2)), {"top": 0}, "at least 1"),
        (FunctionSource(lambda i, j: np.ones((1, 3)), (2, 2)), {}, "they must have"),
    ],
)
def test_input_that_has_no_answer_is_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        assign(values, **options)


def test_costs_that_differ_in_their_last_bits_only_end():
    rng = np.random.default_rng(5)
    values = 1.0 + np.spacing(1.0) * rng.integers(-4, 5, size=(60, 60))
    got = assign(values, top=2)
    assert got.certified
    assert got.total == pytest.approx(best_total(values), rel=1e-14)


def test_rows_with_a_single_pair_do_not_hold_the_solver_up():
    """Found by hypothesis: SciPy's sparse solver never came back from this one."""
    values = matrix(100249, 22, 30, "huge")
    check(assign(values, top=2, alone=True), values, best_total(values))
