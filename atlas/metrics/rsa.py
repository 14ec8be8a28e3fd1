"""RSA: correlation between the pairwise distances of two samples.

Source: Kriegeskorte et al. 2008, doi:10.3389/neuro.06.004.2008. Orientation: rows are matched samples, columns are
dimensions; a distance matrix (RDM) is (n, n) and its strict triangle, n (n - 1) / 2 pairs, is what is compared.

Ignores, at the default euclidean RDM: adding a vector to all rows, rotating a side, scaling it. A cosine RDM ignores
rotation and the length of each row, not translation. A correlation RDM ignores the mean and the length of each row,
not rotation.

Departs from arXiv:2410.06981: its text says both Pearson and euclidean for the RDM, and its code correlates Pearson
similarities (`rdm="correlation"` here: distance = 1 - r on both sides, so the score is the same). Ties get average
ranks. Correlation and cosine distances are rounded to 12 decimals: equal rows must tie whatever the last bit says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist, squareform

from atlas.metrics.matched import Rows, matched
from atlas.metrics.registry import metric

Rdm = Literal["euclidean", "correlation", "cosine"]
Compare = Literal["spearman", "pearson", "kendall"]


@dataclass(frozen=True, slots=True)
class Rsa:
    """Agreement of two sets of pairwise distances."""

    score: float
    """Correlation of the distances, in [-1, 1]; 0 on average over all permutations of the rows of one side."""

    n: int
    """Matched rows compared."""

    @property
    def n_pairs(self) -> int:
        """Pairs of rows, n (n - 1) / 2."""
        return self.n * (self.n - 1) // 2


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRsa:
    """Both RDMs, ranked if ranks are compared. Permuting the rows of y re-indexes its RDM and changes no rank."""

    x: NDArray[np.float64]
    """(n_pairs,) distances or ranks of x, centred and of length 1, so that a dot product is a correlation."""

    y: NDArray
    """(n, n) centred distances, or doubled average ranks: integers, half the memory of floats."""

    y_norm: float
    """Length of the centred strict triangle of y, > 0."""

    def result(self) -> Rsa:
        """The metric of x and y as given."""
        n = len(self.y)
        return Rsa(self.permuted(np.arange(n)), n)

    def permuted(self, order: NDArray[np.intp]) -> float:
        """The score of x and y[order]; row by row, so it needs no memory of the size of the pairs."""
        total, start = 0.0, 0
        for i in range(len(order) - 1):
            others = order[i + 1 :]
            total += float(self.x[start : start + len(others)] @ self.y[order[i]].take(others))
            start += len(others)
        return max(-1.0, min(1.0, total / self.y_norm))


@dataclass(frozen=True, slots=True, eq=False)
class PreparedKendall:
    """Both RDMs as ranks, for Kendall's tau-b: n_pairs log n_pairs a permutation."""

    x: NDArray
    """(n_pairs,) doubled average ranks of the distances of x."""

    y: NDArray
    """(n, n) doubled average ranks of the distances of y."""

    def result(self) -> Rsa:
        """The metric of x and y as given."""
        n = len(self.y)
        return Rsa(self.permuted(np.arange(n)), n)

    def permuted(self, order: NDArray[np.intp]) -> float:
        """The score of x and y[order]."""
        from scipy.stats import kendalltau  # 0.5 s to import, for one option

        y = squareform(self.y[np.ix_(order, order)], checks=False)
        return float(np.asarray(kendalltau(self.x, y, method="asymptotic"))[0])


def prepare(
    x: ArrayLike, y: ArrayLike, *, rdm: Rdm = "euclidean", compare: Compare = "spearman"
) -> PreparedRsa | PreparedKendall:
    """Compute and rank both RDMs; arguments as in `rsa`. Peak memory is about 50 bytes a pair of rows."""
    for option, known in ((rdm, get_args(Rdm)), (compare, get_args(Compare))):
        if option not in known:
            raise ValueError(f"{option!r} is none of {', '.join(known)}")
    x, y = matched(x, y)
    rdm_x, rdm_y = _distances(x, rdm, "x"), _distances(y, rdm, "y")
    if compare == "pearson":
        rdm_y -= rdm_y.mean()
    else:
        rdm_x, rdm_y = _doubled_ranks(rdm_x), _doubled_ranks(rdm_y)
    square_y = squareform(rdm_y, checks=False)
    if compare == "kendall":
        return PreparedKendall(rdm_x, square_y)
    centred_x = rdm_x - rdm_x.mean()
    return PreparedRsa(centred_x / np.linalg.norm(centred_x), square_y, float(np.linalg.norm(rdm_y - rdm_y.mean())))


@metric(title="RSA", invariances={"translation", "scaling", "rotation"}, prepare=prepare)
def rsa(x: ArrayLike, y: ArrayLike, *, rdm: Rdm = "euclidean", compare: Compare = "spearman") -> Rsa:
    """Compare which pairs of rows are near and which are far, in two matched samples.

    Args:
        x: n samples by p dimensions.
        y: The same n samples, in the same order, by q dimensions.
        rdm: Distance between two rows.
        compare: Correlation between the two sets of distances; Kendall's is tau-b.
    """
    return prepare(x, y, rdm=rdm, compare=compare).result()


def _distances(x: Rows, rdm: Rdm, name: str) -> NDArray:
    """(n_pairs,) strict upper triangle of the RDM, row by row, or ValueError where it says nothing."""
    without = {"euclidean": None, "correlation": np.ptp(x, axis=1) == 0, "cosine": ~x.any(axis=1)}[rdm]
    if without is not None and without.any():
        state = "constant" if rdm == "correlation" else "zero"
        raise ValueError(f"row {np.flatnonzero(without)[0]} of {name} is {state}: its {rdm} distance is undefined")
    distances = pdist(x, rdm)
    if rdm != "euclidean":
        distances = distances.round(12)
    if np.ptp(distances) <= 1e-12 * distances.max():
        raise ValueError(f"the {rdm} RDM of {name} has no variance: all pairs of its rows are equally far apart")
    return distances


def _doubled_ranks(values: NDArray) -> NDArray[np.int32]:
    """Average ranks, times two to be whole; exact in 32 bits up to 46,341 rows."""
    if 2 * len(values) >= np.iinfo(np.int32).max:
        raise ValueError(f"{len(values)} pairs are too many to rank; take a sample of at most 46,341 rows")
    order = np.argsort(values)
    ordered = values[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    size = np.diff(np.append(first, len(values)))
    ranks = np.empty(len(values), dtype=np.int32)
    ranks[order] = np.repeat((2 * first + size + 1).astype(np.int32), size)
    return ranks
