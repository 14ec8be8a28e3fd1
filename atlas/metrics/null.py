"""The permutation null of any metric: its scores when the rows of y are paired with those of x at random.

The moments of the score over all pairings are given too where a closed form is known (`moments`).
Source: Phipson & Smyth 2010, doi:10.2202/1544-6115.1585, for the + 1 in the p-value, which is never 0.
Departs from the code of arXiv:2410.06981: seeded, and with that + 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atlas.metrics.moments import UNKNOWN, Moments
from atlas.metrics.registry import METRICS, Metric, Result
from atlas.shapes import Float64, Given, Int

ROUNDING = 1e-12
"""Scores closer than this count as equal: a permutation sums the same numbers in another order."""


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """A score and the scores by chance."""

    metric: str
    """Name in `METRICS`."""
    result: Result
    """What the metric returned for the true pairing."""
    draws: Float64[np.ndarray, " n"] = field(repr=False)
    """(n,) scores with the rows of y permuted, in the order drawn."""
    moments: Moments = UNKNOWN
    """What is known of the score over all pairings, without drawing."""

    @property
    def observed(self) -> float:
        return self.result.score

    @property
    def p_value(self) -> float:
        """(1 + draws >= observed) / (1 + n), one-sided, in [1 / (1 + n), 1]."""
        return float((1 + np.sum(self.draws >= self.observed - ROUNDING)) / (1 + len(self.draws)))

    @property
    def mean(self) -> float:
        """Mean of the draws: the chance level."""
        return float(self.draws.mean())

    @property
    def std(self) -> float:
        """Population standard deviation of the draws, >= 0."""
        return float(self.draws.std())

    @property
    def z(self) -> float | None:
        """(observed - mean) / std; None if all draws are the same score."""
        return (self.observed - self.mean) / self.std if self.std > ROUNDING else None

    @property
    def expected(self) -> float | None:
        """Mean over all pairings in closed form, beside `mean` of those drawn; None where none is known."""
        return self.moments.mean

    @property
    def expected_std(self) -> float | None:
        """Standard deviation over all pairings in closed form, >= 0; None where none is known."""
        return self.moments.std

    @property
    def expected_z(self) -> float | None:
        """(observed - expected) / expected_std: z without the noise of the draws; None where it is not known."""
        if self.expected is None or self.expected_std is None or self.expected_std <= ROUNDING:
            return None
        return (self.observed - self.expected) / self.expected_std

    @property
    def excess(self) -> float | None:
        """(observed - mean) / (1 - mean): 0 at chance, 1 at identity; None if chance already gives 1."""
        room = 1 - self.mean
        return (self.observed - self.mean) / room if room > ROUNDING else None


@dataclass(frozen=True, slots=True, eq=False)
class _Unprepared:
    """A metric without a fast path: every permutation is scored by its function."""

    function: Callable[..., Result]
    x: Any
    y: Any
    options: dict[str, Any]

    def result(self) -> Result:
        return self.function(self.x, self.y, **self.options)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        return self.function(self.x, self.y[order], **self.options).score

    def moments(self) -> Moments:
        return UNKNOWN


def permutation_null(
    name: str,
    x: Given[ArrayLike, "n_rows p"],
    y: Given[ArrayLike, "n_rows q"],
    *,
    n: int = 1000,
    seed: int = 0,
    permutations: Given[ArrayLike, "n n_rows"] | None = None,
    on_result: Callable[[Result], object] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Null:
    """Score x against y, and against y with its rows permuted `n` times.

    Args:
        name: A metric in `METRICS`.
        x: (n_rows, p) samples.
        y: (n_rows, q) samples, row i belonging to row i of x.
        n: Permutations drawn, at least 1. More of them with the same seed begin with the same draws.
        seed: Seed of the permutations (PCG64).
        permutations: (n, n_rows) integers, each row an order of the rows of y: used instead of drawing any.
        on_result: Called with the score before any draw; what it raises ends the work.
        on_progress: Called as `on_progress(done, total)` after each permutation.
        **options: Options of the metric.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    metric = known_metric(name)
    fast = metric.prepare
    prepared = fast(x, y, **options) if fast else _Unprepared(metric.function, x, np.asarray(y), options)
    result = prepared.result()
    if on_result:
        on_result(result)
    if permutations is not None:
        given = _checked(permutations, result.n)
        orders, n = given, len(given)
    else:
        rng = np.random.Generator(np.random.PCG64(seed))
        orders = (rng.permutation(result.n) for _ in range(n))  # one at a time: all would be n x n_rows
    draws = np.empty(n)
    for i, order in enumerate(orders):
        draws[i] = prepared.permuted(order)
        if on_progress:
            on_progress(i + 1, n)
    return Null(name, result, draws, prepared.moments())


def known_metric(name: str) -> Metric:
    """The metric of a name, or ValueError with the known names."""
    if name not in METRICS:
        raise ValueError(f"no metric {name!r}; there are {', '.join(sorted(METRICS))}")
    return METRICS[name]


def _checked(permutations: ArrayLike, n_rows: int) -> NDArray[np.intp]:
    """Given orders, or ValueError naming the first that is not one."""
    orders = np.asarray(permutations)
    if orders.ndim != 2 or orders.shape[1] != n_rows or len(orders) == 0 or orders.dtype.kind not in "iu":
        raise ValueError(f"permutations must be integers of shape (n, {n_rows}), not {orders.dtype} {orders.shape}")
    for i, order in enumerate(orders):
        if not np.array_equal(np.sort(order), np.arange(n_rows)):
            raise ValueError(f"row {i} of permutations does not hold each of 0 to {n_rows - 1} once")
    return orders.astype(np.intp, copy=False)
