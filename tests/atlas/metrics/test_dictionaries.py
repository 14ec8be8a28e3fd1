"""Claims about cosines: of matched rows, of the best rows (MMCS) and of assigned rows (PW-MCC), beside their chance."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from atlas.metrics import matched_cosine
from atlas.metrics.dictionaries import mmcs, pw_mcc


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_x=st.integers(3, 7), n_y=st.integers(3, 7), d=st.integers(1, 5))
def test_scores_are_those_of_scipys_cosines(seed, n_x, n_y, d):
    x, y = noise(seed, n_x, d), noise(seed + 1, n_y, d)
    cosines = 1 - cdist(x, y, "cosine")
    assert mmcs(x, y, draws=0).score == pytest.approx(cosines.max(axis=1).mean(), abs=1e-12)
    n = min(n_x, n_y)
    every = (np.abs(cosines[list(rows), list(range(n))]).mean() for rows in itertools.permutations(range(n_x), n))
    columns = (np.abs(cosines[list(range(n)), list(cols)]).mean() for cols in itertools.permutations(range(n_y), n))
    best = max(every) if n_x >= n_y else max(columns)
    assert pw_mcc(x, y, draws=0).score == pytest.approx(best, abs=1e-12)
    assert matched_cosine(x[:n], y[:n]).score == pytest.approx(np.diag(cosines)[:n].mean(), abs=1e-12)


def test_a_dictionary_in_another_order_and_length_is_the_same_dictionary():
    x = noise(0, 40, 8)
    y = x[np.random.default_rng(1).permutation(40)] * np.random.default_rng(2).uniform(0.1, 5, size=(40, 1))
    assert mmcs(x, y).score == pytest.approx(1.0)
    assert pw_mcc(x, -y).score == pytest.approx(1.0)
    assert mmcs(x, -y).score < 0.9
    assert matched_cosine(x, y).score < 0.3


def test_mmcs_asks_for_each_of_x_and_not_for_each_of_y():
    y = noise(3, 50, 16)
    assert mmcs(y[:5], y).score == pytest.approx(1.0)
    assert mmcs(y, y[:5]).score < 0.6
    assert pw_mcc(y, y[:5]).score == pw_mcc(y[:5], y).score == pytest.approx(1.0)


def test_chance_is_what_strangers_score():
    x, y = noise(4, 200, 64), noise(5, 200, 64)
    for measure in (mmcs, pw_mcc):
        result = measure(x, y, draws=3)
        assert result.chance == pytest.approx(result.score, abs=0.01)
        assert (result.n_x, result.n_y) == (200, 200)
        assert measure(x, y, draws=3, seed=1).chance != result.chance == measure(x, y, draws=3).chance
        assert measure(x, y, draws=0).chance is None


def test_chance_at_256_features_of_64_dimensions_is_a_third():
    """What two SAEs of this size are to be judged by."""
    x = noise(6, 256, 64)
    assert pw_mcc(x, x).chance == pytest.approx(0.36, abs=0.01)
    assert mmcs(x, x).chance == pytest.approx(0.34, abs=0.01)


def test_another_solver_may_find_the_assignment():
    x, y = noise(7, 6, 3), noise(8, 6, 3)
    diagonal = pw_mcc(x, y, draws=0, assign=lambda values: (np.arange(6), np.arange(6)))
    assert diagonal.score == pytest.approx(np.abs(np.diag(1 - cdist(x, y, "cosine"))).mean())


def test_rows_in_many_blocks_are_the_same_rows(monkeypatch):
    x, y = noise(9, 30, 4), noise(10, 20, 4)
    whole = mmcs(x, y).score
    monkeypatch.setattr("atlas.metrics.dictionaries.BLOCK", 50)
    assert mmcs(x, y).score == pytest.approx(whole, abs=1e-15)


def test_matched_cosine_ignores_row_lengths_and_a_rotation_of_both_sides_only():
    x, y = noise(11, 40, 6), noise(11, 40, 6) + noise(12, 40, 6)
    turn, length = np.linalg.qr(noise(13, 6, 6))[0], np.random.default_rng(14).uniform(0.1, 9, size=(40, 1))
    score = matched_cosine(x, y).score
    assert matched_cosine(length * x @ turn, y @ turn).score == pytest.approx(score, abs=1e-12)
    assert matched_cosine(x @ turn, y).score < score - 0.3
    assert matched_cosine(-x, y).score == pytest.approx(-score)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("measure", [mmcs, pw_mcc, matched_cosine])
def test_what_has_no_cosine_is_refused(measure):
    with pytest.raises(ValueError, match="x has 3 columns and y has 4; a cosine needs the same columns"):
        measure(noise(0, 5, 3), noise(0, 5, 4))
    with pytest.raises(ValueError, match="row 4 of y is zero"):
        measure(noise(0, 5, 3), np.eye(5)[:, :3] + [[0], [0], [0], [1], [0]])
    with pytest.raises(ValueError, match="x holds values that are not finite"):
        measure(np.full((5, 3), np.inf), noise(0, 5, 3))


def test_sets_without_rows_and_draws_below_zero_are_refused():
    with pytest.raises(ValueError, match="x has 0 rows and y has 3; each needs at least one"):
        mmcs(np.zeros((0, 3)), np.eye(3))
    with pytest.raises(ValueError, match="draws must be at least 0, not -1"):
        pw_mcc(np.eye(3), np.eye(3), draws=-1)
