"""Claims about exact sparse correlation: it is corrcoef, its top-k is the true one, and the cuts do not show."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing import TopPairs, correlate_sparse
from tests.support.pairing_laws import activations, pearson, same, scans


def both_sides(top: TopPairs, r: np.ndarray):
    """The two directions as (index, value, joint, true r seen from that side)."""
    return [(top.index_ab, top.value_ab, top.joint_ab, r), (top.index_ba, top.value_ba, top.joint_ba, r.T)]


@settings(max_examples=150, deadline=None)
@given(scan=scans, top_k=st.integers(1, 12), block_size=st.integers(1, 30))
def test_every_stored_pair_is_corrcoef_and_the_top_k_is_the_true_top_k(scan, top_k, block_size):
    a, b = scan
    top = correlate_sparse(sp.csr_array(a), sp.csc_array(b), top_k=top_k, block_size=block_size, workers=1)
    for index, value, _, r in both_sides(top, pearson(a, b)):
        for feature, row in enumerate(r):
            stored = index[feature] >= 0
            best = np.sort(row[~np.isnan(row)])[::-1][:top_k]
            assert stored.sum() == len(best)
            np.testing.assert_allclose(row[index[feature, stored]], value[feature, stored], atol=1e-10)
            np.testing.assert_allclose(value[feature, : len(best)], best, atol=1e-10)
            assert len(set(index[feature, stored])) == len(best)
            assert np.isnan(value[feature, ~stored]).all()
            assert (np.abs(value[feature, stored]) <= 1).all()


@settings(max_examples=50, deadline=None)
@given(scan=scans)
def test_joint_counts_the_tokens_on_which_both_fire(scan):
    a, b = scan
    top = correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=3, workers=1)
    counts = (a > 0).T.astype(int) @ (b > 0).astype(int)
    for index, _, joint, n_ab in [
        (top.index_ab, None, top.joint_ab, counts),
        (top.index_ba, None, top.joint_ba, counts.T),
    ]:
        expected = np.where(index >= 0, np.take_along_axis(n_ab, np.maximum(index, 0), axis=1), 0)
        np.testing.assert_array_equal(joint, expected)
    np.testing.assert_array_equal(top.n_a, (a > 0).sum(axis=0))
    np.testing.assert_array_equal(top.n_b, (b > 0).sum(axis=0))
    assert top.n_tokens == len(a)


@settings(max_examples=50, deadline=None)
@given(scan=scans, block_size=st.integers(1, 30), workers=st.integers(1, 3))
def test_block_size_and_workers_change_no_bit(scan, block_size, workers):
    a, b = (sp.csr_array(side) for side in scan)
    whole = correlate_sparse(a, b, top_k=4, block_size=1000, workers=1)
    assert same(whole, correlate_sparse(a, b, top_k=4, block_size=block_size, workers=workers))


def test_many_small_buffers_and_threads_change_no_bit(monkeypatch):
    rng = np.random.default_rng(0)
    a, b = (sp.csr_array(activations(rng, 400, 300, 0.05)) for _ in range(2))
    whole = correlate_sparse(a, b, top_k=3, workers=1)
    monkeypatch.setattr("atlas.pairing.search.products.PAIRS_PER_BLOCK", 500)
    monkeypatch.setattr("atlas.pairing.search.topk.BestSoFar.__init__.__kwdefaults__", {"budget": 100})
    assert same(whole, correlate_sparse(a, b, top_k=3, workers=4))


@settings(max_examples=50, deadline=None)
@given(scan=scans)
def test_swapping_the_sides_swaps_the_answer_to_the_last_bit(scan):
    a, b = (sp.csr_array(side) for side in scan)
    ab, ba = correlate_sparse(a, b, top_k=5, workers=1), correlate_sparse(b, a, top_k=5, workers=1)
    swapped = TopPairs(
        ba.index_ba, ba.value_ba, ba.index_ab, ba.value_ab, ba.joint_ba, ba.joint_ab, ba.n_b, ba.n_a, ba.n_tokens
    )
    assert same(ab, swapped)


def test_long_rows_are_cut_down_before_sorting_without_losing_a_partner():
    rng = np.random.default_rng(1)
    a, b = activations(rng, 300, 40, 0.3), activations(rng, 300, 2000, 0.3)
    top = correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=3)
    for _, value, _, r in both_sides(top, pearson(a, b)):
        best = -np.sort(-np.nan_to_num(r, nan=-np.inf), axis=1)[:, :3]
        np.testing.assert_allclose(value, np.where(np.isinf(best), np.nan, best), atol=1e-10)


def test_a_small_case_by_hand():
    a = np.array([[1.0, 0], [0, 2], [0, 0], [0, 0]])
    b = np.array([[3.0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]])
    top = correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=2)
    np.testing.assert_array_equal(top.index_ab, [[0, 1], [1, 0]])
    np.testing.assert_allclose(top.value_ab, [[1.0, -1 / np.sqrt(3)], [1 / np.sqrt(3), -1 / 3]])
    np.testing.assert_array_equal(top.joint_ab, [[1, 0], [1, 0]])
    np.testing.assert_array_equal(top.index_ba, [[0, 1], [1, 0], [-1, -1]])
    assert np.isnan(top.value_ba[2]).all()


def test_dead_and_constant_features_have_no_partner_and_are_nobodys_partner():
    rng = np.random.default_rng(2)
    a, b = activations(rng, 50, 10, 0.4), activations(rng, 50, 9, 0.4)
    top = correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=9)
    for index in (top.index_ab, top.index_ba):
        assert (index[[1, 2, 3]] == -1).all()
        assert not np.isin(index, [1, 2, 3]).any()


def test_ties_go_to_the_lower_id():
    rng = np.random.default_rng(3)
    a = activations(rng, 60, 1, 0.5)
    b = np.repeat(activations(rng, 60, 1, 0.5), 6, axis=1)
    top = correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=4, block_size=2)
    assert top.index_ab.tolist() == [[0, 1, 2, 3]]
    silent = correlate_sparse(sp.csr_array([[1.0], [0], [0]]), sp.csr_array([[0.0] * 6, [2.0] * 6, [0.0] * 6]), top_k=4)
    assert silent.index_ab.tolist() == [[0, 1, 2, 3]]
    assert correlate_sparse(sp.csr_array(b), sp.csr_array(a), top_k=4, block_size=2).index_ba.tolist() == [[0, 1, 2, 3]]


def test_the_best_partner_may_be_one_that_never_fires_together():
    """r = -1/3 with the rare feature that never co-fires beats r = -1 with the one that does."""
    a = sp.csr_array([[1.0], [0.0], [0.0], [0.0]])
    b = sp.csr_array([[0.1, 0.0], [1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    top = correlate_sparse(a, b, top_k=1)
    assert (top.index_ab.item(), top.value_ab.item(), top.joint_ab.item()) == (1, pytest.approx(-1 / 3), 0)
    assert correlate_sparse(b, a, top_k=1).index_ba.item() == 1


def test_stored_zeros_and_repeated_entries_count_as_what_they_sum_to():
    rng = np.random.default_rng(4)
    a, b = activations(rng, 40, 12, 0.3), activations(rng, 40, 12, 0.3)
    a[3, 1] = 5.0
    padded = sp.csr_array(a)
    a[3, 1] = padded.data[padded.data == 5.0] = 0.0
    once = sp.coo_array(b)
    halves = sp.coo_array((np.tile(once.data / 2, 2), np.tile(once.coords, 2)), shape=b.shape)
    plain = correlate_sparse(sp.csr_array(a), sp.csr_array(b))
    assert same(plain, correlate_sparse(padded, halves.tocsr()))
    assert padded.nnz == np.count_nonzero(a) + 1, "the caller's matrix must stay as it was"


def test_float32_matrices_of_the_old_kind_give_the_same_as_float64_arrays():
    rng = np.random.default_rng(5)
    a, b = (activations(rng, 80, 20, 0.2).astype(np.float32) for _ in range(2))
    old = correlate_sparse(sp.csc_matrix(a), sp.csr_matrix(b))
    assert same(old, correlate_sparse(sp.csr_array(a.astype(float)), sp.csr_array(b.astype(float))))


def test_features_with_a_mean_far_above_their_spread_keep_their_digits():
    rng = np.random.default_rng(6)
    shared = rng.normal(size=(500, 1))
    a, b = 1e6 + shared + 0.1 * rng.normal(size=(500, 3)), 1e6 + shared + 0.1 * rng.normal(size=(500, 3))
    top = correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=3)
    true = np.take_along_axis(pearson(a - 1e6, b - 1e6), top.index_ab, axis=1)
    np.testing.assert_allclose(top.value_ab, true, atol=1e-9)


def test_a_planted_permuted_dictionary_is_found_completely_and_nothing_else_is():
    rng = np.random.default_rng(7)
    a = activations(rng, 2000, 1, 0.0) + sp.random_array((2000, 120), density=0.03, rng=rng).toarray()
    order = rng.permutation(120)
    scale = rng.uniform(0.5, 2.0, size=60)
    b = sp.random_array((2000, 120), density=0.03, rng=rng).toarray()
    b[:, order[:60]] = a[:, :60] * scale
    top = correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=1)
    np.testing.assert_array_equal(top.index_ab[:60, 0], order[:60])
    np.testing.assert_allclose(top.value_ab[:60, 0], 1.0, atol=1e-12)
    np.testing.assert_array_equal(top.index_ba[order[:60], 0], np.arange(60))
    assert top.value_ab[60:, 0].max() < 0.5
    assert top.value_ba[order[60:], 0].max() < 0.5


def test_progress_counts_features_up_to_all_of_them():
    seen: list[tuple[int, int]] = []
    a = sp.csr_array(activations(np.random.default_rng(8), 30, 10, 0.3))
    correlate_sparse(a, a, block_size=4, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 10), (8, 10), (10, 10)]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([[1.0], [0.0]], [[1.0]], "a has 2 tokens and b has 1"),
        ([[-1.0], [0.0]], [[1.0], [0.0]], "a holds negative"),
        ([[1.0], [0.0]], [[np.inf], [0.0]], "b holds values that are not finite"),
        ([[1.0], [0.0]], [[np.nan], [0.0]], "b holds values that are not finite"),
    ],
)
def test_input_that_has_no_answer_is_refused_by_name(a, b, message):
    with pytest.raises(ValueError, match=message):
        correlate_sparse(sp.csr_array(a), sp.csr_array(b))


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (5, 0)])
def test_empty_inputs_have_only_undefined_partners(shape):
    top = correlate_sparse(sp.csr_array(np.ones(shape)), sp.csr_array(np.ones((shape[0], 2))), top_k=2)
    assert top.index_ab.shape == (shape[1], 2)
    assert (top.index_ba == -1).all()
    assert np.isnan(top.value_ba).all()
