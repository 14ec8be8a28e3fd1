"""A third quantity over the plane of two others: means in the four corners, with intervals from a bootstrap.

Pairs of features share features, so that they are not independent: features are drawn with replacement, and a pair
counts as often as the product of the draws of its two (Efron 1979, doi:10.1214/aos/1176344552, with nodes as the units;
Snijders & Borgatti 1999, "Non-parametric standard errors and tests for network statistics").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CORNERS = (("low", "low"), ("low", "high"), ("high", "low"), ("high", "high"))
"""Sides of x and of y."""

_AT_ONCE = 8_000_000
"""Weights held at once: 64 MB."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """How often each pair counts in each draw of the bootstrap."""

    first: NDArray[np.int64]
    """(n,) place of the first feature of each pair, from 0."""
    second: NDArray[np.int64]
    """(n,) place of the other one; equal to `first` where pairs themselves are drawn."""
    n_features: int
    """Features, or pairs, that are drawn from."""
    draws: int
    """Draws."""
    seed: int
    """Of the draws (PCG64)."""

    def sums(self, columns: Values) -> Values:
        """(draws, m) weighted sums of (n, m) columns."""
        rng = np.random.default_rng(np.random.PCG64(self.seed))
        even = np.full(self.n_features, 1 / max(self.n_features, 1))
        step = max(1, _AT_ONCE // max(len(self.first), 1))
        parts = [np.empty((0, columns.shape[1]))]
        for start in range(0, self.draws, step):
            times = rng.multinomial(self.n_features, even, size=min(step, self.draws - start)).astype(np.float64)
            weights = times[:, self.first]
            if self.second is not self.first:
                weights = weights * times[:, self.second]
            parts.append(weights @ columns)
        return np.concatenate(parts)


def sides(values: Values, quantile: float) -> tuple[Values, float, float]:
    """(n,) -1 where low, 1 where high, 0 between; and the two thresholds.

    Args:
        values: What is divided.
        quantile: High is above this quantile, low is at most the one as far from the other end; in [0.5, 1).
    """
    low, high = (float(cut) for cut in np.quantile(values, [1 - quantile, quantile]))
    return np.where(values > high, 1.0, np.where(values <= low, -1.0, 0.0)), low, high


def corners(
    planes: Sequence[tuple[Values, Values]], of: Values, quantile: float, drawn: Drawn
) -> list[list[dict[str, Any]]]:
    """Mean of a quantity in each corner of each plane, with its 95 % interval, and the pairs that the edges expect.

    Args:
        planes: (n,) values on two axes each.
        of: (n,) what is averaged.
        quantile: As of `sides`.
        drawn: The bootstrap.
    """
    cut = [(sides(x, quantile), sides(y, quantile)) for x, y in planes]
    where = [[(x[0] == _SIGN[a]) & (y[0] == _SIGN[b]) for a, b in CORNERS] for x, y in cut]
    inside = np.stack([corner for plane in where for corner in plane], axis=1).astype(np.float64)
    counts, totals = np.hsplit(drawn.sums(np.concatenate([inside, inside * of[:, None]], axis=1)), 2)
    found = []
    for plane, (x, y) in enumerate(cut):
        of_plane = slice(4 * plane, 4 * plane + 4)
        found.append(_of_plane(x, y, where[plane], of, counts[:, of_plane], totals[:, of_plane]))
    return found


def _of_plane(x: Any, y: Any, where: list[Any], of: Values, counts: Values, totals: Values) -> list[dict[str, Any]]:
    """Rows of one plane; x and y are what `sides` gives."""
    rows = []
    for i, (a, b) in enumerate(CORNERS):
        n = int(where[i].sum())
        low, high = _interval(totals[:, i], counts[:, i])
        edges = (x[0] == _SIGN[a]).sum() * (y[0] == _SIGN[b]).sum()
        rows.append(
            {
                "side_x": a,
                "side_y": b,
                "cut_x": x[1 + (a == "high")],
                "cut_y": y[1 + (b == "high")],
                "n": n,
                "n_expected": float(edges / max(len(of), 1)),
                "mean": float(of[where[i]].mean()) if n else None,
                "low": low,
                "high": high,
            }
        )
    return rows


_SIGN = {"low": -1.0, "high": 1.0}


def correlations(columns: Mapping[str, Values], pairs: Sequence[tuple[str, str]], drawn: Drawn) -> list[dict[str, Any]]:
    """Pearson correlation of pairs of columns with its 95 % interval; None where a column does not vary."""
    scaled = {name: values for name, column in columns.items() if (values := _scaled(column)) is not None}
    known = [(x, y) for x, y in pairs if x in scaled and y in scaled]
    n = len(next(iter(columns.values()), ()))
    products = [scaled[x] * scaled[y] for x, y in known]
    squares = [values**2 for values in scaled.values()]
    totals = drawn.sums(np.stack([np.ones(n), *scaled.values(), *squares, *products], axis=1)).T
    total, first = totals[0], dict(zip(scaled, totals[1:], strict=False))
    second = dict(zip(scaled, totals[1 + len(scaled) :], strict=False))
    both = dict(zip(known, totals[1 + 2 * len(scaled) :], strict=True))
    found = []
    for x, y in pairs:
        row: dict[str, Any] = {"x": x, "y": y, "n": n, "r": None, "low": None, "high": None}
        if (x, y) in both:
            a, b = first[x], first[y]
            with np.errstate(invalid="ignore", divide="ignore"):
                spread = (second[x] - a * a / total) * (second[y] - b * b / total)
                r = (both[x, y] - a * b / total) / np.sqrt(spread)
            row["r"] = float(np.mean(products[known.index((x, y))]))
            row["low"], row["high"] = _interval(r, np.ones_like(r))
        found.append(row)
    return found


def _scaled(values: Values) -> Values | None:
    """Mean 0 and variance 1; None where nothing varies."""
    spread = values.std() if len(values) > 2 else 0.0
    return (values - values.mean()) / spread if spread > 0 else None


def _interval(totals: Values, counts: Values) -> tuple[float | None, float | None]:
    """The 2.5 and 97.5 percentiles of the ratio over the draws in which it is defined; None if in fewer than half."""
    known = (counts > 0) & np.isfinite(totals)
    if known.sum() * 2 < max(len(counts), 1):
        return None, None
    low, high = np.quantile(totals[known] / counts[known], [0.025, 0.975])
    return float(low), float(high)
