"""Closed forms of permutation nulls: what a metric scores on average over all n! pairings of the rows.

Sources: Mantel 1967 for sums over pairs of rows; Kazi-Aoual et al. 1995, doi:10.1016/0167-9473(94)00064-2, for traces
of products of Gram matrices; Hoeffding 1951, doi:10.1214/aoms/1177729391, for sums over matched rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of a score over all pairings of the rows, without drawing any; None where no closed form is known."""

    mean: float | None = None
    """Mean of the score."""
    std: float | None = None
    """Standard deviation of the score, >= 0."""
    mean_square: float | None = None
    """Mean of the mean squared canonical correlation, sum rho^2 / min(rank_x, rank_y), in [0, 1]; always exact. The
    mean of a score that is the mean of rho is at most its root."""
    exact: bool = True
    """False where `mean` and `std` hold for many rows only."""


UNKNOWN = Moments()
"""No closed form is known."""


@dataclass(frozen=True, slots=True)
class GramSums:
    """What the permutation moments need of a centred Gram matrix G, (n, n)."""

    n: int
    """Rows, >= 3."""
    trace: float
    """tr G."""
    square: float
    """tr G^2, the squared Frobenius norm."""
    diagonal: float
    """Sum of the squared diagonal of G."""


def trace_moments(a: GramSums, b: GramSums) -> tuple[float, float]:
    """Mean and standard deviation of tr(A P B P') over all permutations P, for centred Gram matrices A and B."""
    n = a.n
    mean = a.trace * b.trace / (n - 1)
    smooth = [(n - 1) * g.square - g.trace**2 for g in (a, b)]
    variance = 2 * smooth[0] * smooth[1] / ((n - 1) ** 2 * (n + 1) * (n - 2))
    if n > 3:
        peaked = [n * (n + 1) * g.diagonal - (n - 1) * (g.trace**2 + 2 * g.square) for g in (a, b)]
        variance += peaked[0] * peaked[1] / ((n + 1) * n * (n - 1) * (n - 2) * (n - 3))
    return mean, math.sqrt(max(variance, 0.0))


def mantel_std(rows_a: Vector, square_a: float, rows_b: Vector, square_b: float) -> float:
    """Standard deviation over all permutations of the correlation of two distance matrices A and B.

    Args:
        rows_a: (n,) sums of the rows of A, n >= 3, A hollow, symmetric and centred: all of its entries sum to 0.
        square_a: Sum of its squared entries, both triangles, > 0.
        rows_b: (n,) sums of the rows of B.
        square_b: Sum of the squared entries of B.
    """
    n = len(rows_a)
    squares = square_a * square_b
    # An entry meets itself, one that shares a row with it, or one that shares none.
    chains = [float(r @ r) - s for r, s in ((rows_a, square_a), (rows_b, square_b))]
    apart = [-2 * s - 4 * c for s, c in zip((square_a, square_b), chains, strict=True)]
    variance = 2 * squares / (n * (n - 1)) + 4 * chains[0] * chains[1] / (n * (n - 1) * (n - 2))
    if n > 3:
        variance += apart[0] * apart[1] / (n * (n - 1) * (n - 2) * (n - 3))
    return math.sqrt(max(variance, 0.0) / squares)


def overlap_moments(rank_x: int, rank_y: int, n: int) -> Moments:
    """Moments of the canonical correlations of two centred spaces of n rows: E sum rho^2 = rank_x rank_y / (n - 1).

    With one direction of x and one of y the score is |r|, whose mean is about sqrt(2 / (pi (n - 1))) for many rows.
    """
    mean_square = max(rank_x, rank_y) / (n - 1)
    if max(rank_x, rank_y) > 1:
        return Moments(mean_square=mean_square)
    mean, std = math.sqrt(2 / math.pi * mean_square), math.sqrt((1 - 2 / math.pi) * mean_square)
    return Moments(mean, std, mean_square, exact=False)
