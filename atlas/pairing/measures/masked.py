"""Masked cosine: how alike two features are where one of them fires; finds features that split in a wider SAE.

Bricken et al. 2023, "Towards Monosemanticity", footnote 32: with sums over tokens,

    m(f, g) = max( sum f g / sqrt(sum f^2  sum_{f>0} g^2),  sum f g / sqrt(sum g^2  sum_{g>0} f^2) )

A feature that fires on a part of the tokens of another, as strongly, has m = 1, where the plain cosine is low.
Pairs that never fire together are left out: their m is 0 by definition. Rare features reach high values by chance;
judge them by `joint_ab`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.measure import Measure
from atlas.pairing.search.cofiring import Cofiring
from atlas.pairing.search.products import product, sums_at, threads
from atlas.pairing.search.standardised import checked, moderated, small
from atlas.pairing.search.topk import Values

_MINIMUM = 1e-145
"""Squares of values of unit energy down to here, and products of two, are normal numbers."""


def masked_cosines_at(a: Any, b: Any, features: NDArray, partners: NDArray, *, workers: int | None = None) -> Values:
    """(n,) masked cosines of given pairs: 0 where they never fire together, NaN where one never fires."""
    x, y = unit_energy(a, "a"), unit_energy(b, "b")
    with threads(workers) as pool:
        dot = sums_at(x, y, features, partners, pool)
        y_where_x = sums_at(with_values(x, np.ones(x.nnz)), with_values(y, y.data**2), features, partners, pool)
        x_where_y = sums_at(with_values(x, x.data**2), with_values(y, np.ones(y.nnz)), features, partners, pool)
    smaller = np.minimum(y_where_x, x_where_y)
    value = np.minimum(np.divide(dot, np.sqrt(smaller), out=np.zeros(len(dot)), where=smaller > 0), 1.0)
    fire = (np.diff(x.indptr)[features] > 0) & (np.diff(y.indptr)[partners] > 0)
    return np.where(fire, value, np.nan)


class MaskedSource(Cofiring):
    """The matrix of all masked cosines, in [0, 1]; 0 for pairs that never fire together.

    Args:
        a: (n_tokens, d_a) activations >= 0, any SciPy sparse array; stored zeros count as silent.
        b: (n_tokens, d_b) activations of the other SAE on the same tokens, in the same order.
    """

    def __init__(self, a: Any, b: Any) -> None:
        super().__init__(unit_energy(a, "a"), unit_energy(b, "b"))
        x, y = self.x, self.by_token
        self._x2, self._fires_x = with_values(x, x.data**2), with_values(x, np.ones(x.nnz))
        self._y2, self._fires_y = with_values(y, y.data**2), with_values(y, np.ones(y.nnz))

    def pairs(self, features: NDArray, *, same: bool = False) -> Any:
        """Masked cosine of given features of x with every feature of y, as a sparse matrix."""
        dot = product(self.x, features, self.by_token, same=same)
        y_where_x = product(self._fires_x, features, self._y2, same=same)
        x_where_y = product(self._x2, features, self._fires_y, same=same)
        # The three have one pattern, but the order of their entries may differ.
        for sums in (dot, y_where_x, x_where_y):
            sums.sort_indices()
        # Both SAEs have unit energy, so the whole energies are 1; the larger value has the smaller energy below.
        dot.data /= np.sqrt(np.minimum(y_where_x.data, x_where_y.data))
        np.minimum(dot.data, 1.0, out=dot.data)
        return dot


def unit_energy(activations: Any, name: str) -> Any:
    """(d, n_tokens) activations over the root of their sum of squares.

    Raises:
        ValueError: Values that are not finite or below zero, or so far apart in one feature that squares vanish.
    """
    x = moderated(checked(activations, name))
    by_feature = sp.csr_array((x.data, *small(x.indices, x.indptr)), shape=x.shape[::-1])
    energy = np.asarray(by_feature.power(2).sum(axis=1)).ravel()
    by_feature.data /= np.repeat(np.sqrt(energy), np.diff(by_feature.indptr))
    # Features that fire together must have a sum of products other than 0: a sparse product has no entry for a 0.
    if by_feature.nnz and by_feature.data.min() < _MINIMUM:
        raise ValueError(f"{name} holds a feature whose activations are more than 1e140 times apart")
    return by_feature


def with_values(x: Any, data: NDArray) -> Any:
    """Other values at the same entries, indices shared."""
    return sp.csr_array((data, x.indices, x.indptr), shape=x.shape)


MASKED = Measure(
    name="masked_cosine",
    meaning="cosine of the activations where one of the two fires; 1 where a feature is a part of another",
    needs="activations",
    search=lambda a, b, **options: MaskedSource(a, b).best(**options),
    at=masked_cosines_at,
    rows=MaskedSource,
    low=0.0,
    bytes_per_activation=72,
)
