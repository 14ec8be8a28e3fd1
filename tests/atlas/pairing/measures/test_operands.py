"""Claims about a measure and what it is computed on: chance levels, and the same answers when scans are read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing.measures.operands import Operands
from atlas.pairing.search.chance import shift_null
from atlas.pairing.search.streamed import RolledBlocks, SomeFeatures
from tests.support.dense_measures import operands_of
from tests.support.pairing_laws import scans


class Cut:
    """A scan cut before some tokens."""

    def __init__(self, activations: np.ndarray, *cuts: int) -> None:
        self._parts = np.split(activations, sorted(cut % (len(activations) + 1) for cut in cuts))

    def blocks(self) -> Iterator[sp.csr_array]:
        return (sp.csr_array(part) for part in self._parts)


def in_blocks(a: np.ndarray, b: np.ndarray, name: str = "activation", sums: int = 300) -> Operands:
    whole = operands_of(name, a, b)
    assert whole.measure.in_blocks is not None
    return replace(whole, arguments=tuple(map(whole.measure.in_blocks, (Cut(a, 3, 11), Cut(b, 7)))), sums=sums)


def every_pair(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    i, j = np.indices((a.shape[1], b.shape[1]))
    order = np.random.default_rng(0).permutation(i.size)
    return i.ravel()[order], j.ravel()[order]


@pytest.mark.parametrize("name", ["activation", "phi"])
@settings(max_examples=25, deadline=None)
@given(scan=scans, sums=st.integers(1, 5000))
def test_blocks_give_the_values_and_the_partners_that_memory_gives(name, scan, sums):
    a, b = scan
    pairs = every_pair(a, b)
    whole, streamed = operands_of(name, a, b), in_blocks(a, b, name, sums)
    np.testing.assert_allclose(streamed.values_at(*pairs), whole.values_at(*pairs), atol=1e-12)
    np.testing.assert_array_equal(streamed.joint_at(*pairs), whole.joint_at(*pairs))
    one, other = (operands.best(top_k=3) for operands in (streamed, whole))
    np.testing.assert_allclose(one.value_ab, other.value_ab, atol=1e-12)
    np.testing.assert_allclose(one.value_ba, other.value_ba, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_features_with_equal_counts_stay_equal_whatever_the_blocks(seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.permuted(np.repeat([[1.0], [0.0]], [9, 51], axis=0) * np.ones(30), axis=0) for _ in range(2))
    one, other = (operands.best(top_k=5) for operands in (in_blocks(a, b, "phi"), operands_of("phi", a, b)))
    np.testing.assert_array_equal(one.index_ab, other.index_ab)
    np.testing.assert_array_equal(one.index_ba, other.index_ba)


@pytest.mark.parametrize("name", ["activation", "phi"])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_chance_level_in_blocks_is_that_in_memory(name, seed):
    rng = np.random.default_rng(seed)
    a, b = (sp.random_array((300, d), density=0.1, rng=rng).toarray() for d in (30, 20))
    one, other = (operands.chance(seed=seed) for operands in (in_blocks(a, b, name), operands_of(name, a, b)))
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
    operands = operands_of(name, a, b, *more)
    found = operands.chance(seed=1)
    drawn = []
    for _ in range(5):
        x, y = (moved @ rng.normal(size=(12, n)) for n in (280, 85))
        x, y = ((side - (name != "decoder") * side.mean(axis=0)) for side in (x, y))
        cosines = (x / np.linalg.norm(x, axis=0)).T @ (y / np.linalg.norm(y, axis=0))
        drawn.append([np.median(cosines.max(axis=1)), np.median(cosines.max(axis=0))])
    assert (found.best_ab, found.best_ba) == pytest.approx(np.mean(drawn, axis=0), abs=0.03)
    assert (found.shift, found.n_a, found.n_b) == (None, 280, 85)
    assert operands.chance(seed=1) == found != operands.chance(seed=2)


def test_a_chance_level_is_measured_on_a_sample_of_many_features(monkeypatch):
    monkeypatch.setattr("atlas.pairing.measures.operands._SAMPLED", 50)
    a, b = np.random.default_rng(1).normal(size=(2, 200, 12))
    found = operands_of("decoder", a, b).chance()
    assert (found.n_a, found.n_b) == (50, 50)
    assert found.best_ab == pytest.approx(found.best_ba, abs=0.06)


def test_where_nothing_fires_together_out_of_step_the_chance_level_of_a_share_is_zero():
    a = np.zeros((40, 3))
    a[:3] = np.eye(3)
    assert operands_of("jaccard", a, a).chance().best_ab == 0.0


@pytest.mark.parametrize("n_tokens", [0, 1, 2, 3])
def test_too_few_tokens_to_roll_are_an_error(n_tokens):
    none = sp.csr_array((n_tokens, 2))
    with pytest.raises(ValueError, match="at least 4 tokens"):
        operands_of("activation", none, none).unrelated(0)
