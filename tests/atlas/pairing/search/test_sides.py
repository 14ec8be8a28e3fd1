"""Claims about what is asked of two sides: values at given pairs, and the same answers when scans are read in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing import MEASURES, shift_null
from atlas.pairing.search.blocks import Firing, RolledBlocks, SomeFeatures
from atlas.pairing.search.sides import Sides, best_partners, chance_level, joint_counts_at, values_at
from tests.support.pairing_laws import dense, pearson, scans, signed

TOKEN_MEASURES = ["activation", "phi", "jaccard", "lift", "conditional", "masked_cosine"]


class Cut:
    """A scan cut before some tokens."""

    def __init__(self, activations: np.ndarray, *cuts: int) -> None:
        self._parts = np.split(activations, sorted(cut % (len(activations) + 1) for cut in cuts))

    def blocks(self) -> Iterator[sp.csr_array]:
        return (sp.csr_array(part) for part in self._parts)


def sides_of(a: np.ndarray, b: np.ndarray) -> Sides:
    return Sides((sp.csr_array(a), sp.csr_array(b)), len(a), (a != 0).sum(axis=0), (b != 0).sum(axis=0))


def in_blocks(a: np.ndarray, b: np.ndarray, name: str = "activation", sums: int = 300) -> Sides:
    sources = Cut(a, 3, 11), Cut(b, 7)
    arguments = sources if name == "activation" else tuple(Firing(source) for source in sources)
    return Sides(arguments, len(a), (a != 0).sum(axis=0), (b != 0).sum(axis=0), sums=sums)


def every_pair(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    i, j = np.indices((a.shape[1], b.shape[1]))
    order = np.random.default_rng(0).permutation(i.size)
    return i.ravel()[order], j.ravel()[order]


def defined(name: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The full matrix of a measure: 0 where two features never fire together, NaN where there is no value."""
    value, n_a, n_b = dense(name, a, b), (a > 0).sum(axis=0)[:, None], (b > 0).sum(axis=0)
    known = {"jaccard": n_a + n_b > 0, "conditional": n_a + 0 * n_b > 0}.get(name, (n_a > 0) & (n_b > 0))
    return value if name in ("activation", "phi") else np.where(known, np.nan_to_num(value), np.nan)


@pytest.mark.parametrize("name", TOKEN_MEASURES)
@settings(max_examples=25, deadline=None)
@given(scan=scans)
def test_the_value_at_a_pair_is_that_of_the_full_matrix(name, scan):
    a, b = scan
    pairs = every_pair(a, b)
    np.testing.assert_allclose(values_at(MEASURES[name], sides_of(a, b), *pairs), defined(name, a, b)[pairs], atol=1e-6)
    both = (a > 0).T.astype(int) @ (b > 0).astype(int)
    np.testing.assert_array_equal(joint_counts_at(sides_of(a, b), *pairs), both[pairs])


@pytest.mark.parametrize("name", ["activation", "phi"])
@settings(max_examples=25, deadline=None)
@given(scan=scans, sums=st.integers(1, 5000))
def test_blocks_give_the_values_and_the_partners_that_memory_gives(name, scan, sums):
    a, b = scan
    pairs, measure = every_pair(a, b), MEASURES[name]
    whole, streamed = sides_of(a, b), in_blocks(a, b, name, sums)
    np.testing.assert_allclose(values_at(measure, streamed, *pairs), values_at(measure, whole, *pairs), atol=1e-12)
    np.testing.assert_array_equal(joint_counts_at(streamed, *pairs), joint_counts_at(whole, *pairs))
    one, other = (best_partners(measure, sides, top_k=3) for sides in (streamed, whole))
    np.testing.assert_allclose(one.value_ab, other.value_ab, atol=1e-12)
    np.testing.assert_allclose(one.value_ba, other.value_ba, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_features_with_equal_counts_stay_equal_whatever_the_blocks(seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.permuted(np.repeat([[1.0], [0.0]], [9, 51], axis=0) * np.ones(30), axis=0) for _ in range(2))
    one, other = (best_partners(MEASURES["phi"], sides, top_k=5) for sides in (in_blocks(a, b, "phi"), sides_of(a, b)))
    np.testing.assert_array_equal(one.index_ab, other.index_ab)
    np.testing.assert_array_equal(one.index_ba, other.index_ba)


@settings(max_examples=25, deadline=None)
@given(scan=scans, seed=st.integers(0, 99))
def test_attributions_have_their_values_at_pairs_too(scan, seed):
    a, b = (signed(side, np.random.default_rng([seed, n])) for n, side in enumerate(scan))
    pairs = every_pair(a, b)
    values = values_at(MEASURES["attribution"], sides_of(a, b), *pairs)
    np.testing.assert_allclose(values, pearson(a, b)[pairs], atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), d_a=st.integers(1, 20), d_b=st.integers(1, 20))
