"""Claims about attributions and pooled documents: both are their dense definitions and stay sparse."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing import correlate_sparse
from atlas.pairing.measures.attribution import attributions
from atlas.pairing.measures.pooled import pool_documents
from atlas.pairing.search.chance import shift_null
from tests.support.pairing_laws import activations, assert_best_of, assert_counts, pearson


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_tokens=st.integers(1, 40))
def test_an_attribution_is_activation_times_logit_weight_of_the_next_token(seed, n_tokens):
    rng = np.random.default_rng(seed)
    a, decoder, unembedding = activations(rng, n_tokens, 12, 0.2), rng.normal(size=(12, 5)), rng.normal(size=(20, 5))
    next_token = rng.integers(-1, 20, size=n_tokens)
    got = attributions(sp.csc_array(a), decoder, unembedding, next_token)
    weight = (unembedding @ decoder.T)[next_token] * (next_token >= 0)[:, None]
    np.testing.assert_allclose(got.toarray(), a * weight, atol=1e-12)
    assert got.nnz == np.count_nonzero(a * weight)


def test_attributions_leave_the_activations_as_they_are_and_refuse_what_does_not_fit():
    a = sp.csr_array([[1.0, 0.0], [0.0, 2.0]], dtype=np.float32)
    decoder, unembedding = np.ones((2, 3)), np.ones((4, 3))
    attributions(a, decoder, unembedding, np.array([3, -1]))
    np.testing.assert_array_equal(a.toarray(), [[1, 0], [0, 2]])
    with pytest.raises(ValueError, match="do not fit"):
        attributions(a, decoder, unembedding, np.array([3]))
    with pytest.raises(ValueError, match="outside the vocabulary of 4"):
        attributions(a, decoder, unembedding, np.array([4, 0]))


@pytest.mark.parametrize("how", ["max", "mean"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_tokens=st.integers(1, 60), n_documents=st.integers(1, 9))
def test_pooled_documents_are_the_largest_or_the_mean_of_their_tokens(how, seed, n_tokens, n_documents):
    rng = np.random.default_rng(seed)
    a, document = activations(rng, n_tokens, 10, 0.2), rng.integers(0, n_documents, size=n_tokens)
    got = pool_documents(sp.csc_array(a), document, how=how, n_documents=n_documents)
    for d in range(n_documents):
        of_it = a[document == d]
        expected = (of_it.max(axis=0) if how == "max" else of_it.mean(axis=0)) if len(of_it) else np.zeros(10)
        np.testing.assert_allclose(got.toarray()[d], expected, atol=1e-12)


@pytest.mark.parametrize("how", ["max", "mean"])
def test_documents_are_correlated_as_tokens_are(how):
    rng = np.random.default_rng(0)
    a, b = (activations(rng, 900, 15, 0.05) for _ in range(2))
    document = np.repeat(np.arange(60), 15)
    pooled = [pool_documents(sp.csr_array(side), document, how=how) for side in (a, b)]
    top = correlate_sparse(*pooled, top_k=4)
    fold = np.max if how == "max" else np.mean
    by_hand = [fold(side.reshape(60, 15, -1), axis=1) for side in (a, b)]
    # A constant feature pooled by its mean is constant up to rounding, and has no correlation to speak of.
    r = pearson(*by_hand)
    for side, axis in ((by_hand[0], 0), (by_hand[1], 1)):
        flat = np.ptp(side, axis=0) < 1e-12 * side.max(axis=0)
        r[(flat, slice(None)) if axis == 0 else (slice(None), flat)] = np.nan
    assert_best_of(top, r, 4)
    assert_counts(top, *by_hand)
    assert top.n_tokens == 60


def test_a_constant_feature_has_no_correlation_whatever_the_lengths_of_documents():
    rng = np.random.default_rng(3)
    a = activations(rng, 500, 15, 0.1)
    document = np.sort(rng.integers(0, 37, size=500))
    pooled = pool_documents(sp.csr_array(a), document, how="mean")
    np.testing.assert_array_equal(pooled.toarray()[:, 2], 0.1)
    top = correlate_sparse(pooled, pooled, top_k=3)
    assert (top.index_ab[[1, 2, 3]] == -1).all()
    assert (top.index_ab[[0, 4, 5, 6]] >= 0).all()


def test_pooling_refuses_what_has_no_answer():
    a = sp.csr_array([[1.0], [2.0]])
    with pytest.raises(ValueError, match="2 tokens need as many"):
        pool_documents(a, np.array([0]))
    with pytest.raises(ValueError, match="between 0 and 0"):
        pool_documents(a, np.array([0, 1]), n_documents=1)
    with pytest.raises(ValueError, match="known: max, mean"):
        pool_documents(a, np.array([0, 0]), how="median")  # pyright: ignore[reportArgumentType]


def test_chance_can_be_measured_with_every_measure_over_tokens():
    from atlas.pairing import MEASURES

    rng = np.random.default_rng(1)
    a = sp.random_array((2000, 40), density=0.03, rng=rng).tocsr()
    for measure in MEASURES.values():
        if measure.needs == "activations":
            null = shift_null(a, a, n=2, measure=measure.search, n_features=20)
            best = measure.search(a, a, top_k=1).median_best[0]
            assert (null.n_a, null.n_b) == (20, 20)
            assert (null.best_ab < best / 2).all(), measure.name
            assert (null.best_ba < best / 2).all(), measure.name
