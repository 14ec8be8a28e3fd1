"""Claims about resampling: intervals hold what they promise, halves are disjoint, p-values are adjusted as published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.metrics import METRICS, cka, mutual_knn, rsa
from atlas.metrics.registry import Metric
from atlas.metrics.resample import adjusted, bootstrap, split_half


def related(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Two noisy views of four shared dimensions."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n, 4)) * [3, 2, 1.5, 1]
    return shared + rng.normal(size=(n, 4)), shared + rng.normal(size=(n, 4))


OPTIONS = {"svcca": {"k": 2}, "mutual_knn": {"k": 5}}


@pytest.mark.parametrize("name", sorted(METRICS))
def test_nine_in_ten_intervals_hold_the_score_that_such_samples_have_on_average(name):
    function, options = METRICS[name].function, OPTIONS.get(name, {})
    truth = np.mean([function(*related(1000 + s), **options).score for s in range(200)])
    found = [bootstrap(name, *related(s), n=40, level=0.9, seed=s, **options) for s in range(60)]
    assert 0.72 <= np.mean([i.low <= truth <= i.high for i in found]) <= 1.0
    assert np.mean([i.high - i.low for i in found]) < 0.5


def test_an_interval_holds_its_score_and_narrows_with_more_rows():
    narrow, wide = (bootstrap("rsa", *related(3, n), n=100) for n in (240, 30))
    assert narrow.low < narrow.observed == rsa(*related(3, 240)).score < narrow.high <= 1
    assert narrow.high - narrow.low < 0.6 * (wide.high - wide.low)
    assert wide.level == 0.95
    assert np.quantile(wide.draws, 0.975) - wide.draws.mean() == pytest.approx(wide.high - wide.observed)


def test_rows_with_replacement_would_have_raised_neighbour_scores():
    """Why halves: the usual bootstrap of k-NN lies above the score it is of."""
    x, y = related(4)
    rng = np.random.default_rng(5)
    copies = [mutual_knn(x[rows], y[rows], k=5).score for rows in rng.integers(60, size=(60, 60))]
    found = bootstrap("mutual_knn", x, y, n=60, k=5)
    assert np.quantile(copies, 0.05) > found.observed
    assert found.low < found.observed < found.high


@pytest.mark.parametrize("n_rows", [20, 21])
def test_the_two_halves_of_a_split_share_no_row(n_rows, monkeypatch):
    """Rows that are their own number, and a metric that notes which rows it is given."""
    seen = []

    def noted(x: np.ndarray, y: np.ndarray):
        seen.append(x[:, 0].tolist())
        return cka(x, y)

    monkeypatch.setitem(METRICS, "noted", Metric("noted", noted, "Noted", frozenset(), prepare=None))
    rows = np.arange(n_rows)[:, None] * [1.0, 0.0] + [0.0, 1.0]
    split_half("noted", rows, rows, n=5)
    assert len(seen) == 1 + 2 * 5
    for first, second in zip(seen[1::2], seen[2::2], strict=True):
        assert len(first) == len(second) == n_rows // 2
        assert len({*first, *second}) == 2 * (n_rows // 2)


def test_split_halves_agree_better_on_more_rows_and_are_summed_up():
    few, many = (split_half("cka", *related(6, n), n=30) for n in (24, 400))
    assert many.difference < 0.5 * few.difference
    assert many.observed == cka(*related(6, 400)).score
    assert many.mean == pytest.approx(many.halves.sum() / 60)
    assert few.difference == pytest.approx(np.mean([abs(a - b) for a, b in few.halves]))


def test_a_seed_fixes_the_rows_and_more_draws_begin_with_the_same():
    x, y = related(7)
    draws = bootstrap("cka", x, y, n=12, seed=3).draws
    np.testing.assert_array_equal(draws[:5], bootstrap("cka", x, y, n=5, seed=3).draws)
    np.testing.assert_array_equal(draws, split_half("cka", x, y, n=12, seed=3).halves[:, 0])
    assert not np.array_equal(draws, bootstrap("cka", x, y, n=12, seed=4).draws)


def test_progress_counts_the_draws():
    seen: list[tuple[int, int]] = []
    for resample in (bootstrap, split_half):
        resample("cka", *related(8), n=2, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)] * 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bootstrap("cka", *related(0), level=1.0), r"level must be in \(0, 1\)"),
        (lambda: bootstrap("cka", *related(0), n=1), "n must be at least 2"),
        (lambda: split_half("cka", *related(0), n=0), "n must be at least 1"),
        (lambda: bootstrap("cka", *related(0, 7)), "7 matched rows; resampling needs at least 8"),
        (lambda: split_half("kca", *related(0)), "no metric 'kca'; there are .*cka"),
        (lambda: adjusted([0.5, 1.5]), r"p-values must be in \[0, 1\]"),
    ],
)
def test_what_cannot_be_resampled_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_adjusted_p_values_by_hand():
    """Benjamini & Hochberg: p times the number of tests over its rank, never above that of the next larger one."""
    np.testing.assert_allclose(adjusted([0.01, 0.04, 0.03, 0.5]), [0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_cells_without_a_test_stay_empty_and_count_for_nothing():
    grid = np.array([[0.01, np.nan], [0.2, np.nan]])
    np.testing.assert_allclose(adjusted(grid), [[0.02, np.nan], [0.2, np.nan]])
    assert np.isnan(adjusted([np.nan])).all()
    assert adjusted([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusting_only_raises_and_keeps_the_order(p):
    q = adjusted(p)
    assert (q >= np.array(p) - 1e-15).all()
    assert (q <= 1).all()
    assert (np.diff(q[np.argsort(p, kind="stable")]) >= -1e-15).all()
