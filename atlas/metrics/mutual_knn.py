"""Mutual k-NN: the Jaccard overlap of the nearest rows of each row in both samples, |both| / |either|.

Source: Klabunde et al. 2023, arXiv:2305.06329, sec. 3.4 (k-NN Jaccard similarity), as in ReSi, arXiv:2408.00531.
Orientation: rows are matched samples, columns are dimensions; k = 10 and cosine as there.

Ignores: scaling and rotating x or y; by cosine the length of each row, by euclidean distance adding a vector to all
rows. It is local: it says nothing of how far the far rows are.

Departs from these: all rows as near as the k-th are neighbours, not k of them by the order of the rows. Many-to-one
matches repeat rows, and a score must not depend on which copy comes first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from atlas.metrics.matched import centred, matched, unit_rows
from atlas.metrics.moments import Moments
from atlas.metrics.registry import Scored, metric
from atlas.shapes import Float64, Given, Int, Int64

Nearness = Literal["cosine", "euclidean"]

TIE = 1e-12
"""Rows are equally near if they differ by less, in units of the cosine or of the mean squared length."""

BLOCK = 2**23
"""Nearnesses held at once: 64 MB."""


@dataclass(frozen=True, slots=True)
class MutualKnn(Scored):
    """Agreement of two sets of neighbourhoods: mean over the rows of |both| / |either| of their sets, in [0, 1]."""

    k: int
    """Neighbours of each row asked for, >= 1; more where rows are equally near."""

    @property
    def details(self) -> Mapping[str, Any]:
        return {"k": self.k}


@dataclass(frozen=True, slots=True, eq=False)
class PreparedMutualKnn:
    """The neighbours in x and in y. A permutation of the rows renames those of y."""

    x: Int64[np.ndarray, " neighbours_x"]
    """Ascending, one number row * n + neighbour for each neighbour in x."""
    y: Int64[np.ndarray, " neighbours_y"]
    """Ascending, one number for each neighbour in y."""
    n: int
    """Rows."""
    k: int
    """Neighbours asked for."""

    def result(self) -> MutualKnn:
        return MutualKnn(self.permuted(np.arange(self.n)), self.n, self.k)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        """The score of x and y[order]."""
        place = np.empty(self.n, dtype=np.int64)
        place[order] = np.arange(self.n)
        rows = place[self.y // self.n]
        wanted = rows * self.n + place[self.y % self.n]
        found = self.x[np.searchsorted(self.x, wanted).clip(max=len(self.x) - 1)] == wanted
        both = np.bincount(rows[found], minlength=self.n)
        either = self._sizes(self.x) + self._sizes(self.y)[order] - both
        return float(np.mean(both / either))

    def moments(self) -> Moments:
        """The mean is exact: the neighbours that a row has in common by chance are hypergeometric."""
        sizes_x, sizes_y = (Counter(self._sizes(side).tolist()) for side in (self.x, self.y))
        total = sum(
            count_x * count_y * _chance(self.n - 1, size_x, size_y)
            for size_x, count_x in sizes_x.items()
            for size_y, count_y in sizes_y.items()
        )
        return Moments(mean=total / self.n**2)

    def _sizes(self, side: Int64[np.ndarray, " neighbours"]) -> Int64[np.ndarray, " n"]:
        """(n,) neighbours of each row."""
        return np.bincount(side // self.n, minlength=self.n)


def prepare(
    x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"], *, k: int = 10, by: Nearness = "cosine"
) -> PreparedMutualKnn:
    """Find the neighbours of all rows in x and in y; arguments as in `mutual_knn`."""
    if by not in get_args(Nearness):
        raise ValueError(f"{by!r} is not one of {', '.join(get_args(Nearness))}")
    x, y = matched(x, y)
    n = len(x)
    if not 1 <= k <= n - 2:
        raise ValueError(f"k = {k} neighbours of {n} rows; k must be at least 1 and at most {n - 2}, or all rows agree")
    return PreparedMutualKnn(_neighbours(x, k, by, "x"), _neighbours(y, k, by, "y"), n, k)


@metric(title="mutual k-NN (Jaccard)", invariances={"scaling", "rotation"}, prepare=prepare)
def mutual_knn(
    x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"], *, k: int = 10, by: Nearness = "cosine"
) -> MutualKnn:
    """Compare which rows are nearest to each row, in two matched samples.

    Args:
        x: n samples by p dimensions.
        y: The same n samples, in the same order, by q dimensions.
        k: Neighbours of each row, from 1 to n - 2.
        by: What makes rows near: a high cosine or a small distance.
    """
    return prepare(x, y, k=k, by=by).result()


def _neighbours(x: Float64[np.ndarray, "n p"], k: int, by: Nearness, name: str) -> Int64[np.ndarray, " neighbours"]:
    """Ascending row * n + neighbour, all neighbours as near as the k-th; rows in blocks, so memory is bounded."""
    n, found = len(x), []
    if by == "cosine":
        x, offset = unit_rows(x, name), np.zeros(n)
    else:
        x = centred(x, name)
        x = x * (math.sqrt(n) / np.linalg.norm(x))
        offset = np.einsum("ij,ij->i", x, x) / 2
    step = max(1, BLOCK // n)
    for start in range(0, n, step):
        near = x[start : start + step] @ x.T
        near -= offset  # the distance to row j falls as x_i x_j - |x_j|^2 / 2 grows
        rows = np.arange(len(near))
        near[rows, start + rows] = -np.inf
        kth = np.partition(near, n - k, axis=1)[:, n - k]
        row, neighbour = np.nonzero(near >= kth[:, None] - TIE)
        found.append((start + row) * n + neighbour)
    return np.concatenate(found)


def _chance(others: int, a: int, b: int) -> float:
    common = range(max(0, a + b - others), min(a, b) + 1)
    ways = math.comb(others, b)
    return sum(math.comb(a, t) * math.comb(others - a, b - t) / ways * t / (a + b - t) for t in common)
