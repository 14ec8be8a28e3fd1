"""Exact Pearson correlation of every feature of one SAE with every feature of another, kept as top-k both ways.

The correlation is over all tokens, silent tokens included, with population standard deviations and float64 sums. One
sparse product, block by block, gives r of the pairs that fire together; `silent` adds those that never do and still
belong among the best. So the top-k is that of the full d_a x d_b matrix, which is never built.

Departures from arXiv 2410.06981 and its code: both directions, not B to A only; r is not (n-1)/n too small; a dead or
constant feature has no correlation, where the code gives it r = 0 with everything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.measures.measure import Measure
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.pearson import best_correlations
from atlas.pairing.search.products import check_sizes, joint_counts, sums_at, threads
from atlas.pairing.search.source import Source
from atlas.pairing.search.standardised import Standardised, standardised
from atlas.pairing.search.topk import TopPairs, Values


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
        same: A and B are one SAE: no feature is its own partner.
        signed: Allow values below zero, as of attributions.
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


class CorrelationSource(Source):
    """Rows of r, in [-1, 1]; 0 where r is undefined. Arguments as in `correlate_sparse`."""

    def __init__(self, a: Any, b: Any, *, signed: bool = False) -> None:
        check_sizes(a.shape[0], b.shape[0])
        x, y = standardised(a, "a", signed), standardised(b, "b", signed)
        self._by_feature, self._by_token = x.by_feature, y.by_token
        self._ratios = np.nan_to_num(x.ratio), np.nan_to_num(y.ratio)
        self.shape = (a.shape[1], b.shape[1])

    def take(self, ids: NDArray) -> NDArray:
        r = (self._by_feature[ids] @ self._by_token).toarray()
        r -= self._ratios[0][ids, None] * self._ratios[1]
        return np.clip(r, -1.0, 1.0, out=r)


ACTIVATION = Measure(
    name="activation",
    meaning="Pearson correlation of the activations over tokens",
    needs="activations",
    search=correlate_sparse,
    at=correlations_at,
    rows=CorrelationSource,
    label="r",
    prepare=Standardised.of,
    in_blocks=lambda scan: scan,
    bytes_per_activation=40,
)
