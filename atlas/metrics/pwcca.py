"""PWCCA: canonical correlations, each weighted by how much of x its direction accounts for.

Source: Morcos et al. 2018, arXiv:1806.05759, sec. 2: weight_i is the sum over the columns x_j of |<h_i, x_j>|, h_i
being the i-th canonical direction of x as a vector over the samples. Orientation: rows are matched samples, columns
are dimensions; the paper uses the transpose.

Not symmetric: the weights come from x; pwcca(y, x) is another number.
Ignores: adding a vector to all rows, scaling x or y; of y any invertible linear map. Not rotations of x: a sum
of absolute values depends on the axes.

Departs from the code of google/svcca, whose directions lack the inverse square root of the covariance and whose y
branch uses x. Where correlations tie (all of the `forced` ones do) their directions, and so their weights, are not
determined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from atlas.metrics.matched import centred, matched
from atlas.metrics.moments import Moments, overlap_moments
from atlas.metrics.registry import metric
from atlas.metrics.svcca import Svcca, leading_directions
from atlas.shapes import Float64, Given, Int


@dataclass(frozen=True, slots=True, eq=False)
class Pwcca(Svcca):
    """Canonical correlations of all directions, and their weights; `mean_square` and `forced` do not look at these."""

    weights: Float64[np.ndarray, " k"] = field(repr=False)
    """(min(rank_x, rank_y),) weights of the correlations in their order, >= 0, summing to 1."""

    @property
    def score(self) -> float:
        """Weighted mean of the correlations, in [0, 1]."""
        return min(1.0, float(self.weights @ self.correlations))

    @property
    def details(self) -> Mapping[str, Any]:
        return {**super(Pwcca, self).details, "weights": self.weights.tolist()}


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPwcca:
    """Two orthonormal bases and x in one of them: a permutation costs one product and one small SVD."""

    basis_x: Float64[np.ndarray, "n rank_x"]
    """(n, rank_x) orthonormal columns spanning x, centred."""
    basis_y: Float64[np.ndarray, "n rank_y"]
    """(n, rank_y) the same for y."""
    x: Float64[np.ndarray, "rank_x p"]
    """(rank_x, p) the centred columns of x in `basis_x`."""

    def result(self) -> Pwcca:
        (n, rank_x), rank_y = self.basis_x.shape, self.basis_y.shape[1]
        correlations, weights = self._weighted(self.basis_y)
        return Pwcca(correlations, n, rank_x, rank_y, weights)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        correlations, weights = self._weighted(self.basis_y[order])
        return min(1.0, float(weights @ correlations))

    def moments(self) -> Moments:
        """Those of the squared correlations; no closed form is known of their weighted mean."""
        (n, rank_x), rank_y = self.basis_x.shape, self.basis_y.shape[1]
        return Moments(mean_square=overlap_moments(rank_x, rank_y, n).mean_square)

    def _weighted(
        self, basis_y: Float64[np.ndarray, "n rank_y"]
    ) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
        directions, correlations, _ = np.linalg.svd(self.basis_x.T @ basis_y, full_matrices=False)
        weights = np.abs(directions.T @ self.x).sum(axis=1)
        return correlations.clip(0.0, 1.0), weights / weights.sum()


def prepare(x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"]) -> PreparedPwcca:
    """Find an orthonormal basis of x and one of y."""
    x, y = matched(x, y)
    basis_x, basis_y = leading_directions(x, 1, 1.0, "x"), leading_directions(y, 1, 1.0, "y")
    return PreparedPwcca(np.asfortranarray(basis_x), basis_y, basis_x.T @ centred(x, "x"))


@metric(title="PWCCA, weighted by x", invariances={"translation", "scaling"}, prepare=prepare, symmetric=False)
def pwcca(x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"]) -> Pwcca:
    """Correlate two matched samples along their canonical directions, weighted by the share of x each stands for.

    Args:
        x: n samples by p dimensions; the weights come from it.
        y: The same n samples, in the same order, by q dimensions.
    """
    return prepare(x, y).result()
