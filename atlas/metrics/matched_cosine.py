"""Matched cosine: the mean cosine of each row of x with its own row of y, for two SAEs of one activation space.

Source: Paulo & Belrose 2025, arXiv:2501.16615, who match the latents of seeds by it. Orientation: rows are matched
samples, columns are the same dimensions in x and y.

Ignores only the length of each row: a rotation has to be the same for x and y, and a sign turns a row's cosine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from atlas.metrics.matched import matched, unit_rows
from atlas.metrics.moments import Moments
from atlas.metrics.registry import Scored, metric
from atlas.shapes import Float64, Given, Int


@dataclass(frozen=True, slots=True)
class MatchedCosine(Scored):
    """Mean cosine of two samples, row by row, in [-1, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedMatchedCosine:
    """Rows of length 1. A permutation costs n dot products."""

    x: Float64[np.ndarray, "n d"]
    """(n, d) rows of length 1."""
    y: Float64[np.ndarray, "n d"]
    """(n, d) the same for y."""

    def result(self) -> MatchedCosine:
        n = len(self.x)
        return MatchedCosine(self.permuted(np.arange(n)), n)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        return max(-1.0, min(1.0, float(np.vdot(self.x, self.y[order])) / len(self.x)))

    def moments(self) -> Moments:
        """Exact, as for any sum over matched rows."""
        n, mean_x, mean_y = len(self.x), self.x.mean(axis=0), self.y.mean(axis=0)
        x, y = self.x - mean_x, self.y - mean_y
        # The trace of two (d, d) products: the squared norm of the (n, n) cosines, centred both ways.
        square = max(0.0, float(np.vdot(x.T @ x, y.T @ y)))
        return Moments(float(mean_x @ mean_y), math.sqrt(square / (n - 1)) / n)


def prepare(x: Given[ArrayLike, "n d"], y: Given[ArrayLike, "n d"]) -> PreparedMatchedCosine:
    """Scale the rows of x and y to length 1."""
    x, y = matched(x, y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} columns and y has {y.shape[1]}; a cosine needs the same columns")
    return PreparedMatchedCosine(unit_rows(x, "x"), unit_rows(y, "y"))


@metric(title="mean matched cosine", invariances=set(), prepare=prepare, minimum=-1.0, same_columns=True)
def matched_cosine(x: Given[ArrayLike, "n d"], y: Given[ArrayLike, "n d"]) -> MatchedCosine:
    """Average the cosine of row i of x with row i of y.

    Args:
        x: n samples by d dimensions.
        y: The same n samples, in the same order, by the same d dimensions.
    """
    return prepare(x, y).result()
