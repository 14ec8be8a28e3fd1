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
from atlas.metrics.registry import Invariance

EVERY = pytest.mark.parametrize("name", sorted(METRICS))


def pair(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two samples of 60 rows that share some of what they hold, with leading directions well apart."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 14)) * np.geomspace(8, 1, 14)
    return x, x[:, :12] @ rng.normal(size=(12, 12)) + 8 * rng.normal(size=(60, 12))


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
    x, y = pair()
    metric = METRICS[name]
    shift = [metric.function(moved(x, how), y).score, metric.function(x, moved(y, how)).score]
    ignored = np.allclose(shift, metric.function(x, y).score, atol=1e-8)
    assert ignored == (how in metric.invariances)


@EVERY
def test_the_order_of_the_matched_rows_does_not_matter(name):
    x, y = pair()
    order = np.random.default_rng(2).permutation(60)
    metric = METRICS[name].function
    assert metric(x[order], y[order]).score == pytest.approx(metric(x, y).score, abs=1e-10)


@EVERY
def test_the_two_sides_may_be_swapped(name):
    x, y = pair()
    metric = METRICS[name].function
    assert metric(x, y).score == pytest.approx(metric(y, x).score, abs=1e-10)


@EVERY
def test_results_are_frozen_and_carry_their_sample(name):
    result = METRICS[name].function(*pair())
    assert result.n == 60
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        result.n = 3


@EVERY
def test_the_sides_given_stay_as_they_were(name):
    x, y = pair()
    METRICS[name].function(x, y)
    np.testing.assert_array_equal(x, pair()[0])
    np.testing.assert_array_equal(y, pair()[1])


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
