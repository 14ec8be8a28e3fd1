"""Similarities of which tokens two features fire on, how strongly left aside: phi, Jaccard, lift, conditional.

With n tokens, n_a and n_b on which each feature fires and n_ab on which both do, all exact counts:

    phi          (n n_ab - n_a n_b) / sqrt(n_a n_b (n - n_a) (n - n_b)), the Pearson correlation of "fires"
    jaccard      n_ab / (n_a + n_b - n_ab)
    lift         n n_ab / (n_a n_b): 1 where the features are independent; its logarithm is their PMI
    conditional  n_ab / n_a = P(b fires | a fires), in both directions of the search

Only phi ranks pairs that never fire together; the others leave them out, as their value is 0 for all of them.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.activation import correlate_sparse, correlations_at
from atlas.pairing.search.bothways import Exact, Progress, SparseBlock
from atlas.pairing.search.products import best_cofiring, check_sizes, joint_at, product, threads
from atlas.pairing.search.standardised import checked, small
from atlas.pairing.search.topk import Values
from atlas.pairing.search.toppairs import TopPairs

Kind = Literal["phi", "jaccard", "lift", "conditional"]


def coactivation(
    a: Any,
    b: Any,
    *,
    kind: Kind = "phi",
    top_k: int = 10,
    block_size: int = 1024,
    workers: int | None = None,
    on_progress: Progress | None = None,
    same: bool = False,
) -> TopPairs:
    """Find the partners that fire on the same tokens, in both directions.

    Args:
        a: (n_tokens, d_a) activations >= 0, any SciPy sparse array; stored zeros count as silent.
        b: (n_tokens, d_b) activations of the other SAE on the same tokens, in the same order.
        kind: `phi` in [-1, 1], `jaccard` in [0, 1], `lift` >= 0 or `conditional` in [0, 1].
        top_k: Partners kept for each feature.
        block_size: Most features of `a` in one product; changes memory and time only.
        workers: Threads; None is one per core, 8 at most; changes time only.
        on_progress: Called as `on_progress(done, total)`, counted in features of `a`.
        same: Both sides are one SAE: no feature is its own partner.
    """
    check_sizes(a.shape[0], b.shape[0], top_k, block_size)
    if kind not in ("phi", "jaccard", "lift", "conditional"):
        raise ValueError(f"no kind of coactivation named {kind!r}; known: phi, jaccard, lift, conditional")
    x, y = (firing(side, name) for side, name in ((a, "a"), (b, "b")))
    options: Any = {"top_k": top_k, "block_size": block_size, "workers": workers, "on_progress": on_progress}
    if kind == "phi":
        return correlate_sparse(x.T, y.T, same=same, **options)
    n_tokens, n_a, n_b = a.shape[0], np.diff(x.indptr).astype(np.int64), np.diff(y.indptr).astype(np.int64)
    exact = value_of_counts(kind, n_tokens, n_a, n_b)
    by_token = sp.csr_array(y.T)

    def block_of(features: NDArray) -> SparseBlock:
        counts = product(x, features, by_token, same=same)
        feature = np.repeat(features, np.diff(counts.indptr))
        counts.data = exact(feature, counts.indices, counts.data)
        return SparseBlock(features, counts)

    return best_cofiring(x, y, by_token, block_of, **options)


def coactivations_at(
    a: Any, b: Any, features: NDArray, partners: NDArray, *, kind: Kind = "phi", workers: int | None = None
) -> Values:
    """(n,) values of given pairs, 0 where they never fire together and NaN where undefined; as in `coactivation`."""
    x, y = (firing(side, name) for side, name in ((a, "a"), (b, "b")))
    if kind == "phi":
        return correlations_at(x.T, y.T, features, partners, workers=workers)
    with threads(workers) as pool:
        joint = joint_at(x, y, features, partners, pool)
    n_a, n_b = (np.diff(side.indptr).astype(np.int64) for side in (x, y))
    exact = value_of_counts(kind, a.shape[0], n_a, n_b)
    with np.errstate(invalid="ignore"):
        return exact(features, partners, joint.astype(np.float64))


def value_of_counts(kind: Kind, n_tokens: int, n_a: NDArray[np.int64], n_b: NDArray[np.int64]) -> Exact:
    """The similarity as a function of features, partners and the tokens on which both fire."""

    def value(feature: NDArray, partner: NDArray, joint: Values) -> Values:
        if kind == "jaccard":
            return joint / (n_a[feature] + n_b[partner] - joint)
        if kind == "lift":
            return n_tokens * joint / (n_a[feature] * n_b[partner])
        return joint / n_a[feature]

    return value


def firing(activations: Any, name: str) -> Any:
    """(d, n_tokens) ones where a feature fires, in float64: the product counts exactly up to 2^53 tokens."""
    x = checked(activations, name)
    return sp.csr_array((np.ones(x.nnz), *small(x.indices, x.indptr)), shape=x.shape[::-1])
