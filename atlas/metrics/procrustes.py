"""Procrustes: how well one sample fits onto the other after the best rotation.

Source: Schönemann 1966, doi:10.1007/BF02289451; as a similarity of networks Ding et al. 2021, arXiv:2108.01661, and
Williams et al. 2021, arXiv:2110.14739. Orientation: rows are matched samples, columns are dimensions; the narrower
sample counts as filled up with zeros.

Ignores: adding a vector to all rows, rotating or reflecting x or y, scaling it. Not other linear maps.

Departs from Ding et al., whose distance is the square of the one here, 2 - 2 score; `scipy.spatial.procrustes` also
fits the scale, and its disparity is 1 - score^2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from atlas.metrics.matched import centred, matched, same_gram
from atlas.metrics.moments import UNKNOWN, Moments
from atlas.metrics.registry import Scored, metric
from atlas.shapes import Float64, Given, Int


@dataclass(frozen=True, slots=True)
class Procrustes(Scored):
    """Fit after the best rotation: sum of the singular values of x'y, both centred and of norm 1, in [0, 1]."""

    @property
    def distance(self) -> float:
        """Minimum of ||x - y R||_F over rotations R, x and y centred and of norm 1: sqrt(2 - 2 score), in [0, 1.42]."""
        return math.sqrt(2 - 2 * self.score)

    @property
    def details(self) -> Mapping[str, Any]:
        return {"distance": self.distance}


@dataclass(frozen=True, slots=True, eq=False)
class PreparedProcrustes:
    """x and y centred and of norm 1. A permutation costs one product and the singular values of (p, q)."""

    x: Float64[np.ndarray, "n p"]
    """(n, p) centred, of Frobenius norm 1, p at most n."""
    y: Float64[np.ndarray, "n q"]
    """(n, q) the same for y."""

    def result(self) -> Procrustes:
        n = len(self.x)
        return Procrustes(self.permuted(np.arange(n)), n)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        return min(1.0, float(np.linalg.svd(self.x.T @ self.y[order], compute_uv=False).sum()))

    def moments(self) -> Moments:
        """No closed form is known of a sum of singular values."""
        return UNKNOWN


def prepare(x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"]) -> PreparedProcrustes:
    x, y = matched(x, y)
    samples = [same_gram(centred(sample, name)) for sample, name in ((x, "x"), (y, "y"))]
    return PreparedProcrustes(*(sample / np.linalg.norm(sample) for sample in samples))


@metric(title="orthogonal Procrustes", invariances={"translation", "scaling", "rotation"}, prepare=prepare)
def procrustes(x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"]) -> Procrustes:
    """Rotate one matched sample onto the other as well as possible, and measure how well they then agree.

    Args:
        x: n samples by p dimensions.
        y: The same n samples, in the same order, by q dimensions.
    """
    return prepare(x, y).result()
