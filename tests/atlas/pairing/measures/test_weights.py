"""Claims about the measures on weights: each is its dense definition, and no vocabulary or token is needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing import MEASURES
from atlas.pairing.measures.weights import cosine_chance, gram
from atlas.pairing.search.inner import best_inner
from tests.support.dense_measures import cosines, directions
from tests.support.pairing_laws import assert_best_of, pearson, without_itself

cosine, preactivation, logit = (MEASURES[name].search for name in ("decoder", "preactivation", "logit"))

dictionaries = st.builds(
    lambda seed, n_a, n_b, d: tuple(directions(np.random.default_rng([seed, n]), n, d) for n in (n_a, n_b)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 12),
)


@settings(max_examples=30, deadline=None)
@given(sides=dictionaries, top_k=st.integers(1, 12), block_size=st.integers(1, 70))
def test_within_one_dictionary_no_feature_is_its_own_neighbour(sides, top_k, block_size):
    a, _ = sides
    top = cosine(a, a, top_k=top_k, block_size=block_size, same=True)
    assert_best_of(top, without_itself(cosines(a, a)), top_k)


def test_preactivation_keeps_its_digits_where_one_direction_of_the_residual_dwarfs_the_rest():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 16)) * np.where(np.arange(16) == 3, 3000.0, 1.0)
    a, b = rng.normal(size=(70, 16)), rng.normal(size=(80, 16))
    a[:35, 3] = b[:40, 3] = 0.0
    top = preactivation(a, b, np.cov(x, rowvar=False), top_k=6, block_size=13)
    assert_best_of(top, pearson(x @ a.T, x @ b.T), 6, atol=1e-8)


@pytest.mark.parametrize("vocabulary", [40, 300])
def test_logit_is_the_correlation_over_the_vocabulary_within_and_between_models(vocabulary):
    rng = np.random.default_rng(vocabulary)
    u, v = rng.normal(size=(vocabulary, 12)) + 2.0, rng.normal(size=(vocabulary, 9))
    v[:, :5] += u[:, :5]
    a, b, c = directions(rng, 90, 12), directions(rng, 70, 12), directions(rng, 50, 9)
    one = logit(a, b, gram(u, block_size=7), top_k=4, block_size=16)
    assert_best_of(one, pearson(u @ a.T, u @ b.T), 4)
    two = logit(a, c, gram(u), gram(v), gram(u, v), top_k=4)
    assert_best_of(two, pearson(u @ a.T, v @ c.T), 4)


def test_the_gram_of_a_vocabulary_is_that_of_its_centred_rows_whatever_the_cut():
    rng = np.random.default_rng(3)
    u = rng.normal(size=(100, 6)).astype(np.float32) + 50
    exact = u.astype(float) - u.astype(float).mean(axis=0)
    for block_size in (1, 7, 1000):
        np.testing.assert_allclose(gram(u, block_size=block_size), exact.T @ exact, rtol=1e-9, atol=1e-9)


def test_features_too_alike_for_single_precision_are_told_apart():
    rng = np.random.default_rng(4)
    base = rng.normal(size=64)
    b = base + 3e-5 * rng.normal(size=(300, 64))
    top = cosine(base[None], b, top_k=5)
    exact = np.array([np.dot(base, row) / np.linalg.norm(base) / np.linalg.norm(row) for row in b])
    gaps = np.sort(exact)[::-1][:6]
    assert len(set(np.float32(gaps))) == 1, "the case must need double precision"
    np.testing.assert_array_equal(top.index_ab[0], np.argsort(-exact, kind="stable")[:5])


def test_equal_neighbours_go_to_the_lower_id_whatever_the_block():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(33, 21)), np.repeat(rng.normal(size=(5, 21)), 60, axis=0)
    for block_size in (1, 5, 33):
        top = cosine(a, b, top_k=3, block_size=block_size)
        assert (top.index_ab % 60 == [0, 1, 2]).all()
        back = cosine(b, a, top_k=3, block_size=block_size)
        assert (back.index_ba % 60 == [0, 1, 2]).all()


def test_the_chance_level_is_about_the_best_cosine_of_random_dictionaries():
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(2, 2000, 64))
    assert cosine(a, b).median_best[0] == pytest.approx(cosine_chance(2000, 64), abs=0.08)
    assert cosine_chance(32768, 768) == pytest.approx(0.1645, abs=1e-3)
    assert cosine_chance(256, 64) == pytest.approx(0.416, abs=1e-3)
    assert cosine_chance(10**6, 4) == 1.0


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="no inner product"):
        cosine(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="do not fit"):
        preactivation(np.ones((2, 3)), np.ones((2, 3)), np.eye(4))
    with pytest.raises(ValueError, match="must be the same"):
        gram(np.ones((5, 2)), np.ones((6, 2)))
    with pytest.raises(ValueError, match="finite"):
        cosine(np.array([[np.nan, 1.0]]), np.ones((1, 2)))
    with pytest.raises(ValueError, match="at least 1"):
        best_inner(np.ones((1, 1)), np.ones((1, 1)), top_k=0)


@pytest.mark.parametrize("shape", [(0, 3), (4, 3)])
def test_dead_and_missing_features_have_no_neighbour(shape):
    top = cosine(np.zeros(shape), np.ones((2, 3)), top_k=2)
    assert top.index_ab.shape == (shape[0], 2)
    assert (top.index_ab == -1).all()
    assert (top.index_ba == -1).all()
