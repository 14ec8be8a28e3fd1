"""Linear CKA: how far the inner products between the rows of two samples agree.

Sources: Kornblith et al. 2019, arXiv:1905.00414, sec. 3; debiased: the unbiased HSIC of Song et al. 2012 (JMLR 13,
sec. 4) in the quotient of Nguyen et al. 2021, arXiv:2010.15327. Orientation: rows are matched samples, columns are
dimensions.

Ignores: adding a vector to all rows, rotating x or y, scaling it. Not other linear maps: directions count by their
variance. With fewer rows than columns the plain score of independent noise nears 1; the debiased one averages 0 over
all pairings, for any sizes.

Computed from (p, q) products, never from (n, n) Gram matrices; neither form departs from its paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from atlas.metrics.matched import centred, matched, same_gram
from atlas.metrics.moments import GramSums, Moments, trace_moments
from atlas.metrics.registry import Scored, metric
from atlas.shapes import Float64, Given, Int


@dataclass(frozen=True, slots=True)
class Cka(Scored):
    """Agreement of two sets of inner products, in [0, 1]; debiased in [-1, 1], and 0 on average over all pairings."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCka:
    """x and y centred and scaled. A permutation costs one product of (p, n) by (n, q)."""

    x: Float64[np.ndarray, "n p"]
    """(n, p) centred, scaled so that its HSIC with itself is 1."""
    y: Float64[np.ndarray, "n q"]
    """(n, q) centred and scaled in the same way, for y."""
    debiased: bool
    """HSIC is the unbiased estimate."""

    def result(self) -> Cka:
        n = len(self.x)
        return Cka(self.permuted(np.arange(n)), n)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        score = _hsic(self.x, self.y[order], self.debiased)
        return max(-1.0 if self.debiased else 0.0, min(1.0, score))

    def moments(self) -> Moments:
        """Exact. Debiased they depend on the number of rows only: mean 0, variance 2 / (n (n - 3))."""
        n = len(self.x)
        if self.debiased:
            return Moments(0.0, math.sqrt(2 / (n * (n - 3))))
        return Moments(*trace_moments(_gram_sums(self.x), _gram_sums(self.y)))


def prepare(x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"], *, debiased: bool = False) -> PreparedCka:
    """Centre and scale x and y; arguments as in `cka`."""
    x, y = matched(x, y)
    if debiased and len(x) < 4:
        raise ValueError(f"{len(x)} matched rows; debiased CKA needs at least 4")
    return PreparedCka(_normed(x, debiased, "x"), _normed(y, debiased, "y"), debiased)


@metric(title="linear CKA", invariances={"translation", "scaling", "rotation"}, prepare=prepare, minimum=-1.0)
def cka(x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"], *, debiased: bool = False) -> Cka:
    """Compare the inner products between all rows of two matched samples.

    Args:
        x: n samples by p dimensions.
        y: The same n samples, in the same order, by q dimensions.
        debiased: Leave out of every sum the terms that noise alone makes positive; needs 4 rows.
    """
    return prepare(x, y, debiased=debiased).result()


def _normed(x: Float64[np.ndarray, "n p"], debiased: bool, name: str) -> Float64[np.ndarray, "n r"]:
    """The sample centred and scaled to HSIC 1 with itself, with at most n columns."""
    x = same_gram(centred(x, name))
    x = x / np.linalg.norm(x)
    square = _hsic(x, x, debiased)
    if square <= 1e-12 * _hsic(x, x, False):
        raise ValueError(f"debiased CKA is undefined: all pairs of rows of {name} are equally alike")
    return x / square**0.25


def _hsic(x: Float64[np.ndarray, "n p"], y: Float64[np.ndarray, "n q"], debiased: bool) -> float:
    """HSIC of two centred samples, up to a factor that only depends on n.

    Debiased it is the sum over i != j of the products of both Gram matrices, each with its off-diagonal part centred;
    as the rows of a centred Gram matrix sum to 0, that part's row sums are minus its diagonal.
    """
    n, product = len(x), x.T @ y
    hsic = float(np.vdot(product, product))
    if debiased:
        of_x, of_y = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
        hsic += float(of_x.sum() * of_y.sum() / ((n - 1) * (n - 2)) - n / (n - 2) * (of_x @ of_y))
    return hsic


def _gram_sums(x: Float64[np.ndarray, "n p"]) -> GramSums:
    """The sums of x x', without forming it."""
    diagonal = np.einsum("ij,ij->i", x, x)
    return GramSums(len(x), float(diagonal.sum()), _hsic(x, x, False), float(diagonal @ diagonal))
