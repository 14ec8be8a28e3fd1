"""How far a score depends on which rows it was measured on, and p-values over a grid of scores.

Sources: half-samples, Shao & Wu 1989, doi:10.1214/aos/1176347263; false discovery rate, Benjamini & Hochberg 1995,
doi:10.1111/j.2517-6161.1995.tb02031.x.

Departs from the usual bootstrap, which draws rows with replacement: a copy of a row is the nearest row in x and in y,
at distance 0 in both, and adds nothing to a rank, so RSA, k-NN and canonical correlations all rise. Half of the rows
without replacement hold no copy, and for a mean of rows their scores spread just as the bootstrap's do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atlas.metrics.matched import matched
from atlas.metrics.null import known_metric
from atlas.shapes import Float64, Given

MIN_RESAMPLED = 8
"""Minimum number of rows that can be resampled: a half then has 4."""


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """A score and the range in which it would lie on other rows of the same kind."""

    observed: float
    """The score of all rows."""
    low: float
    """`observed` moved as far as the lower percentile of the draws lies below their mean; no score can be lower."""
    high: float
    """`observed` moved as far as the upper percentile lies above the mean of the draws; at most 1."""
    level: float
    """Share of such intervals that should hold the mean score of samples of this size, in (0, 1)."""
    draws: Float64[np.ndarray, " n"] = field(repr=False)
    """(n,) scores of half of the rows, in the order drawn. Their mean is above `observed` where the chance level of
    fewer rows is higher."""


@dataclass(frozen=True, slots=True, eq=False)
class SplitHalf:
    """A score measured twice, on rows that have none in common."""

    observed: float
    """The score of all rows."""
    halves: Float64[np.ndarray, "n 2"] = field(repr=False)
    """(n, 2) scores of both halves of each split, in the order drawn."""

    @property
    def mean(self) -> float:
        return float(self.halves.mean())

    @property
    def difference(self) -> float:
        """Mean |difference| between the two halves, >= 0: how much two measurements on half of the rows differ."""
        return float(np.abs(self.halves[:, 0] - self.halves[:, 1]).mean())


def bootstrap(
    name: str,
    x: Given[ArrayLike, "n_rows p"],
    y: Given[ArrayLike, "n_rows q"],
    *,
    n: int = 200,
    level: float = 0.95,
    seed: int = 0,
    on_progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Interval:
    """Percentile interval of a score over its rows; every draw scores half of them.

    Args:
        name: A metric in `METRICS`.
        x: (n_rows, p) samples, at least 8.
        y: (n_rows, q) samples, row i belonging to row i of x.
        n: Draws, at least 2. More of them with the same seed begin with the same draws.
        level: Share of the draws inside the interval, in (0, 1).
        seed: Seed of the draws (PCG64).
        on_progress: Called as `on_progress(done, total)` after each draw.
        **options: Options of the metric.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), not {level}")
    if n < 2:
        raise ValueError(f"n must be at least 2, not {n}")
    metric = known_metric(name)
    x, y = matched(x, y, minimum=MIN_RESAMPLED, what="resampling")
    observed, draws = metric.function(x, y, **options).score, np.empty(n)
    for i, (rows, _) in enumerate(_splits(len(x), n, seed)):
        draws[i] = metric.function(x[rows], y[rows], **options).score
        if on_progress:
            on_progress(i + 1, n)
    below, above = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]) - draws.mean()
    low = max(metric.minimum, observed + float(below))
    return Interval(observed, low, min(1.0, observed + float(above)), level, draws)


def split_half(
    name: str,
    x: Given[ArrayLike, "n_rows p"],
    y: Given[ArrayLike, "n_rows q"],
    *,
    n: int = 50,
    seed: int = 0,
    on_progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> SplitHalf:
    """Score two disjoint halves of the rows, for many random splits.

    Args:
        name: A metric in `METRICS`.
        x: (n_rows, p) samples, at least 8; with an odd number each split leaves one row out.
        y: (n_rows, q) samples, row i belonging to row i of x.
        n: Splits, at least 1. More of them with the same seed begin with the same splits.
        seed: Seed of the splits (PCG64); the first halves are the draws of `bootstrap` with that seed.
        on_progress: Called as `on_progress(done, total)` after each split.
        **options: Options of the metric.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    metric = known_metric(name).function
    x, y = matched(x, y, minimum=MIN_RESAMPLED, what="resampling")
    observed, halves = metric(x, y, **options).score, np.empty((n, 2))
    for i, split in enumerate(_splits(len(x), n, seed)):
        halves[i] = [metric(x[rows], y[rows], **options).score for rows in split]
        if on_progress:
            on_progress(i + 1, n)
    return SplitHalf(observed, halves)


def adjusted(p_values: Given[ArrayLike, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Benjamini-Hochberg p-values of the same shape: reject those under q and at most q of the rejected are false.

    Args:
        p_values: In [0, 1], of any shape; NaN where there is no test, which stays NaN and counts for nothing.
    """
    from scipy.stats import false_discovery_control  # 0.5 s to import, for one function

    p = np.array(p_values, dtype=np.float64)
    tested = ~np.isnan(p)
    if ((p[tested] < 0) | (p[tested] > 1)).any():
        raise ValueError("p-values must be in [0, 1]")
    if tested.any():
        p[tested] = false_discovery_control(p[tested])
    return p


def _splits(n_rows: int, n: int, seed: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Two disjoint halves of the rows, each in ascending order, `n` times."""
    rng, half = np.random.Generator(np.random.PCG64(seed)), n_rows // 2
    for _ in range(n):
        order = rng.permutation(n_rows)
        yield np.sort(order[:half]), np.sort(order[half : 2 * half])
