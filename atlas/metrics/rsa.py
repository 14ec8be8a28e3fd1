"""RSA: correlation between the pairwise distances of two samples.

Source: Kriegeskorte et al. 2008, doi:10.3389/neuro.06.004.2008. Orientation: rows are matched samples, columns are
dimensions; a distance matrix (RDM) is (n, n); its strict upper triangle is compared, held row by row as
`scipy.spatial.distance.pdist` gives it: n (n - 1) / 2 pairs.

Ignores, at the default euclidean RDM: adding a vector to all rows, rotating x or y, scaling it. A cosine RDM ignores
rotation and the length of each row, not translation. A correlation RDM ignores the mean and the length of each row,
not rotation.

Departs from arXiv:2410.06981: its text says both Pearson and euclidean for the RDM, and its code correlates Pearson
similarities (`rdm="correlation"` here: distance = 1 - r in x and y, so the score is the same). Ties get average
ranks. Correlation and cosine distances are rounded to 12 decimals: equal rows must tie although their last bits differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist, squareform

from atlas.metrics.matched import matched
from atlas.metrics.moments import Moments, mantel_std
from atlas.metrics.registry import Scored, metric
from atlas.shapes import Float64, Given, Int, Real

Compare = Literal["spearman", "pearson", "kendall"]


@dataclass(frozen=True, slots=True)
class Rsa(Scored):
    """Correlation of two sets of pairwise distances, in [-1, 1]; 0 on average over all permutations of y."""

    @property
    def n_pairs(self) -> int:
        """Pairs of rows, n (n - 1) / 2."""
        return self.n * (self.n - 1) // 2

    @property
    def details(self) -> Mapping[str, Any]:
        return {"n_pairs": self.n_pairs}


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRsa:
    """Both RDMs, ranked if ranks are compared. Permuting the rows of y re-indexes its RDM and changes no rank."""

    x: Real[np.ndarray, " n_pairs"]
    """(n_pairs,) centred distances of x, or centred doubled ranks: 32-bit integers, half the memory of floats."""
    y: Real[np.ndarray, "n n"]
    """(n, n) centred distances or ranks of y."""
    norms: float
    """Length of `x` times that of the strict triangle of `y`, > 0."""
    square_x: float
    """Sum of the squares of `x`, > 0."""

    def result(self) -> Rsa:
        n = len(self.y)
        return Rsa(self.permuted(np.arange(n)), n)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        """The score of x and y[order]; row by row, so it needs no memory of the size of the pairs."""
        n, total, start = len(order), 0.0, 0
        row, left, right = np.empty(n), np.empty(n), np.empty(n)
        for i in range(n - 1):
            m = n - 1 - i
            # Float copies that stay in the cache, and no BLAS: it would start threads for every row of 10,000.
            row[:], left[:m] = self.y[order[i]], self.x[start : start + m]
            row.take(order[i + 1 :], out=right[:m], mode="clip")  # clip: no check of each index
            total += float(np.einsum("i,i", left[:m], right[:m]))
            start += m
        return max(-1.0, min(1.0, total / self.norms))

    def moments(self) -> Moments:
        """Exact: mean 0, and Mantel's standard deviation."""
        rows_y = self.y.sum(axis=1, dtype=np.float64) - np.diagonal(self.y)
        square_y = self.norms**2 / self.square_x
        return Moments(0.0, mantel_std(row_sums(self.x, len(rows_y)), 2 * self.square_x, rows_y, 2 * square_y))


@dataclass(frozen=True, slots=True, eq=False)
class PreparedKendall:
    """Both RDMs as ranks, for Kendall's tau-b: n_pairs log n_pairs a permutation."""

    x: Real[np.ndarray, " n_pairs"]
    """(n_pairs,) centred doubled ranks of the distances of x."""
    y: Real[np.ndarray, "n n"]
    """(n, n) centred doubled ranks of the distances of y."""

    def result(self) -> Rsa:
        n = len(self.y)
        return Rsa(self.permuted(np.arange(n)), n)

    def permuted(self, order: Int[np.ndarray, " n"]) -> float:
        """The score of x and y[order]."""
        from scipy.stats import kendalltau  # 0.5 s to import, for one option

        y = squareform(self.y[np.ix_(order, order)], checks=False)
        return float(np.asarray(kendalltau(self.x, y, method="asymptotic"))[0])

    def moments(self) -> Moments:
        """Mean 0, exact: some permutation swaps any two pairs of rows. No closed form of the spread."""
        return Moments(0.0)


