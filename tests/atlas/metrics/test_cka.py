"""Claims about linear CKA and orthogonal Procrustes: the defining sums, the best rotation, and what each ignores."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.spatial
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.metrics import cka, procrustes


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def pair(seed: int, n: int, p: int, q: int) -> tuple[np.ndarray, np.ndarray]:
    x = noise(seed, n, p) + 3
    return x, noise(seed + 1, n, q) + x @ noise(seed + 2, p, q) / 2


def hsic_biased(k: np.ndarray, m: np.ndarray) -> float:
    """Kornblith et al. 2019, eq. 3: tr(K H L H) / (n - 1)^2."""
    h = np.eye(len(k)) - 1 / len(k)
    return np.trace(k @ h @ m @ h) / (len(k) - 1) ** 2


def hsic_unbiased(k: np.ndarray, m: np.ndarray) -> float:
    """Song et al. 2012 as a U-statistic: mean of k_ij (l_ij + l_qr - 2 l_iq) over different i, j, q, r."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    pairs = np.einsum("ij,ij->", k, m) / (n * (n - 1))
    triples = (np.einsum("ij,iq->", k, m) - np.einsum("ij,ij->", k, m)) / (n * (n - 1) * (n - 2))
    quadruples = 0.0
    for i in range(n):
        for j in range(n):
            rest = [a for a in range(n) if a not in (i, j)]
            quadruples += k[i, j] * m[np.ix_(rest, rest)].sum()
    return pairs + quadruples / (n * (n - 1) * (n - 2) * (n - 3)) - 2 * triples


SIZES = {"seed": st.integers(0, 2**32 - 1), "n": st.integers(4, 14), "p": st.integers(1, 18), "q": st.integers(1, 18)}


@settings(max_examples=60, deadline=None)
@given(**SIZES, debiased=st.booleans())
def test_cka_is_the_quotient_of_the_hsic_sums(seed, n, p, q, debiased):
    x, y = pair(seed, n, p, q)
    k, m, hsic = x @ x.T, y @ y.T, hsic_unbiased if debiased else hsic_biased
    if debiased and min(hsic(k, k), hsic(m, m)) < 1e-9 * np.trace(k) * np.trace(m):
        return
    expected = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    assert cka(x, y, debiased=debiased).score == pytest.approx(expected, abs=1e-8)
    assert cka(x, y).n == n


def test_with_few_rows_noise_scores_high_on_plain_cka_and_about_zero_debiased():
    plain, debiased = (
        [cka(noise(s, 20, 200), noise(s + 500, 20, 200), debiased=d).score for s in range(50)] for d in (False, True)
    )
    assert min(plain) > 0.8
    assert np.mean(debiased) == pytest.approx(0.0, abs=4 * np.std(debiased) / np.sqrt(50))


def test_with_many_rows_both_forms_of_cka_agree():
    x, y = pair(1, 2000, 5, 6)
    assert cka(x, y).score == pytest.approx(cka(x, y, debiased=True).score, abs=0.005)


@pytest.mark.parametrize("metric", [cka, procrustes])
def test_a_linear_map_that_is_no_rotation_changes_the_score(metric):
    x, y = pair(2, 50, 6, 6)
    assert abs(metric(x * [30, 1, 1, 1, 1, 1], y).score - metric(x, y).score) > 0.01


@pytest.mark.parametrize("metric", [cka, procrustes, lambda x, y: cka(x, y, debiased=True)])
def test_rotating_moving_and_scaling_either_side_changes_nothing_also_with_few_rows(metric):
    for n, p, q in ((50, 6, 4), (9, 20, 4), (9, 20, 30)):
        x, y = pair(3, n, p, q)
        turned = 7 * x @ np.linalg.qr(noise(4, p, p))[0] - 100
        mirrored = -0.1 * y @ np.linalg.qr(noise(5, q, q))[0] + 5
        assert metric(turned, mirrored).score == pytest.approx(metric(x, y).score, abs=1e-9)


def test_equal_spacing_of_all_rows_says_nothing_debiased():
    with pytest.raises(ValueError, match="debiased CKA is undefined: all pairs of rows of y are equally alike"):
        cka(noise(6, 5, 3), np.eye(5), debiased=True)
    with pytest.raises(ValueError, match="3 matched rows; debiased CKA needs at least 4"):
        cka(noise(6, 3, 3), noise(7, 3, 3), debiased=True)


@settings(max_examples=60, deadline=None)
@given(**SIZES)
def test_procrustes_is_what_scipys_best_rotation_reaches(seed, n, p, q):
    x, y = pair(seed, n, p, q)
    wide = max(p, q)
    x, y = (np.pad(side, ((0, 0), (0, wide - side.shape[1]))) for side in (x, y))
    a, b = ((side - side.mean(axis=0)) / np.linalg.norm(side - side.mean(axis=0)) for side in (x, y))
    rotation, scale = scipy.linalg.orthogonal_procrustes(b, a)
    result = procrustes(x[:, :p], y[:, :q])
    assert result.score == pytest.approx(scale, abs=1e-8)
    assert result.distance == pytest.approx(np.linalg.norm(a - b @ rotation), abs=1e-6)
    assert result.score == pytest.approx(np.sum(a * (b @ rotation)), abs=1e-8)
    assert result.n == n


def test_one_minus_the_squared_procrustes_score_is_scipys_disparity():
    x, y = pair(8, 40, 5, 5)
    assert 1 - procrustes(x, y).score ** 2 == pytest.approx(scipy.spatial.procrustes(x, y)[2], abs=1e-10)


def test_procrustes_distance_is_a_distance():
    """Zero to itself, symmetric, and no detour is shorter (Williams et al. 2021)."""
    sides = [noise(s, 30, 4) + noise(99, 30, 4) for s in range(8)]
    distance = np.array([[procrustes(a, b).distance for b in sides] for a in sides])
    np.testing.assert_allclose(np.diag(distance), 0, atol=1e-7)
    np.testing.assert_allclose(distance, distance.T, atol=1e-8)
    assert (distance[:, :, None] + distance[None] >= distance[:, None] - 1e-7).all()
