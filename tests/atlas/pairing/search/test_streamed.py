"""Claims about correlating scans block by block: it is the answer in memory, whatever the cuts and the memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing import correlate_sparse
from atlas.pairing.search.streamed import correlate_blocks
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


class Cut:
    """A scan cut before the given tokens."""

    def __init__(self, activations: np.ndarray, cuts: list[int]) -> None:
        self._parts = np.split(activations, sorted(cut % (len(activations) + 1) for cut in cuts))

    def blocks(self) -> Iterator[sp.csr_array]:
        return (sp.csr_array(part) for part in self._parts)


cuts = st.lists(st.integers(0, 99), max_size=4)


@settings(max_examples=80, deadline=None)
@given(
    scan=scans,
    cuts_a=cuts,
    cuts_b=cuts,
    memory=st.integers(1, 5000),
    top_k=st.integers(1, 8),
    seed=st.one_of(st.none(), st.integers(0, 99)),
)
def test_the_cuts_and_the_memory_do_not_show(scan, cuts_a, cuts_b, memory, top_k, seed):
    a, b = scan
    if seed is not None:
        a, b = (signed(side, np.random.default_rng([seed, n])) for n, side in enumerate(scan))
    top = correlate_blocks(
        Cut(a, cuts_a), Cut(b, cuts_b), top_k=top_k, memory=memory, workers=2, signed=seed is not None
    )
    assert_best_of(top, pearson(a, b), top_k)
    assert_counts(top, a, b)


@settings(max_examples=30, deadline=None)
@given(scan=scans, memory=st.integers(1, 5000))
def test_in_one_block_it_is_the_answer_in_memory_to_the_last_bit(scan, memory):
    a, b = scan
    top = correlate_blocks(Cut(a, []), Cut(b, []), top_k=4, memory=memory, workers=1)
    assert same(top, correlate_sparse(sp.csr_array(a), sp.csr_array(b), top_k=4, workers=1))


@settings(max_examples=30, deadline=None)
@given(scan=scans, cuts_a=cuts, memory=st.integers(1, 5000))
def test_within_one_sae_no_feature_is_its_own_partner(scan, cuts_a, memory):
    a, _ = scan
    side = Cut(a, cuts_a)
    top = correlate_blocks(side, side, top_k=4, memory=memory, same=True)
    assert_best_of(top, without_itself(pearson(a, a)), 4)


def test_features_with_a_mean_far_above_their_spread_keep_their_digits_over_many_blocks():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(500, 1))
    a, b = 1e6 + shared + 0.1 * rng.normal(size=(500, 3)), 1e6 + shared + 0.1 * rng.normal(size=(500, 3))
    top = correlate_blocks(Cut(a, list(range(10, 100, 10))), Cut(b, [77]), top_k=3)
    assert_best_of(top, pearson(a - 1e6, b - 1e6), 3, atol=1e-8)


def test_twins_stay_equal_over_many_blocks():
    rng = np.random.default_rng(1)
    a, b = activations(rng, 90, 3, 0.3), np.repeat(activations(rng, 90, 1, 0.3), 6, axis=1)
    top = correlate_blocks(Cut(a, [5, 30]), Cut(b, [11, 60, 61]), top_k=4, memory=100)
    assert top.index_ab.tolist() == [[0, 1, 2, 3]] * 3


def test_scans_of_different_lengths_are_refused():
    a, b = np.ones((5, 2)), np.ones((6, 2))
    with pytest.raises(ValueError, match="same tokens"):
        correlate_blocks(Cut(a, [2]), Cut(b, []))
    with pytest.raises(ValueError, match="no tokens"):
        correlate_blocks(Cut(a[:0], []), Cut(b[:0], []))
    with pytest.raises(ValueError, match="a holds negative"):
        correlate_blocks(Cut(-a, [2]), Cut(a, []))


@pytest.mark.parametrize("value", [1e39, 1e-50])
def test_values_that_no_store_holds_are_refused(value):
    beyond = np.array([[value], [0.0], [1.0]])
    with pytest.raises(ValueError, match="b holds values beyond the range of float32"):
        correlate_blocks(Cut(np.eye(3), []), Cut(beyond, []))
