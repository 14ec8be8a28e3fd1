"""Claims about CCA and PWCCA: they are the principal angles of the whole spaces, and the weights are those of x."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.metrics import cca, pwcca, svcca


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def pair(seed: int, n: int, p: int, q: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = noise(seed, n, p), noise(seed + 1, n, q)
    y[:, : min(p, q) // 2] += 2 * x[:, : min(p, q) // 2]
    return x, y


def generalised(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Canonical correlations and variates of x by the generalised eigenproblem Sxy Syy^-1 Syx a = rho^2 Sxx a."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    squares, vectors = scipy.linalg.eigh(x.T @ y @ np.linalg.solve(y.T @ y, y.T @ x), x.T @ x)
    first = np.argsort(-squares)[: min(x.shape[1], y.shape[1])]
    return np.sqrt(squares[first].clip(0)), x @ vectors[:, first]


SIZES = {"seed": st.integers(0, 2**32 - 1), "n": st.integers(26, 70), "p": st.integers(1, 12), "q": st.integers(1, 12)}


@settings(max_examples=50, deadline=None)
@given(**SIZES)
def test_correlations_are_the_cosines_of_the_angles_between_the_whole_spaces(seed, n, p, q):
    x, y = pair(seed, n, p, q)
    angles = scipy.linalg.subspace_angles(x - x.mean(axis=0), y - y.mean(axis=0))
    result = cca(x, y)
    np.testing.assert_allclose(result.correlations, np.cos(angles)[::-1], atol=1e-7)
    assert result.score == pytest.approx(np.cos(angles).mean(), abs=1e-7)
    assert result.mean_square == pytest.approx(np.mean(np.cos(angles) ** 2), abs=1e-7)
    assert (result.n, result.rank_x, result.rank_y, result.forced) == (n, p, q, 0)


@settings(max_examples=50, deadline=None)
@given(**SIZES)
def test_pwcca_weights_each_correlation_by_the_columns_of_x_along_its_direction(seed, n, p, q):
    x, y = pair(seed, n, p, q)
    rho, variates = generalised(x, y)
    weights = np.abs(variates.T @ (x - x.mean(axis=0))).sum(axis=1)
    result = pwcca(x, y)
    assert result.score == pytest.approx(np.average(rho, weights=weights), abs=1e-7)
    np.testing.assert_allclose(result.correlations, rho, atol=1e-7)
    np.testing.assert_allclose(result.weights, weights / weights.sum(), atol=1e-5)
    assert (result.n, result.rank_x, result.rank_y, result.forced) == (n, p, q, 0)
    assert result.mean_square == pytest.approx(np.mean(rho**2), abs=1e-7)


def test_pwcca_takes_its_weights_from_x_alone():
    """The direction that both share is nearly all of x and a trifle of y."""
    x, y = noise(0, 300, 5) * [9, 0.1, 0.1, 0.1, 0.1], noise(1, 300, 5) * [0.1, 9, 9, 9, 9]
    y[:, 0] = 0.01 * x[:, 0]
    assert pwcca(x, y).score > 0.9
    assert pwcca(y, x).score < 0.3
    assert cca(x, y).score == pytest.approx(cca(y, x).score, abs=1e-12)


def test_pwcca_ignores_any_invertible_map_of_y_but_no_rotation_of_x():
    x, y = pair(2, 200, 6, 5)
    x *= np.geomspace(5, 1, 6)
    mapped, turned = noise(3, 5, 5), np.linalg.qr(noise(4, 6, 6))[0]
    assert pwcca(x, y @ mapped + 3).score == pytest.approx(pwcca(x, y).score, abs=1e-9)
    assert abs(pwcca(x @ turned, y).score - pwcca(x, y).score) > 1e-3


def test_cca_ignores_any_invertible_map_of_either_side_where_ten_directions_do_not():
    x, y = pair(5, 300, 20, 20)
    skewed = x * np.geomspace(1e5, 1, 20)[::-1]
    assert cca(skewed, y @ noise(6, 20, 20)).score == pytest.approx(cca(x, y).score, abs=1e-8)
    assert abs(svcca(skewed, y, k=5).score - svcca(x, y, k=5).score) > 0.01


def test_cca_counts_the_directions_that_the_data_have():
    x = noise(7, 60, 4) @ noise(8, 4, 30)
    result = cca(x, np.hstack([x[:, :3], np.ones((60, 2))]))
    assert (result.rank_x, result.rank_y) == (4, 3)
    assert result.score == pytest.approx(1.0)


@pytest.mark.parametrize("metric", [cca, pwcca])
def test_more_directions_than_rows_are_counted_as_forced(metric):
    result = metric(noise(9, 20, 15), noise(10, 20, 12))
    assert result.forced == 8 == np.sum(result.correlations > 1 - 1e-9)
    wide = metric(noise(11, 20, 50), noise(12, 20, 50))
    assert (wide.rank_x, wide.rank_y, wide.forced) == (19, 19, 19)
    assert wide.score == pytest.approx(1.0)
