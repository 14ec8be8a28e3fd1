"""Similarities of the sets of tokens on which two features fire: phi, Jaccard, lift, conditional.

With n tokens, n_a and n_b on which each feature fires and n_ab on which both do, all exact counts:

    phi          (n n_ab - n_a n_b) / sqrt(n_a n_b (n - n_a) (n - n_b)), the Pearson correlation of "fires"
    jaccard      n_ab / (n_a + n_b - n_ab)
    lift         n n_ab / (n_a n_b): 1 where the features are independent; its logarithm is their PMI
    conditional  n_ab / n_a = P(b fires | a fires), in both directions of the search

Only phi ranks pairs that never fire together; the others leave them out, as their value is 0 for all of them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.activation import CorrelationSource, correlate_sparse, correlations_at
from atlas.pairing.measures.measure import Measure
from atlas.pairing.search.cofiring import Cofiring
from atlas.pairing.search.products import joint_at, product, threads
from atlas.pairing.search.source import Source
from atlas.pairing.search.standardised import checked, small
from atlas.pairing.search.streamed import Firing
from atlas.pairing.search.topk import TopPairs, Values

Count = Literal["jaccard", "lift", "conditional"]
Kind = Literal["phi", "jaccard", "lift", "conditional"]


def coactivation(a: Any, b: Any, *, kind: Kind = "phi", **options: Any) -> TopPairs:
    """Find the partners of every feature that fire on the same tokens, in both directions.

    Args:
        a: (n_tokens, d_a) activations >= 0, any SciPy sparse array; stored zeros count as silent.
        b: (n_tokens, d_b) activations of the other SAE on the same tokens, in the same order.
        kind: `phi` in [-1, 1], `jaccard` in [0, 1], `lift` >= 0 or `conditional` in [0, 1].
        **options: As in `correlate_sparse`.
    """
    if kind == "phi":
        return correlate_sparse(firing(a, "a").T, firing(b, "b").T, **options)
    return _Counts(a, b, kind).best(**options)


def coactivations_at(
    a: Any, b: Any, features: NDArray, partners: NDArray, *, kind: Kind = "phi", workers: int | None = None
) -> Values:
    """(n,) values of given pairs, 0 where they never fire together and NaN where undefined; as in `coactivation`."""
    if kind == "phi":
        return correlations_at(firing(a, "a").T, firing(b, "b").T, features, partners, workers=workers)
    counts = _Counts(a, b, kind)
    with threads(workers) as pool:
        joint = joint_at(counts.x, counts.y, features, partners, pool)
    with np.errstate(invalid="ignore"):
        return counts.value(features, partners, joint.astype(np.float64))


def coactivation_source(a: Any, b: Any, *, kind: Kind = "phi") -> Source:
    """The matrix of all values, 0 for pairs that never fire together; arguments as in `coactivation`."""
    return CorrelationSource(firing(a, "a").T, firing(b, "b").T) if kind == "phi" else _Counts(a, b, kind)


class _Counts(Cofiring):
    """Measures that follow from the numbers of tokens on which each feature fires and both fire."""

    def __init__(self, a: Any, b: Any, kind: Count) -> None:
        if kind not in ("jaccard", "lift", "conditional"):
            raise ValueError(f"no kind of coactivation named {kind!r}; known: phi, jaccard, lift, conditional")
        super().__init__(firing(a, "a"), firing(b, "b"))
        self._kind, self._n_tokens = kind, a.shape[0]
        self._n_a, self._n_b = (np.diff(side.indptr).astype(np.int64) for side in (self.x, self.y))

    def pairs(self, features: NDArray, *, same: bool = False) -> Any:
        counts = product(self.x, features, self.by_token, same=same)
        counts.data = self.value(np.repeat(features, np.diff(counts.indptr)), counts.indices, counts.data)
        return counts

    def value(self, features: NDArray, partners: NDArray, joint: Values) -> Values:
        """The values of pairs that fire together on `joint` tokens."""
        if self._kind == "jaccard":
            return joint / (self._n_a[features] + self._n_b[partners] - joint)
        if self._kind == "lift":
            return self._n_tokens * joint / (self._n_a[features] * self._n_b[partners])
        return joint / self._n_a[features]


def firing(activations: Any, name: str) -> Any:
    """(d, n_tokens) ones where a feature fires, in float64: the product counts exactly up to 2^53 tokens."""
    x = checked(activations, name)
    return sp.csr_array((np.ones(x.nnz), *small(x.indices, x.indptr)), shape=x.shape[::-1])


def _measure(kind: Kind, meaning: str, *, low: float = 0.0, **more: Any) -> Measure:
    search, at = partial(coactivation, kind=kind), partial(coactivations_at, kind=kind)
    rows = partial(coactivation_source, kind=kind)
    return Measure(name=kind, meaning=meaning, needs="activations", search=search, at=at, rows=rows, low=low, **more)


COACTIVATIONS = (
    _measure(
        "phi",
        "Pearson correlation, over tokens, of whether the features fire",
        aliases=("coactivation",),
        low=-1.0,
        in_blocks=Firing,
    ),
    _measure("jaccard", "tokens on which both fire, over tokens on which either fires"),
    _measure("lift", "how many times as often both fire as they would if independent", high=float("inf")),
    _measure(
        "conditional",
        "share of the tokens of the feature of A on which that of B fires too: P(b | a), for both ranks of a pair",
        symmetric=False,
    ),
)
