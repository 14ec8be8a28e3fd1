"""Claims about nulls: the fast path is each draw computed afresh, p-values are honest, and a seed is a seed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from atlas.metrics import METRICS
from atlas.metrics.null import Null, permutation_null
from atlas.metrics.registry import Metric
from atlas.metrics.svcca import Svcca

CASES = [
    ("svcca", {}),
    ("svcca", {"k": 3}),
    ("svcca", {"variance": 0.9}),
    ("svcca_pc1", {}),
    ("cca", {}),
    ("pwcca", {}),
    ("cka", {}),
    ("cka", {"debiased": True}),
    ("procrustes", {}),
    ("mutual_knn", {}),
    ("mutual_knn", {"k": 3, "by": "euclidean"}),
    ("matched_cosine", {}),
    *(("rsa", {"rdm": r, "compare": c}) for r in ("euclidean", "cosine") for c in ("spearman", "pearson", "kendall")),
]


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def twins(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    x = noise(seed, n, 5)
    return x, np.hstack([x[:, :3], noise(seed + 1, n, 2)])


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_fast_path_equals_recomputing_each_draw_afresh(name, options):
    x, y = twins(0)
    rng = np.random.default_rng(1)
    permutations = np.array([rng.permutation(60) for _ in range(20)])
    null = permutation_null(name, x, y, permutations=permutations, **options)
    function = METRICS[name].function
    np.testing.assert_allclose(null.draws, [function(x, y[p], **options).score for p in permutations], atol=1e-10)
    assert null.observed == pytest.approx(function(x, y, **options).score, abs=1e-12)
    assert null.metric == name


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_true_pairing_among_the_draws_counts_against_itself(name, options):
    x, y = twins(2)
    null = permutation_null(name, x, y, permutations=np.arange(60)[None], **options)
    assert null.p_value == 1.0


@pytest.mark.parametrize("name", sorted(METRICS))
def test_twins_get_the_smallest_p_value_there_is(name):
    x, y = twins(4, n=120)
    if name == "svcca_pc1":
        x, y = x * [9, 1, 1, 1, 1], y * [9, 1, 1, 1, 1]
    null = permutation_null(name, x, y, n=99)
    assert null.p_value == 0.01
    assert null.z is not None
    assert null.z > 4


@pytest.mark.parametrize("name", sorted(METRICS))
def test_p_values_of_independent_noise_are_uniform(name):
    p = [permutation_null(name, noise(2 * s, 20, 4), noise(2 * s + 1, 20, 4), n=49, seed=s).p_value for s in range(200)]
    assert stats.kstest(p, "uniform").statistic < 0.12  # 1 % point for 200 values is 0.115; the steps are 0.02


def test_rsa_over_all_permutations_is_zero_on_average():
    x, y = twins(6, n=6)
    null = permutation_null("rsa", x, y, permutations=list(itertools.permutations(range(6))))
    assert len(null.draws) == 720
    assert null.mean == pytest.approx(0.0, abs=1e-12)
    assert null.excess == pytest.approx(null.observed)


def test_svcca_draws_have_the_overlap_that_theory_gives():
    """E rho^2 = k_x k_y / (n - 1) for one direction on one side."""
    null = permutation_null("svcca", noise(7, 41, 1), noise(8, 41, 4), n=2000)
    squares = null.draws**2
    assert squares.mean() == pytest.approx(4 / 40, abs=4 * squares.std() / np.sqrt(2000))


def test_a_seed_fixes_the_draws_and_more_draws_begin_with_the_same():
    x, y = twins(9)
    draws = permutation_null("svcca", x, y, n=30, seed=5).draws
    np.testing.assert_array_equal(draws, permutation_null("svcca", x, y, n=30, seed=5).draws)
    np.testing.assert_array_equal(draws[:10], permutation_null("svcca", x, y, n=10, seed=5).draws)
    assert not np.array_equal(draws, permutation_null("svcca", x, y, n=30, seed=6).draws)


def test_the_orders_come_from_pcg64():
    x, y = twins(10)
    rng = np.random.Generator(np.random.PCG64(3))
    permutations = [rng.permutation(60) for _ in range(5)]
    given = permutation_null("rsa", x, y, permutations=permutations)
    np.testing.assert_array_equal(given.draws, permutation_null("rsa", x, y, n=5, seed=3).draws)


def test_the_numbers_by_hand():
    result = Svcca(np.array([0.5]), n=9, rank_x=1, rank_y=1)
    null = Null("svcca", result, np.array([0.1, 0.3, 0.5, 0.5 - 1e-14, 0.1]))
    assert null.p_value == pytest.approx((1 + 2) / (1 + 5))
    assert (null.mean, null.std) == pytest.approx((0.3, np.sqrt(0.032)))
    assert null.z == pytest.approx(0.2 / np.sqrt(0.032))
    assert null.excess == pytest.approx(0.2 / 0.7)


def test_forced_scores_have_no_z_and_no_excess():
    """More directions than rows: every permutation scores 1."""
    null = permutation_null("svcca", noise(11, 12, 30), noise(12, 12, 30), n=9, variance=1.0)
    assert (null.z, null.excess, null.p_value) == (None, None, 1.0)
    assert null.result.forced == 11  # pyright: ignore[reportAttributeAccessIssue]


def test_a_metric_without_a_fast_path_is_scored_afresh(monkeypatch):
    plain = Metric("plain", METRICS["svcca"].function, "Plain", frozenset(), prepare=None)
    monkeypatch.setitem(METRICS, "plain", plain)
    x, y = twins(13)
    slow, fast = (permutation_null(name, x.tolist(), y.tolist(), n=5, k=2) for name in ("plain", "svcca"))
    np.testing.assert_allclose(slow.draws, fast.draws, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_permutation_of_repeated_rows_is_that_of_the_rows_themselves(name, options):
    """Many-to-one matches: distances tie, spaces lack directions, and the fast path still is the metric."""
    x, y = noise(15, 40, 5), np.repeat(noise(16, 20, 5), 2, axis=0)
    permutations = np.array([np.random.default_rng(s).permutation(40) for s in range(5)])
    null = permutation_null(name, x, y, permutations=permutations, **options)
    afresh = [METRICS[name].function(x, y[p], **options).score for p in permutations]
    np.testing.assert_allclose(null.draws, afresh, atol=1e-10)


def test_what_looks_at_the_score_before_the_draws_may_end_the_work():
    drawn: list[int] = []

    def refuse(result):
        raise RuntimeError(f"{result.n} rows")

    with pytest.raises(RuntimeError, match="60 rows"):
        permutation_null("rsa", *twins(0), on_result=refuse, on_progress=lambda done, total: drawn.append(done))
    assert drawn == []


def test_progress_counts_the_draws():
    seen: list[tuple[int, int]] = []
    permutation_null("svcca", *twins(14), n=3, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("permutations", "message"),
    [
        ([[0, 1, 2, 3], [0, 1, 2, 2]], "row 1 of permutations does not hold each of 0 to 3 once"),
        ([[1, 2, 3, 4]], "row 0 of permutations"),
        ([[0, 1, 2]], r"integers of shape \(n, 4\)"),
        ([[0.0, 1.0, 2.0, 3.0]], "integers of shape"),
        (np.zeros((0, 4), dtype=int), "integers of shape"),
    ],
)
def test_orders_that_are_no_permutations_are_refused(permutations, message):
    with pytest.raises(ValueError, match=message):
        permutation_null("rsa", noise(0, 4, 2), noise(1, 4, 2), permutations=permutations)


def test_an_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no metric 'pca'; there are .*rsa, svcca, svcca_pc1"):
        permutation_null("pca", np.eye(4), np.eye(4))


@pytest.mark.parametrize("n", [0, -1])
def test_no_draws_at_all_are_refused(n):
    with pytest.raises(ValueError, match="n must be at least 1"):
        permutation_null("rsa", noise(0, 5, 2), noise(1, 5, 2), n=n)
