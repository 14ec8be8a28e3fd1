"""Claims about the measures over tokens: each is its dense definition, and the cuts do not show."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing import MEASURES, correlate_sparse
from atlas.pairing.measures.coactivation import coactivation
from tests.support.dense_measures import OVER_TOKENS, searched
from tests.support.pairing_laws import (
    activations,
    assert_best_of,
    assert_counts,
    pearson,
    same,
    scans,
    signed,
    without_itself,
)

correlate_attributions, masked_cosine = MEASURES["attribution"].search, MEASURES["masked_cosine"].search


@pytest.mark.parametrize("name", OVER_TOKENS)
@settings(max_examples=15, deadline=None)
@given(scan=scans, top_k=st.integers(1, 6), block_size=st.integers(1, 30))
def test_within_one_sae_no_feature_is_its_own_partner(name, scan, top_k, block_size):
    a, _ = scan
    side = sp.csr_array(a)
    top = MEASURES[name].search(side, side, top_k=top_k, block_size=block_size, workers=1, same=True)
    assert_best_of(top, without_itself(searched(name, a, a)), top_k)


@settings(max_examples=80, deadline=None)
@given(scan=scans, seed=st.integers(0, 99), top_k=st.integers(1, 12), block_size=st.integers(1, 30))
def test_signed_data_has_the_best_correlations_too(scan, seed, top_k, block_size):
    rng = np.random.default_rng(seed)
    a, b = (signed(side, rng) for side in scan)
    top = correlate_attributions(sp.csr_array(a), sp.csr_array(b), top_k=top_k, block_size=block_size, workers=2)
    assert_best_of(top, pearson(a, b), top_k)
    assert_counts(top, a, b)
    whole = correlate_attributions(sp.csr_array(a), sp.csr_array(b), top_k=top_k, workers=1)
    assert same(top, whole)


@pytest.mark.parametrize(
    ("seed", "n_tokens", "d_a", "d_b", "density", "signs", "top_k"),
    [(3, 4, 23, 17, 0.5, 4, 1), (373, 8, 10, 12, 0.02, 0, 5), (1, 2, 21, 20, 0.1, 7, 5)],
)
def test_sums_beyond_one_and_sums_that_cancel_do_not_hide_a_partner(seed, n_tokens, d_a, d_b, density, signs, top_k):
    rng = np.random.default_rng(signs)
    a, b = (
        signed(activations(np.random.default_rng([seed, side]), n_tokens, d, density), rng)
        for side, d in enumerate((d_a, d_b))
    )
    top = correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=top_k, signed=True)
    assert_best_of(top, pearson(a, b), top_k)


def test_no_correlation_is_beyond_one_by_rounding():
    for seed in range(20):
        a, b = (activations(np.random.default_rng([seed, side]), 4, 12, 0.5) for side in range(2))
        for name in ("activation", "phi"):
            top = MEASURES[name].search(sp.csr_array(a), sp.csr_array(b), top_k=12)
            assert np.nanmax(np.abs(top.value_ab)) <= 1, (name, seed)


def test_in_signed_data_opposite_means_make_the_best_partner_one_that_never_fires_together():
    a = sp.csr_array([[-1.0], [0.0], [0.0], [0.0]])
    b = sp.csr_array([[1.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, -3.0], [0.0, 1.0, 0.0]])
    top = correlate_sparse(a, b, top_k=1, signed=True)
    assert (top.index_ab.item(), top.joint_ab.item()) == (1, 0)
    assert top.value_ab.item() > 0.3


@pytest.mark.parametrize("name", ["phi", "jaccard", "lift", "conditional"])
def test_equal_partners_go_to_the_lower_id(name):
    a = sp.csr_array([[1.0], [2.0], [0.0], [0.0]])
    b = sp.csr_array(np.repeat([[1.0], [0.0], [3.0], [0.0]], 7, axis=1))
    top = coactivation(a, b, kind=name, top_k=4, block_size=1)
    assert top.index_ab.tolist() == [[0, 1, 2, 3]]
    assert coactivation(b, a, kind=name, top_k=4, block_size=2).index_ba.tolist() == [[0, 1, 2, 3]]


def test_a_feature_that_fires_on_a_part_of_anothers_tokens_has_masked_cosine_one():
    rng = np.random.default_rng(1)
    whole = rng.exponential(size=(500, 1)) * (rng.random((500, 1)) < 0.3)
    part = whole * (np.arange(500)[:, None] % 3 == 0)
    assert masked_cosine(sp.csr_array(whole), sp.csr_array(part)).median_best == pytest.approx((1.0, 1.0))
    assert correlate_sparse(sp.csr_array(whole), sp.csr_array(part)).median_best[0] < 0.7


@pytest.mark.parametrize("units", [1e300, 1e-300])
@pytest.mark.parametrize("name", OVER_TOKENS)
def test_the_units_of_one_side_change_nothing_however_large_or_small(name, units):
    rng = np.random.default_rng(3)
    a, b = (activations(rng, 60, 12, 0.2) for _ in range(2))
    moved = sp.csr_array(a * units)
    top = MEASURES[name].search(moved, sp.csr_array(b), top_k=4)
    assert_best_of(top, searched(name, a, b), 4)
    assert_counts(top, a, b)
    i, j = (grid.ravel() for grid in np.indices((12, 12)))
    at = MEASURES[name].at(moved, sp.csr_array(b), i, j)
    np.testing.assert_allclose(at, MEASURES[name].at(sp.csr_array(a), sp.csr_array(b), i, j), atol=1e-12)


def test_features_of_far_apart_units_stand_beside_each_other():
    rng = np.random.default_rng(4)
    a, b = (activations(rng, 60, 6, 0.3) for _ in range(2))
    moved = sp.csr_array(a * 10.0 ** np.array([300, -300, 0, 120, -120, 5]))
    for name in ("activation", "masked_cosine"):
        assert_best_of(MEASURES[name].search(moved, sp.csr_array(b), top_k=3), searched(name, a, b), 3)


def test_one_feature_whose_activations_are_too_far_apart_is_refused_where_squares_would_vanish():
    a, b = sp.csr_array([[1.0], [1e-170], [0.0]]), sp.csr_array([[0.0], [1.0], [0.0]])
    with pytest.raises(ValueError, match="b holds a feature whose activations are more than 1e140 times apart"):
        masked_cosine(b, a)
    assert correlate_sparse(a, b).value_ab[0, 0] == pytest.approx(-0.5)


def test_many_pairs_and_small_buffers_change_no_bit(monkeypatch):
    rng = np.random.default_rng(2)
    a, b = (sp.random_array((500, 300), density=0.05, rng=rng).tocsr() for _ in range(2))
    whole = {name: MEASURES[name].search(a, b, top_k=3, workers=1) for name in OVER_TOKENS}
    monkeypatch.setattr("atlas.pairing.search.products.PAIRS_PER_BLOCK", 500)
    monkeypatch.setattr("atlas.pairing.search.topk.BestSoFar.__init__.__kwdefaults__", {"budget": 100})
    for name, top in whole.items():
        assert_best_of(top, searched(name, a.toarray(), b.toarray()), 3)
        assert same(top, MEASURES[name].search(a, b, top_k=3, workers=4)), name


def test_an_unknown_kind_names_the_known_ones():
    with pytest.raises(ValueError, match="known: phi, jaccard, lift, conditional"):
        coactivation(sp.csr_array([[1.0]]), sp.csr_array([[1.0]]), kind="pmi")  # pyright: ignore[reportArgumentType]
