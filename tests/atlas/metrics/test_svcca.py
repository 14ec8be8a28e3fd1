"""Claims about SVCCA: it is the cosines of principal angles, knows what it ignores, and counts what noise gets free."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.metrics import svcca, svcca_pc1


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def leading(x: np.ndarray, k: int) -> np.ndarray:
    """The sample seen in its k leading principal components, the slow way: eigenvectors of the covariance."""
    _, vectors = scipy.linalg.eigh(np.cov(x, rowvar=False))
    return (x - x.mean(axis=0)) @ vectors[:, ::-1][:, :k]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(25, 80),
    p=st.integers(2, 12),
    q=st.integers(2, 12),
    k=st.integers(1, 12),
)
def test_correlations_are_the_cosines_of_the_angles_between_the_truncated_bases(seed, n, p, q, k):
    x, y = noise(seed, n, p), noise(seed + 1, n, q)
    y[:, : min(p, q) // 2] += 2 * x[:, : min(p, q) // 2]
    angles = scipy.linalg.subspace_angles(leading(x, k), leading(y, k))
    result = svcca(x, y, k=k)
    np.testing.assert_allclose(result.correlations, np.sort(np.cos(angles))[::-1], atol=1e-8)
    assert result.score == pytest.approx(np.cos(angles).mean(), abs=1e-8)
    assert (result.n, result.rank_x, result.rank_y) == (n, min(k, p), min(k, q))


@pytest.mark.parametrize("seed", range(10))
def test_variance_keeps_the_fewest_directions_that_hold_it_also_where_they_hold_it_exactly(seed):
    """Three orthogonal directions with 90 %, 9 % and 1 % of the variance, up to rounding."""
    sample = noise(seed, 50, 3)
    x = scipy.linalg.orth(sample - sample.mean(axis=0)) * np.sqrt([90.0, 9.0, 1.0])
    kept = {v: svcca(x, x, variance=v).rank_x for v in (0.5, 0.9, 0.95, 0.99, 0.995, 1.0)}
    assert kept == {0.5: 1, 0.9: 1, 0.95: 2, 0.99: 2, 0.995: 3, 1.0: 3}


def test_all_of_the_variance_keeps_directions_however_faint():
    x = noise(0, 50, 3) * [1, 1, 1e-9]
    assert svcca(x, x, variance=1.0).rank_x == 3
    assert svcca(x, x, variance=0.999999).rank_x == 2


def test_variance_overrules_k():
    assert svcca(noise(1, 60, 8), noise(2, 60, 8), k=2, variance=1.0).rank_x == 8


def test_directions_beyond_the_numerical_rank_are_never_kept():
    x = noise(3, 60, 4) @ noise(4, 4, 30)
    assert svcca(x, noise(5, 60, 30), k=10).rank_x == 4
    assert svcca(x, noise(5, 60, 30), variance=1.0).rank_x == 4


def test_a_space_compared_with_itself_scores_one():
    x = noise(6, 100, 20)
    assert svcca(x, x).score == pytest.approx(1.0)
    assert svcca(x, x).correlations.max() <= 1.0


def test_all_directions_ignore_any_invertible_map_of_either_side():
    x, y = noise(7, 200, 8), noise(8, 200, 6)
    moved = svcca(x @ noise(9, 8, 8) + noise(10, 8), y @ noise(11, 6, 6), variance=1.0)
    np.testing.assert_allclose(moved.correlations, svcca(x, y, variance=1.0).correlations, atol=1e-8)


def test_leading_directions_do_not_ignore_an_invertible_map():
    """Blowing a minor direction up makes it lead, and the kept space is another one."""
    x = noise(12, 200, 8) * np.array([9, 8, 7, 6, 1, 1, 1, 1])
    y = x @ np.diag([1, 1, 1, 1, 99.0, 99.0, 99.0, 99.0])
    assert svcca(x, y, k=4).score < 0.5 < svcca(x, y, k=8).score


@pytest.mark.parametrize(("n", "p", "forced"), [(20, 15, 11), (17, 8, 0), (16, 8, 1), (30, 29, 29)])
def test_forced_counts_the_correlations_that_noise_gets_for_free(n, p, forced):
    result = svcca(noise(13, n, p), noise(14, n, p), variance=1.0)
    assert result.forced == forced == np.sum(result.correlations > 1 - 1e-9)


def test_more_dimensions_than_rows_score_one_on_noise():
    """The trap: 500 matched features of 512 dimensions say nothing at full rank, and something at k=10."""
    x, y = noise(15, 500, 512), noise(16, 500, 512)
    assert svcca(x, y, variance=1.0).score == pytest.approx(1.0)
    assert svcca(x, y).score < 0.2
    assert svcca(x, y).forced == 0


def test_independent_noise_has_the_random_overlap_of_two_subspaces():
    """E sum rho^2 = k_x k_y / (n - 1): small but never zero."""
    squares = [np.sum(svcca(noise(s, 101, 5), noise(s + 1000, 101, 8)).correlations ** 2) for s in range(200)]
    assert np.mean(squares) == pytest.approx(5 * 8 / 100, abs=4 * np.std(squares) / np.sqrt(200))


def test_a_shared_space_scores_above_strangers():
    shared = 3 * noise(17, 400, 6)
    x, y = (shared @ noise(s, 6, 40) + noise(s + 1, 400, 40) for s in (18, 20))
    assert svcca(x, y, k=6).score > 0.95
    assert svcca(x, noise(22, 400, 40), k=6).score < 0.3


def test_pc1_is_the_unsigned_correlation_of_the_first_principal_components():
    x, y = noise(23, 90, 7), noise(24, 90, 5)
    y[:, 0] -= 3 * x[:, 0]
    expected = abs(np.corrcoef(leading(x, 1)[:, 0], leading(y, 1)[:, 0])[0, 1])
    assert svcca_pc1(x, y).score == pytest.approx(expected, abs=1e-10)
    assert svcca_pc1(x, y).rank_x == 1


def test_pc1_can_miss_a_shared_space_that_svcca_sees():
    x, y = noise(25, 500, 10), noise(26, 500, 10)
    y[:, :9] = x[:, :9]
    x[:, 9] *= 5
    y[:, 9] *= 5
    assert svcca_pc1(x, y).score < 0.15
    assert svcca(x, y).score > 0.9


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("measure", [svcca, svcca_pc1])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.eye(5), np.eye(4), "x has 5 rows and y has 4"),
        (np.eye(2), np.eye(2), "2 matched rows"),
        (np.full((9, 2), 0.1), np.eye(9), "x does not vary"),
        (np.eye(9), np.full((9, 2), 0.1), "y does not vary"),
        (np.where(np.eye(5) > 0, np.nan, 1), np.eye(5), "x holds values that are not finite, first in row 0"),
        (np.eye(5), np.where(np.eye(5)[::-1] > 0, np.inf, 1), "y holds values that are not finite"),
        (np.ones(5), np.eye(5), "x must be rows by columns"),
        (np.ones((5, 0)), np.eye(5), "x must be rows by columns"),
    ],
)
def test_samples_without_an_answer_are_refused_by_name(measure, x, y, message):
    with pytest.raises(ValueError, match=message):
        measure(x, y)


@pytest.mark.parametrize("options", [{"k": 0}, {"variance": 0.0}, {"variance": 1.1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        svcca(noise(0, 9, 3), noise(1, 9, 3), **options)
