"""Claims that hold for every metric in the registry, so a new one is tested the moment it is entered."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import get_args

import numpy as np
import pytest

import atlas.metrics
from atlas.metrics import METRICS
from atlas.metrics.null import permutation_null
from atlas.metrics.registry import Invariance

EVERY = pytest.mark.parametrize("name", sorted(METRICS))


def pair(name: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two samples of 60 rows that share some of what they hold, with leading directions well apart."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 14)) * np.geomspace(8, 1, 14)
    y = x[:, :12] @ rng.normal(size=(12, 12)) + 8 * rng.normal(size=(60, 12))
    return (x[:, :12] if METRICS[name].same_columns else x), y


def moved(x: np.ndarray, how: str) -> np.ndarray:
    rng = np.random.default_rng(1)
    square = rng.normal(size=(x.shape[1], x.shape[1]))
    return {
        "translation": x + 5 * rng.normal(size=x.shape[1]),
        "scaling": -0.3 * x,
        "rotation": x @ np.linalg.qr(square)[0],
        "linear": x @ (square * np.geomspace(30, 1, x.shape[1])[:, None]),
    }[how]


@EVERY
@pytest.mark.parametrize("how", get_args(Invariance))
def test_the_score_ignores_exactly_what_the_registry_says(name, how):
    x, y = pair(name)
    metric = METRICS[name]
    shift = [metric.function(moved(x, how), y).score, metric.function(x, moved(y, how)).score]
    ignored = np.allclose(shift, metric.function(x, y).score, atol=1e-8)
    assert ignored == (how in metric.invariances)


@EVERY
def test_the_order_of_the_matched_rows_does_not_matter(name):
    x, y = pair(name)
    order = np.random.default_rng(2).permutation(60)
    metric = METRICS[name].function
    assert metric(x[order], y[order]).score == pytest.approx(metric(x, y).score, abs=1e-10)


@EVERY
def test_the_two_sides_may_be_swapped_where_the_registry_says_so(name):
    x, y = pair(name)
    metric = METRICS[name].function
    assert (abs(metric(x, y).score - metric(y, x).score) < 1e-10) == METRICS[name].symmetric


@EVERY
def test_identity_scores_one_and_nothing_scores_more(name):
    x, y = pair(name)
    metric = METRICS[name].function
    assert metric(x, x).score == pytest.approx(1.0, abs=1e-9)
    assert -1 <= metric(x, y).score < 0.999 < metric(x, x).score <= 1


@EVERY
def test_scaling_a_side_up_or_down_by_a_lot_changes_nothing(name):
    x, y = pair(name)
    metric = METRICS[name].function
    for factor in (1e-100, 1e60):
        assert metric(factor * x, y).score == pytest.approx(metric(x, y).score, abs=1e-9)


@EVERY
def test_repeated_rows_and_more_columns_than_rows_still_give_a_score_in_range(name):
    """Many-to-one matches repeat rows; a queried subset may hold fewer features than dimensions."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 40)), np.repeat(rng.normal(size=(10, 40)), 3, axis=0)
    y[:, 5] = 2.0
    assert -1 <= METRICS[name].function(x, y).score <= 1


@pytest.mark.usefixtures("unchecked_shapes")
@EVERY
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.eye(5), np.eye(5)[:4], "x has 5 rows and y has 4"),
        (np.eye(1, 5), np.eye(1, 5), "1 matched rows; a comparison needs at least 3"),
        (np.ones((9, 0)), np.eye(9), "x must be rows by columns"),
        (np.eye(9), np.full((9, 9), np.nan), "y holds values that are not finite, first in row 0"),
    ],
)
def test_samples_that_cannot_be_compared_are_refused_by_name(name, x, y, message):
    with pytest.raises(ValueError, match=message):
        METRICS[name].function(x, y)


@EVERY
def test_a_side_without_any_variation_is_refused_or_scores_chance(name):
    x, y = pair(name)
    flat = np.full_like(x, 0.1)
    if name in ("matched_cosine", "mutual_knn"):
        null = permutation_null(name, flat, y, n=9)
        assert null.draws == pytest.approx(null.observed)
        assert null.expected == pytest.approx(null.observed)
    else:
        with pytest.raises(ValueError, match=r"x does not vary|RDM of x has no variance"):
            METRICS[name].function(flat, y)


@EVERY
def test_results_are_frozen_and_carry_their_sample(name):
    result = METRICS[name].function(*pair(name))
    assert result.n == 60
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        result.n = 3


@EVERY
def test_the_sides_given_stay_as_they_were(name):
    x, y = pair(name)
    METRICS[name].function(x, y)
    np.testing.assert_array_equal(x, pair(name)[0])
    np.testing.assert_array_equal(y, pair(name)[1])


@EVERY
def test_every_metric_is_exported_under_its_registered_name(name):
    assert METRICS[name].name == name
    assert getattr(atlas.metrics, name) is METRICS[name].function


def test_metrics_load_neither_a_database_nor_a_model_library():
    code = "import sys, atlas.metrics.null; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"duckdb", "polars", "torch", "sae_lens", "transformer_lens", "textual"}
