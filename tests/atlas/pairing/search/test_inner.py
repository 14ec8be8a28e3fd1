"""Claims about products in single precision: none is further off than the bound says, so nothing is missed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing.search.inner import COARSEST, ScreenedProducts, rounding


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    d=st.integers(1, 2000),
    magnitude=st.sampled_from([1.0, 1e-3, 1e3, 1e-20, 1e-45]),
    aligned=st.booleans(),
)
def test_no_product_in_single_precision_is_further_off_than_the_bound(seed, d, magnitude, aligned):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 12, d))
    if aligned:  # sums that cancel least, and so round most
        y = np.sign(x) * np.abs(y)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y *= magnitude / np.linalg.norm(y, axis=1, keepdims=True)
    off = np.abs((x.astype(np.float32) @ y.astype(np.float32).T).astype(float) - x @ y.T)
    assert off.max() <= rounding(d, 1.0, magnitude, np.float32)
    products = ScreenedProducts(x / max(magnitude, 1.0), y)
    exact = products.at(*(grid.ravel() for grid in np.indices((12, 12)))).reshape(12, 12)
    assert np.abs(products.screen(np.arange(12)) - exact).max() <= products.error
    assert products.error > 0


def test_the_bound_is_tight_enough_for_single_precision_at_the_width_of_a_model():
    assert rounding(768, 1.0, 1.0, np.float32) < COARSEST / 2


def test_vectors_whose_products_round_coarsely_are_searched_in_double_precision():
    rng = np.random.default_rng(0)
    left, right = 1e4 * rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    assert ScreenedProducts(left, right).error < 1e-8
    assert 1e-8 < ScreenedProducts(left / 1e4, right).error < 1e-4


def test_vectors_without_a_direction_have_zero_with_every_other_and_are_named():
    products = ScreenedProducts(np.array([[np.nan, 1.0], [0.6, 0.8]]), np.array([[1.0, 0.0]]))
    np.testing.assert_array_equal(products.rows(0, 2), [[0.0], [0.6]])
    assert products.defined is not None
    assert [side.tolist() for side in products.defined] == [[False, True], [True]]
    with pytest.raises(ValueError, match="no inner product"):
        ScreenedProducts(np.ones((2, 3)), np.ones((2, 4)))
