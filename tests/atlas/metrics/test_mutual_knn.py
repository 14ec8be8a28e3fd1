"""Claims about mutual k-NN: brute-force neighbours, copies of a row, and the exact chance level."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist

from atlas.metrics import mutual_knn
from atlas.metrics.null import permutation_null


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def nearest(x: np.ndarray, k: int, by: str) -> list[set[int]]:
    """The k nearest other rows of each row, by sorting all of scipy's distances."""
    distance = cdist(x, x, by)
    np.fill_diagonal(distance, np.inf)
    return [set(np.argsort(row)[:k].tolist()) for row in distance]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(6, 40),
    k=st.integers(1, 12),
    by=st.sampled_from(["cosine", "euclidean"]),
)
def test_score_is_the_mean_jaccard_of_brute_force_neighbours(seed, n, k, by):
    k = min(k, n - 2)
    x = noise(seed, n, 5)
    y = x[:, :3] + noise(seed + 1, n, 3)
    pairs = zip(nearest(x, k, by), nearest(y, k, by), strict=True)
    result = mutual_knn(x, y, k=k, by=by)
    assert result.score == pytest.approx(np.mean([len(a & b) / len(a | b) for a, b in pairs]), abs=1e-12)
    assert (result.n, result.k) == (n, k)


def test_rows_in_many_blocks_are_the_same_rows(monkeypatch):
    x, y = noise(0, 50, 4), noise(1, 50, 4)
    whole = mutual_knn(x, y).score
    monkeypatch.setattr(sys.modules["atlas.metrics.mutual_knn"], "BLOCK", 130)
    assert mutual_knn(x, y).score == whole


@pytest.mark.parametrize("by", ["cosine", "euclidean"])
def test_all_copies_of_a_row_are_neighbours_whichever_comes_first(by):
    """Many-to-one matches: ten rows of y, each five times; the four copies come first, the next row brings five more."""
    ten = noise(2, 10, 6)
    x, y = noise(3, 50, 6), np.repeat(ten, 5, axis=0)
    distance = cdist(ten, ten, by) + np.diag(np.full(10, -np.inf))
    near_y = [{5 * g + c for g in np.argsort(distance[i // 5])[:2] for c in range(5)} - {i} for i in range(50)]
    pairs = zip(nearest(x, 6, by), near_y, strict=True)
    expected = np.mean([len(a & b) / len(a | b) for a, b in pairs])
    order = np.random.default_rng(4).permutation(50)
    assert mutual_knn(x, y, k=6, by=by).score == pytest.approx(expected, abs=1e-12)
    assert mutual_knn(x[order], y[order], k=6, by=by).score == pytest.approx(expected, abs=1e-12)


def test_cosine_ignores_the_length_of_rows_and_euclidean_a_shift_of_all():
    x, y = noise(5, 60, 5), noise(6, 60, 5)
    length = np.random.default_rng(7).uniform(0.1, 9, size=(60, 1))
    assert mutual_knn(length * x, y).score == mutual_knn(x, y).score
    assert mutual_knn(length * x, y, by="euclidean").score != mutual_knn(x, y, by="euclidean").score
    assert mutual_knn(x + 3, y, by="euclidean").score == mutual_knn(x, y, by="euclidean").score
    assert mutual_knn(x + 3, y).score != mutual_knn(x, y).score


def test_only_near_rows_count():
    """Clusters keep their members and change places: no neighbour changes, all far distances do."""
    centres, inside = 100 * noise(8, 6, 4), noise(9, 120, 4)
    x = inside + np.repeat(centres, 20, axis=0)
    y = inside + np.repeat(centres[[3, 5, 0, 1, 2, 4]], 20, axis=0)
    assert mutual_knn(x, y, by="euclidean").score == 1.0


def test_chance_is_the_mean_over_hypergeometric_overlaps():
    x, y = noise(10, 30, 5), noise(11, 30, 5)
    common = np.arange(11)
    expected = np.sum(stats.hypergeom(29, 10, 10).pmf(common) * common / (20 - common))
    null = permutation_null("mutual_knn", x, y, n=400)
    assert null.expected == pytest.approx(expected, abs=1e-12)
    assert null.mean == pytest.approx(expected, abs=4 * null.std / 20)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k = 0 neighbours of 6 rows; k must be at least 1 and at most 4"),
        ({"k": 5}, "k = 5 neighbours of 6 rows"),
        ({"k": 2, "by": "manhattan"}, "'manhattan' is not one of cosine, euclidean"),
    ],
)
def test_options_without_an_answer_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        mutual_knn(noise(0, 6, 2), noise(1, 6, 2), **options)


def test_a_row_of_zeros_has_no_cosine():
    x = noise(0, 20, 3)
    x[7] = 0
    with pytest.raises(ValueError, match="row 7 of y is zero: its cosine is undefined"):
        mutual_knn(noise(1, 20, 3), x)