def prepare(
    x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"], *, rdm: Rdm = "euclidean", compare: Compare = "spearman"
) -> PreparedRsa | PreparedKendall:
    """Compute and rank both RDMs; arguments as in `rsa`, memory as `bytes_needed` says."""
    for option, known in ((rdm, get_args(Rdm)), (compare, get_args(Compare))):
        if option not in known:
            raise ValueError(f"{option!r} is not one of {', '.join(known)}")
    x, y = matched(x, y)
    triangles = []
    for sample, name in ((x, "x"), (y, "y")):  # one after the other: float distances of both would be the peak
        triangle = distances(sample, rdm, name)
        if compare == "pearson":
            triangle -= triangle.mean()
        triangles.append(triangle if compare == "pearson" else centred_ranks(triangle))
        del triangle
    triangle_x, triangle_y = triangles
    square_y = squareform(triangle_y, checks=False)
    if compare == "kendall":
        return PreparedKendall(triangle_x, square_y)
    norm_x, norms = norm(triangle_x), norm(triangle_x) * norm(triangle_y)
    return PreparedRsa(triangle_x, square_y, norms, norm_x**2)


def bytes_needed(n: int, *, compare: Compare = "spearman") -> int:
    """Peak memory of RSA on n rows, the samples not counted."""
    a_pair = {"spearman": 22, "pearson": 34, "kendall": 90}[compare]
    return a_pair * n * (n - 1) // 2 + 2**29


@metric(title="RSA", invariances={"translation", "scaling", "rotation"}, prepare=prepare, minimum=-1.0)
def rsa(
    x: Given[ArrayLike, "n p"], y: Given[ArrayLike, "n q"], *, rdm: Rdm = "euclidean", compare: Compare = "spearman"
) -> Rsa:
    """Compare which pairs of rows are near and which are far, in two matched samples.

    Args:
        x: n samples by p dimensions.
        y: The same n samples, in the same order, by q dimensions.
        rdm: Distance between two rows.
        compare: Correlation between the two sets of distances; Kendall's is tau-b.
    """
    return prepare(x, y, rdm=rdm, compare=compare).result()


Rdm = Literal["euclidean", "correlation", "cosine"]

RANKED_AT_ONCE = 2**23
"""Distances sorted together, 0.3 GB; more are first divided by size."""


def distances(x: Float64[np.ndarray, "n p"], rdm: Rdm, name: str) -> Float64[np.ndarray, " n_pairs"]:
    """(n_pairs,) strict upper triangle of the RDM, or ValueError where it has no variance."""
    without = {"euclidean": None, "correlation": np.ptp(x, axis=1) == 0, "cosine": ~x.any(axis=1)}[rdm]
    if without is not None and without.any():
        state = "constant" if rdm == "correlation" else "zero"
        raise ValueError(f"row {np.flatnonzero(without)[0]} of {name} is {state}: its {rdm} distance is undefined")
    triangle = np.asarray(pdist(x, rdm), dtype=np.float64)
    if rdm != "euclidean":
        triangle.round(12, out=triangle)
    if np.ptp(triangle) <= 1e-12 * triangle.max():
        raise ValueError(f"the {rdm} RDM of {name} has no variance: all pairs of its rows are equally far apart")
    return triangle


def centred_ranks(values: Float64[np.ndarray, " n_pairs"]) -> Int[np.ndarray, " n_pairs"]:
    """Twice the average ranks, less their mean: whole numbers that sum to 0, exact in 32 bits up to 65,536 rows."""
    total = len(values)
    if total > np.iinfo(np.int32).max:
        raise ValueError(f"{total} pairs are too many to rank; take a sample of at most 65,536 rows")
    ranks, below = np.empty(total, dtype=np.int32), 0
    for part in _parts(values):
        order = np.argsort(values[part])
        part = part[order]
        ordered = values[part]
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        size = np.diff(np.append(first, len(part)))
        ranks[part] = np.repeat(2 * (below + first) + size - total, size)
        below += len(part)
    return ranks


def row_sums(triangle: Real[np.ndarray, " n_pairs"], n: int) -> Float64[np.ndarray, " n"]:
    """(n,) sums of the rows of the (n, n) matrix with this strict upper triangle, both triangles counted."""
    sums, start = np.zeros(n), 0
    for i in range(n - 1):
        row = triangle[start : start + n - 1 - i].astype(np.float64)
        sums[i] += row.sum()
        sums[i + 1 :] += row
        start += len(row)
    return sums


def norm(values: Real[np.ndarray, " n_pairs"]) -> float:
    """Euclidean length, in float64 and without a copy of all values."""
    return math.sqrt(
        sum(float(np.sum(values[i : i + 2**20].astype(np.float64) ** 2)) for i in range(0, len(values), 2**20))
    )


def _parts(values: NDArray[np.float64]) -> Iterator[NDArray[np.intp]]:
    """Indices of the values in parts small enough to sort, smallest part first; equal values stay together."""
    n_parts = math.ceil(len(values) / RANKED_AT_ONCE)
    if n_parts == 1:
        yield np.arange(len(values))
        return
    sample = np.sort(values[:: max(1, len(values) // (1000 * n_parts))])
    edges = np.unique(sample[np.arange(1, n_parts) * len(sample) // n_parts])
    for low, high in zip([-np.inf, *edges], [*edges, np.inf], strict=True):
        part = np.flatnonzero((values >= low) & (values < high))
        if len(part):
            yield part