def test_measures_of_weights_have_their_values_at_pairs_too(seed, d_a, d_b):
    rng = np.random.default_rng(seed)
    a, b, x, u = (rng.normal(size=(n, 5)) for n in (d_a, d_b, 40, 30))
    a[0], x = 0.0, x @ rng.normal(size=(5, 5)) + 2.0
    pairs = every_pair(a.T, b.T)
    covariance, gram = (np.cov(side, rowvar=False, bias=True) for side in (x, u))
    expected = {
        "decoder": (
            (a, b),
            a @ b.T / np.maximum(np.linalg.norm(a, axis=1), 1e-99)[:, None] / np.linalg.norm(b, axis=1),
        ),
        "preactivation": ((a, b, covariance), pearson(x @ a.T, x @ b.T)),
        "logit": ((a, b, gram), pearson(u @ a.T, u @ b.T)),
    }
    for name, (arguments, matrix) in expected.items():
        sides = Sides(arguments, 1, np.ones(d_a), np.ones(d_b), dimension=5)
        matrix[0] = np.nan
        np.testing.assert_allclose(values_at(MEASURES[name], sides, *pairs), matrix[pairs], atol=1e-6, err_msg=name)
        assert joint_counts_at(sides, *pairs) is None


@pytest.mark.parametrize("name", [*TOKEN_MEASURES, "decoder"])
def test_the_value_at_a_found_pair_is_the_value_found(name):
    rng = np.random.default_rng(1)
    a, b = (sp.random_array((400, d), density=0.1, rng=rng).toarray() for d in (50, 40))
    sides = Sides((a.T, b.T), 1, np.ones(50), np.ones(40), dimension=400) if name == "decoder" else sides_of(a, b)
    top = best_partners(MEASURES[name], sides, top_k=5)
    feature, rank = np.nonzero(top.index_ab >= 0)
    at = values_at(MEASURES[name], sides, feature, top.index_ab[feature, rank])
    np.testing.assert_allclose(at, top.value_ab[feature, rank], atol=1e-13)


@pytest.mark.parametrize("name", ["activation", "phi"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_chance_level_in_blocks_is_that_in_memory(name, seed):
    rng = np.random.default_rng(seed)
    a, b = (sp.random_array((300, d), density=0.1, rng=rng).toarray() for d in (30, 20))
    one, other = (chance_level(MEASURES[name], sides, seed=seed) for sides in (in_blocks(a, b, name), sides_of(a, b)))
    assert (one.shift, one.n_a, one.n_b) == (other.shift, other.n_a, other.n_b)
    assert (one.best_ab, one.best_ba) == pytest.approx((other.best_ab, other.best_ba), abs=1e-12)
    null = shift_null(sp.csr_array(a > 0) if name == "phi" else sp.csr_array(a),
                      sp.csr_array(b > 0) if name == "phi" else sp.csr_array(b), seed=seed)  # fmt: skip
    assert one.best_ab == pytest.approx(null.best_ab[0], abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(n_tokens=st.integers(1, 30), shift=st.integers(-40, 40), cuts=st.lists(st.integers(0, 40), max_size=4))
def test_rolled_blocks_are_numpys_roll_of_the_token_rows(n_tokens, shift, cuts):
    x = np.random.default_rng(n_tokens).random((n_tokens, 4))
    rolled = list(RolledBlocks(SomeFeatures(Cut(x, *cuts), np.array([0, 2])), shift, n_tokens).blocks())
    np.testing.assert_array_equal(sp.vstack(rolled).toarray(), np.roll(x[:, [0, 2]], shift, axis=0))


@pytest.mark.parametrize("name", ["decoder", "preactivation", "logit"])
def test_the_chance_level_of_weights_is_that_of_random_vectors_and_leaves_out_rows_of_zeros(name):
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(400, 12)) * np.append([6.0, 4.0], np.ones(10))
    moved = {"decoder": np.eye(12), "preactivation": directions, "logit": directions}[name]
    a, b = np.ones((300, 12)), np.ones((90, 12))
    a[:20] = b[:5] = 0.0
    more = () if name == "decoder" else (np.cov(directions, rowvar=False, bias=True) * (400 if name == "logit" else 1),)
    sides = Sides((a, b, *more), 1, np.ones(300), np.ones(90), dimension=12)
    found = chance_level(MEASURES[name], sides, seed=1)
    drawn = []
    for _ in range(5):
        x, y = (moved @ rng.normal(size=(12, n)) for n in (280, 85))
        x, y = ((side - (name != "decoder") * side.mean(axis=0)) for side in (x, y))
        cosines = (x / np.linalg.norm(x, axis=0)).T @ (y / np.linalg.norm(y, axis=0))
        drawn.append([np.median(cosines.max(axis=1)), np.median(cosines.max(axis=0))])
    assert (found.best_ab, found.best_ba) == pytest.approx(np.mean(drawn, axis=0), abs=0.03)
    assert (found.shift, found.n_a, found.n_b) == (None, 280, 85)
    assert chance_level(MEASURES[name], sides, seed=1) == found != chance_level(MEASURES[name], sides, seed=2)


def test_a_chance_level_is_measured_on_a_sample_of_many_features(monkeypatch):
    monkeypatch.setattr("atlas.pairing.search.sides._SAMPLED", 50)
    a, b = np.random.default_rng(1).normal(size=(2, 200, 12))
    found = chance_level(MEASURES["decoder"], Sides((a, b), 1, np.ones(200), np.ones(200), dimension=12))
    assert (found.n_a, found.n_b) == (50, 50)
    assert found.best_ab == pytest.approx(found.best_ba, abs=0.06)


def test_where_nothing_fires_together_out_of_step_the_chance_level_of_a_share_is_zero():
    a = np.zeros((40, 3))
    a[:3] = np.eye(3)
    assert chance_level(MEASURES["jaccard"], sides_of(a, a)).best_ab == 0.0
