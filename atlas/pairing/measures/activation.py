"""Exact Pearson correlation of every feature of one SAE with every feature of another, kept as top-k both ways.

The correlation is over all tokens, silent ones included, with population standard deviations and float64 sums. One
sparse product, block by block, gives r of the pairs that fire together; `silent` adds those that never do and still
belong among the best. So the top-k is that of the full d_a x d_b matrix, which is never built.

Departures from arXiv 2410.06981 and its code: both directions, not B to A only; r is not (n-1)/n too small; a dead or
constant feature has no correlation, where the code gives it r = 0 with everything.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.search.bothways import Progress, SparseBlock, Top, both_ways
from atlas.pairing.search.products import blocks, check_sizes, have_sums, joint_counts, product, sums_at, threads
from atlas.pairing.search.silent import silent_best, with_silent
from atlas.pairing.search.standardised import Standardised
from atlas.pairing.search.topk import Values
from atlas.pairing.search.toppairs import TopPairs


def correlate_sparse(
    a: Any,
    b: Any,
    *,
    top_k: int = 10,
    block_size: int = 1024,
    workers: int | None = None,
    on_progress: Progress | None = None,
    same: bool = False,
    signed: bool = False,
) -> TopPairs:
    """Find the most correlated partners of every feature, in both directions and in one pass.

    Args:
        a: (n_tokens, d_a) activations >= 0, any SciPy sparse array (stored zeros count as silent), or a `Standardised`.
        b: (n_tokens, d_b) activations of the other SAE on the same tokens, in the same order.
        top_k: Partners kept for each feature.
        block_size: Most features of `a` in one product; changes memory and time only.
        workers: Threads; None is one per core, 8 at most. Each takes up to 100 MB; changes time only.
        on_progress: Called as `on_progress(done, total)`, counted in features of `a`, from the calling thread.
        same: Both sides are one SAE: no feature is its own partner.
        signed: Take values below zero, as attributions have them.
    """
    check_sizes(a.shape[0], b.shape[0], top_k, block_size)
    x, y = standardised(a, "a", signed), standardised(b, "b", signed)
    with threads(workers) as pool:
        ab, ba = best_correlations(x, y, top_k, pool, block_size=block_size, on_progress=on_progress, same=same)
        joint_ab = joint_counts(x.support, y.support, ab[0], pool)
        joint_ba = joint_counts(y.support, x.support, ba[0], pool)
    return TopPairs(*ab, *ba, joint_ab, joint_ba, x.n_fired, y.n_fired, a.shape[0])


def correlations_at(
    a: Any, b: Any, features: NDArray, partners: NDArray, *, signed: bool = False, workers: int | None = None
) -> Values:
    """(n,) correlations of given pairs, NaN where undefined; arguments as in `correlate_sparse`."""
    x, y = standardised(a, "a", signed), standardised(b, "b", signed)
    with threads(workers) as pool:
        sums = sums_at(x.by_feature, y.by_feature, features, partners, pool)
    return np.clip(sums - x.ratio[features] * y.ratio[partners], -1.0, 1.0)


def best_correlations(
    x: Standardised,
    y: Standardised,
    k: int,
    pool: Executor,
    *,
    block_size: int = 1024,
    on_progress: Progress | None = None,
    same: bool = False,
) -> tuple[Top, Top]:
    """The k best partners of every feature of x, and of every feature of y; without counts."""
    pearson = Pearson(x.ratio, y.ratio)

    def block_of(features: NDArray) -> SparseBlock:
        return pearson.block(features, product(x.by_feature, features, y.by_token, same=same))

    cut = blocks(x.by_feature, y.by_token, block_size)
    ab, ba = both_ways((len(x.ratio), len(y.ratio)), k, cut, block_of, pool, on_progress)
    return (
        with_silent(ab, x.ratio, y.ratio, lambda f, p: have_sums(x.by_feature, y.by_feature, f, p), not_self=same),
        with_silent(ba, y.ratio, x.ratio, lambda f, p: have_sums(y.by_feature, x.by_feature, f, p), not_self=same),
    )


class Pearson:
    """How r follows from the sum of the products of two standardised features."""

    def __init__(self, ratio_x: Values, ratio_y: Values) -> None:
        """Take mean over standard deviation of the features of both sides, (d_x,) and (d_y,)."""
        self._ratio_x, self._ratio_y = ratio_x, ratio_y
        self._slack_x, self._slack_y = _excess(ratio_x, ratio_y), _excess(ratio_y, ratio_x)
        self._signed = bool(self._slack_x.any())

    def block(self, features: NDArray, sums: Any) -> SparseBlock:
        """The correlations of some features, from the CSR of their sums (len(features), d_y), which it takes over."""
        if not self._signed:  # r is clipped, and its bound must not lie below
            np.maximum(sums.data, -1.0, out=sums.data)
        return SparseBlock(features, sums, self._exact, (self._slack_x[features], self._slack_y))

    def _exact(self, feature: NDArray, partner: NDArray, sums: Values) -> Values:
        return np.clip(sums - self._ratio_x[feature] * self._ratio_y[partner], -1.0, 1.0)


def _excess(ratio_x: Values, ratio_y: Values) -> Values:
    """(d_x,) by how much r can exceed the sum, with room for rounding: the largest r without a common token, or 0."""
    largest = np.nan_to_num(silent_best(ratio_x, ratio_y), nan=0.0, neginf=0.0)
    # With signs every feature gets the room, as sums below -1 stay as they are.
    return np.maximum(largest, 0.0) + 1e-9 if np.any(largest > 0) else np.zeros(len(ratio_x))


def standardised(side: Any, name: str, signed: bool) -> Standardised:
    """The side as given, or scaled if it is an array of activations; `name` goes into errors."""
    return side if isinstance(side, Standardised) else Standardised.of(side, name=name, signed=signed)
