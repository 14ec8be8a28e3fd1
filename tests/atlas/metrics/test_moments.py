"""Claims about closed-form nulls: they are the mean and the spread over all n! pairings, and draws agree with them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from atlas.metrics import METRICS, cca, svcca
from atlas.metrics.null import permutation_null


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def orders(n: int) -> np.ndarray:
    return np.array(list(itertools.permutations(range(n))))


EXACT = [
    ("rsa", {}),
    ("rsa", {"rdm": "cosine"}),
    ("rsa", {"compare": "pearson"}),
    ("cka", {}),
    ("matched_cosine", {}),
]


@pytest.mark.parametrize(("name", "options"), EXACT)
@pytest.mark.parametrize("n", [3, 4, 6])
def test_mean_and_spread_are_those_of_all_pairings(name, options, n):
    x, y = noise(n, n, 4), noise(n + 1, n, 4) + 1
    null = permutation_null(name, x, y, permutations=orders(n), **options)
    assert (null.expected, null.expected_std) == pytest.approx((null.mean, null.std), abs=1e-12)
    assert null.moments.exact
    if null.std > 1e-9:
        assert null.expected_z == pytest.approx(null.z)


@pytest.mark.parametrize("shape", [(6, 3), (5, 12), (4, 9)])
def test_debiased_cka_has_mean_zero_and_a_spread_that_only_the_rows_decide(shape):
    x, y = noise(0, *shape), noise(1, *shape) ** 3
    null = permutation_null("cka", x, y, permutations=orders(shape[0]), debiased=True)
    n = shape[0]
    assert (null.mean, null.std) == pytest.approx((0.0, np.sqrt(2 / (n * (n - 3)))), abs=1e-12)
    assert (null.expected, null.expected_std) == pytest.approx((null.mean, null.std), abs=1e-12)


def test_tied_distances_keep_the_moments_of_rsa_exact():
    grid = np.stack(np.meshgrid(range(3), range(2)), axis=-1).reshape(6, 2).astype(float)
    null = permutation_null("rsa", grid, np.repeat(noise(2, 3, 2), 2, axis=0), permutations=orders(6))
    assert (null.expected, null.expected_std) == pytest.approx((null.mean, null.std), abs=1e-12)


def test_kendall_is_zero_on_average_over_all_pairings():
    null = permutation_null("rsa", noise(3, 5, 3), noise(4, 5, 3), permutations=orders(5), compare="kendall")
    assert null.mean == pytest.approx(0.0, abs=1e-12)
    assert (null.expected, null.expected_std, null.expected_z) == (0.0, None, None)


@pytest.mark.parametrize("copies", [1, 2])
def test_neighbours_in_common_have_the_exact_mean_also_where_rows_repeat(copies):
    y = np.repeat(noise(5, 6 // copies, 3), copies, axis=0)
    null = permutation_null("mutual_knn", noise(6, 6, 3), y, permutations=orders(6), k=2)
    assert null.expected == pytest.approx(null.mean, abs=1e-12)
    assert null.expected_std is None


@pytest.mark.parametrize(("p", "q"), [(2, 3), (1, 4), (5, 5), (9, 2)])
def test_squared_canonical_correlations_have_the_exact_mean(p, q):
    """E sum rho^2 = rank_x rank_y / (n - 1), as a mean over the smaller rank; forced ones included."""
    x, y = noise(7, 6, p), noise(8, 6, q)
    squares = [cca(x, y[order]).mean_square for order in orders(6)]
    for name in ("cca", "pwcca"):
        moments = permutation_null(name, x, y, n=1).moments
        assert moments.mean_square == pytest.approx(np.mean(squares), abs=1e-10)
        assert moments.mean is None


def test_truncated_directions_have_it_as_well():
    x, y = noise(9, 6, 5), noise(10, 6, 5)
    squares = [svcca(x, y[order], k=2).mean_square for order in orders(6)]
    assert permutation_null("svcca", x, y, n=1, k=2).moments.mean_square == pytest.approx(np.mean(squares), abs=1e-12)


@pytest.mark.parametrize("n", [24, 228, 2000])
def test_first_components_of_strangers_correlate_by_about_root_two_over_pi_n(n):
    null = permutation_null("svcca_pc1", noise(11, n, 8), noise(12, n, 8), n=3000)
    assert null.mean == pytest.approx(np.sqrt(2 / (np.pi * n)), rel=0.06)
    assert (null.expected, null.expected_std) == pytest.approx((null.mean, null.std), rel=0.06)
    assert not null.moments.exact
    assert null.moments.mean_square == pytest.approx(1 / (n - 1))


@pytest.mark.parametrize("name", sorted(METRICS))
def test_what_is_known_agrees_with_what_is_drawn(name):
    x, y = noise(13, 50, 12) ** 3, noise(14, 50, 12) + 0.3
    null = permutation_null(name, x, y, n=600)
    if null.expected is not None:
        assert null.mean == pytest.approx(null.expected, abs=4.5 * null.std / np.sqrt(600))
    if null.expected_std is not None:
        assert null.std == pytest.approx(null.expected_std, rel=0.2)


def test_nothing_is_claimed_of_a_spread_that_is_zero():
    null = permutation_null("matched_cosine", noise(15, 5, 3), np.ones((5, 3)), n=3)
    assert null.expected_std == pytest.approx(0.0, abs=1e-12)
    assert null.expected_z is None
