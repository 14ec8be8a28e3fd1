"""Claims about RSA: it is scipy's correlation of scipy's distances, and knows what it ignores."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist

from atlas.metrics import rsa
from atlas.metrics.rsa import bytes_needed, centred_ranks

RDMS = ("euclidean", "correlation", "cosine")
SCIPY = {"spearman": stats.spearmanr, "pearson": stats.pearsonr, "kendall": stats.kendalltau}


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def rotation(seed: int, p: int) -> np.ndarray:
    return np.linalg.qr(noise(seed, p, p))[0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(4, 40),
    rdm=st.sampled_from(RDMS),
    compare=st.sampled_from(sorted(SCIPY)),
)
def test_score_is_scipys_correlation_of_scipys_distances(seed, n, rdm, compare):
    x = noise(seed, n, 6)
    y = x[:, :4] + noise(seed + 1, n, 4)
    result = rsa(x, y, rdm=rdm, compare=compare)
    assert result.score == pytest.approx(SCIPY[compare](pdist(x, rdm), pdist(y, rdm))[0], abs=1e-10)
    assert (result.n, result.n_pairs) == (n, n * (n - 1) // 2)


def test_tied_distances_share_their_average_rank():
    """Points on a grid have a handful of distances between them, each many times."""
    x = np.stack(np.meshgrid(range(5), range(5)), axis=-1).reshape(25, 2).astype(float)
    y = np.round(x + noise(0, 25, 2))
    assert rsa(x, y).score == pytest.approx(stats.spearmanr(pdist(x), pdist(y))[0], abs=1e-12)


@pytest.mark.parametrize("compare", SCIPY)
def test_euclidean_distances_ignore_moving_rotating_and_scaling_a_side(compare):
    x, y = noise(1, 30, 5), noise(2, 30, 7)
    moved = 3 * x @ rotation(3, 5) + noise(4, 5)
    assert rsa(moved, y, compare=compare).score == pytest.approx(rsa(x, y, compare=compare).score, abs=1e-10)


def test_cosine_distances_ignore_rotation_and_row_length_but_not_translation():
    x, y = noise(5, 30, 5), noise(6, 30, 5)
    length = np.random.default_rng(7).uniform(0.5, 2, size=(30, 1))
    score = rsa(x, y, rdm="cosine").score
    assert rsa(length * x @ rotation(8, 5), y, rdm="cosine").score == pytest.approx(score, abs=1e-10)
    assert abs(rsa(x + 1, y, rdm="cosine").score - score) > 0.01


def test_correlation_distances_ignore_row_mean_and_length_but_not_rotation():
    x, y = noise(9, 30, 5), noise(10, 30, 5)
    rng = np.random.default_rng(11)
    score = rsa(x, y, rdm="correlation").score
    moved = rng.uniform(0.5, 2, size=(30, 1)) * x + rng.normal(size=(30, 1))
    assert rsa(moved, y, rdm="correlation").score == pytest.approx(score, abs=1e-10)
    assert abs(rsa(x @ rotation(12, 5), y, rdm="correlation").score - score) > 0.01


def test_a_linear_map_that_is_no_rotation_changes_the_score():
    x, y = noise(13, 30, 5), noise(14, 30, 5)
    assert abs(rsa(x * [9, 1, 1, 1, 1], y).score - rsa(x, y).score) > 0.01


def test_a_space_compared_with_itself_scores_one_and_reversed_order_minus_one():
    line = np.array([[0.0], [1.0], [3.0]])
    assert rsa(line, line).score == pytest.approx(1.0)
    assert rsa(line, np.array([[0.0], [3.0], [1.0]])).score == pytest.approx(-1.0)


def test_equal_rows_tie_whatever_the_last_bit_says():
    """Many-to-one matches repeat rows; all pairs of equal rows are equally near, at distance 0."""
    x, y = noise(15, 40, 6), np.repeat(noise(16, 8, 30), 5, axis=0)
    zeros = pdist(y) == 0
    clean = np.where(zeros, 0.0, pdist(y, "cosine"))
    expected = stats.spearmanr(pdist(x, "cosine"), clean.round(12))[0]
    assert rsa(x, y, rdm="cosine").score == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("parts", [7, 100, 1e9])
def test_ranks_found_in_parts_are_scipys_ranks_ties_and_all(parts, monkeypatch):
    monkeypatch.setattr(sys.modules["atlas.metrics.rsa"], "RANKED_AT_ONCE", parts)
    for values in (noise(17, 5000), noise(18, 5000).round(1), np.repeat([2.0, 1.0], [4000, 3])):
        ranks = centred_ranks(values)
        np.testing.assert_array_equal(ranks, 2 * stats.rankdata(values) - (len(values) + 1))
        assert ranks.dtype == np.int32


@pytest.mark.parametrize("compare", SCIPY)
def test_many_rows_are_ranked_in_parts_with_the_same_score(compare, monkeypatch):
    x, y = noise(19, 60, 5), noise(20, 60, 5)
    y[:, 0] += x[:, 0]
    few = rsa(x, y, compare=compare).score
    monkeypatch.setattr(sys.modules["atlas.metrics.rsa"], "RANKED_AT_ONCE", 100)
    assert rsa(x, y, compare=compare).score == pytest.approx(few, abs=1e-12)


def test_memory_is_said_beforehand_and_grows_with_the_pairs():
    assert bytes_needed(20_000) < 6e9
    assert bytes_needed(20_000) < bytes_needed(20_000, compare="pearson") < bytes_needed(20_000, compare="kendall")
    assert 3.5 < bytes_needed(40_000) / bytes_needed(20_000) < 4


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("x", "y", "rdm", "message"),
    [
        (np.eye(4), noise(0, 4, 2), "euclidean", "the euclidean RDM of x has no variance"),
        (noise(0, 4, 2), rotation(1, 4), "euclidean", "the euclidean RDM of y has no variance"),
        (np.zeros((4, 2)), noise(0, 4, 2), "euclidean", "the euclidean RDM of x has no variance"),
        (np.eye(4), np.ones((4, 2)), "cosine", "the cosine RDM of x has no variance"),
        (noise(0, 4, 3), np.eye(4)[:, :3], "cosine", "row 3 of y is zero"),
        (noise(0, 4, 3), np.eye(4)[:, :3] * 2 + [[0], [0], [0], [1]], "correlation", "row 3 of y is constant"),
        (noise(0, 4, 3), noise(0, 5, 3), "euclidean", "x has 4 rows and y has 5"),
        (noise(0, 2, 3), noise(0, 2, 3), "euclidean", "2 matched rows"),
        (noise(0, 4, 3), noise(0, 4, 3), "manhattan", "'manhattan' is not one of euclidean"),
    ],
)
def test_samples_without_an_answer_are_refused_by_name(x, y, rdm, message):
    with pytest.raises(ValueError, match=message):
        rsa(x, y, rdm=rdm)


@pytest.mark.usefixtures("unchecked_shapes")
def test_an_unknown_comparison_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'cosine' is not one of spearman, pearson, kendall"):
        rsa(noise(0, 5, 3), noise(1, 5, 3), compare="cosine")  # pyright: ignore[reportArgumentType]
