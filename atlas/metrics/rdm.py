"""Distances between all rows of a sample (its RDM), and their ranks in bounded memory.

An RDM is held as its strict upper triangle, row by row: n (n - 1) / 2 numbers, as `scipy.spatial.distance.pdist`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from atlas.shapes import Float64, Int, Real

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
