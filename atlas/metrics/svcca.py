"""SVCCA: canonical correlations between the leading directions of two samples.

Source: Raghu et al. 2017, arXiv:1706.05806, sec. 2. Orientation: rows are matched samples (features, for decoder
rows), columns are dimensions; the paper uses the transpose.

Ignores: adding a vector to all rows, scaling x or y, rotating its columns. With `variance=1.0` any invertible
linear map; with fewer directions not, because such a map changes which directions lead.

Departs from the paper: 10 directions of each sample by default, not 99 % of the variance. At 99 % the score of
independent noise is near 1 unless rows are many times the directions kept, and exactly 1 for `forced` correlations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from atlas.choices import SVCCA_DIRECTIONS
from atlas.metrics.matched import centred, matched
from atlas.metrics.moments import Moments, overlap_moments
from atlas.metrics.registry import metric
from atlas.shapes import Float64, Given, Int


@dataclass(frozen=True, slots=True, eq=False)
class Svcca:
    """Canonical correlations, with what is needed to judge them."""

    correlations: Float64[np.ndarray, " k"]
    """(min(rank_x, rank_y),) descending, each in [0, 1]."""
    n: int
    """Matched rows compared."""
    rank_x: int
    """Directions of x kept, >= 1: what was asked for, or the numerical rank if that is less."""
    rank_y: int
    """Directions of y kept, >= 1."""

    @property
    def score(self) -> float:
        """Mean canonical correlation, in [0, 1]; of independent noise about sqrt(rank / n), not 0."""
        return float(self.correlations.mean())

    @property
    def mean_square(self) -> float:
        """Mean squared canonical correlation, in [0, 1]: its chance level is known exactly (`Moments.mean_square`)."""
        return float(np.mean(self.correlations**2))

    @property
    def forced(self) -> int:
        """Correlations that are 1 by rank alone, also for noise: directions beyond the n - 1 that rows leave."""
        return max(0, self.rank_x + self.rank_y - (self.n - 1))

    @property
    def details(self) -> Mapping[str, Any]:
        """`rank_x`, `rank_y`, `forced`, `mean_square` and all `correlations`."""
        names = ("rank_x", "rank_y", "forced", "mean_square")
        return {**{name: getattr(self, name) for name in names}, "correlations": self.correlations.tolist()}


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSvcca:
    """Two orthonormal bases. Permuting the rows of y permutes the rows of its basis, so the null needs no new SVD."""

    basis_x: Float64[np.ndarray, "n rank_x"]
    """(n, rank_x) orthonormal columns spanning the kept directions of x, each contiguous: products take a fourth."""
    basis_y: Float64[np.ndarray, "n rank_y"]
    """(n, rank_y) orthonormal columns for y, each row contiguous: it is the rows that are permuted."""

    def result(self) -> Svcca:
        (n, rank_x), rank_y = self.basis_x.shape, self.basis_y.shape[1]
        return Svcca(cosines(self.basis_x, self.basis_y), n, rank_x, rank_y)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        return float(cosines(self.basis_x, self.basis_y.take(order, axis=0)).mean())

    def moments(self) -> Moments:
        """Exact for the squared correlations; for the score asymptotic, and only with one direction each."""
        return overlap_moments(self.basis_x.shape[1], self.basis_y.shape[1], len(self.basis_x))


def prepare(
    x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"], *, k: int = SVCCA_DIRECTIONS, variance: float | None = None
) -> PreparedSvcca:
    """Find the leading directions of x and y; arguments as in `svcca`."""
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if variance is not None and not 0 < variance <= 1:
        raise ValueError(f"variance must be in (0, 1], not {variance}")
    x, y = matched(x, y)
    basis_x, basis_y = leading_directions(x, k, variance, "x"), leading_directions(y, k, variance, "y")
    return PreparedSvcca(np.asfortranarray(basis_x), basis_y)


@metric(title="SVCCA", invariances={"translation", "scaling", "rotation"}, prepare=prepare)
def svcca(
    x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"], *, k: int = SVCCA_DIRECTIONS, variance: float | None = None
) -> Svcca:
    """Compare the spaces that the leading directions of two matched samples span.

    Args:
        x: n samples by p dimensions.
        y: The same n samples, in the same order, by q dimensions.
        k: Directions kept of each sample; the rank where that is less.
        variance: If given, k is ignored and each sample keeps the minimum number of directions that hold this fraction
            of its variance, in (0, 1].
    """
    return prepare(x, y, k=k, variance=variance).result()


def leading_directions(
    x: Float64[np.ndarray, "n p"], k: int, variance: float | None, name: str
) -> Float64[np.ndarray, "n kept"]:
    """(n, kept) orthonormal left singular vectors of the centred sample."""
    u, s, _ = np.linalg.svd(centred(x, name), full_matrices=False)
    rank = int(np.sum(s > s[0] * max(x.shape) * np.finfo(np.float64).eps))
    if variance == 1:  # the whole rank, also directions too faint to change a sum
        k = rank
    elif variance is not None:
        held = np.cumsum(s[:rank] ** 2)
        # Slightly less than asked, so that rounding in the sum does not cost one more direction.
        k = 1 + int(np.searchsorted(held, variance * held[-1] * (1 - 1e-12)))
    return np.ascontiguousarray(u[:, : min(k, rank)])


def cosines(
    basis_x: Float64[np.ndarray, "n rank_x"], basis_y: Float64[np.ndarray, "n rank_y"]
) -> Float64[np.ndarray, " k"]:
    """Both bases are orthonormal and centred, so these singular values are the canonical correlations."""
    return np.linalg.svd(basis_x.T @ basis_y, compute_uv=False).clip(0.0, 1.0)
