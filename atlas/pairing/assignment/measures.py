"""The full matrix of every measure as a source of rows, which is never built; values are those of `correlate`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.assignment.sources import CorrelationSource, CosineSource, InnerSource, Source
from atlas.pairing.measures.activation import correlate_sparse
from atlas.pairing.measures.attribution import correlate_attributions
from atlas.pairing.measures.coactivation import Kind, firing, value_of_counts
from atlas.pairing.measures.masked import unit_energy, with_values
from atlas.pairing.measures.registry import Measure
from atlas.pairing.measures.weights import logit_vectors, preactivation_vectors
from atlas.pairing.search.bothways import Exact
from atlas.pairing.search.chance import draw_shifts, roll_tokens
from atlas.pairing.search.standardised import Standardised

KINDS: tuple[Kind, ...] = ("jaccard", "lift", "conditional")
"""Measures that are a function of the tokens on which each feature and both fire."""


class CofiringSource(Source):
    """Jaccard, lift or conditional of the features of two scans; 0 where two never fire together."""

    def __init__(self, a: Any, b: Any, kind: Kind) -> None:
        """Take (n_tokens, d_a) and (n_tokens, d_b) activations >= 0, any SciPy sparse arrays."""
        self._x, y = firing(a, "a"), firing(b, "b")
        self._by_token = sp.csr_array(y.T)
        n_a, n_b = (np.diff(side.indptr).astype(np.int64) for side in (self._x, y))
        self._value: Exact = value_of_counts(kind, a.shape[0], n_a, n_b)
        self.shape = (a.shape[1], b.shape[1])

    def take(self, ids: NDArray) -> NDArray:
        """Rows of values."""
        counts: Any = sp.csr_array(self._x[ids] @ self._by_token)
        feature = np.repeat(ids, np.diff(counts.indptr))
        counts.data = self._value(feature, counts.indices, counts.data)
        return counts.toarray()


class MaskedSource(Source):
    """Masked cosine of the features of two scans, as `masked_cosine` has it; 0 where two never fire together."""

    def __init__(self, a: Any, b: Any) -> None:
        """Take (n_tokens, d_a) and (n_tokens, d_b) activations >= 0, any SciPy sparse arrays."""
        self._x, y = unit_energy(a, "a"), sp.csr_array(unit_energy(b, "b").T)
        self._y, self._y2, self._fires_y = y, with_values(y, y.data**2), with_values(y, np.ones(y.nnz))
        self.shape = (a.shape[1], b.shape[1])

    def take(self, ids: NDArray) -> NDArray:
        """Rows of values."""
        x: Any = sp.csr_array(self._x[ids])
        dot = (x @ self._y).toarray()
        y_where_x = (with_values(x, np.ones(x.nnz)) @ self._y2).toarray()
        x_where_y = (with_values(x, x.data**2) @ self._fires_y).toarray()
        energy = np.minimum(y_where_x, x_where_y, out=y_where_x)
        values = np.divide(dot, np.sqrt(energy, out=energy), out=np.zeros_like(dot), where=energy > 0)
        return np.minimum(values, 1.0, out=values)


def source_of_measure(measure: Measure, arguments: tuple[Any, ...]) -> Source:
    """The matrix of a measure; 0 where it is undefined. That of weights says which rows and columns are (`defined`).

    Args:
        measure: An entry of `MEASURES`.
        arguments: What its function takes, as in `Sides`.

    Raises:
        ValueError: Its matrix is not known here.
    """
    if measure.needs in ("decoders", "encoders"):
        return CosineSource(*arguments)
    if measure.needs == "encoders and covariance":
        return InnerSource(*preactivation_vectors(*arguments))
    if measure.needs == "decoders and grams":
        return InnerSource(*logit_vectors(*arguments))
    for kind in KINDS:
        if measure.name == kind:
            return CofiringSource(arguments[0], arguments[1], kind)
    if measure.name == "masked_cosine":
        return MaskedSource(*arguments)
    if measure.name == "phi":
        return CorrelationSource(*(firing(side, name).T for side, name in zip(arguments, "ab", strict=True)))
    if measure.function in (correlate_sparse, correlate_attributions):
        return CorrelationSource(*arguments, signed=measure.needs == "attributions")
    raise ValueError(f"no matrix is known of the measure {measure.name!r}")


def over_tokens(measure: Measure) -> bool:
    """Whether the measure compares what features do on tokens, rather than their weights."""
    return measure.chance == "shifted tokens"


def unrelated(measure: Measure, arguments: tuple[Any, ...], seed: int) -> tuple[tuple[Any, ...], int | None]:
    """The same arguments with nothing that belongs together.

    Tokens of b are rolled, by the first shift that `shift_null` draws from this seed; weights of both sides are
    replaced by Gaussian random vectors of their shapes; rows of zeros and what they are multiplied with stay.

    Raises:
        ValueError: Too few tokens to be rolled, as of `draw_shifts`.

    Returns:
        The arguments, and the shift; None for weights.
    """
    rng = np.random.default_rng(np.random.PCG64(seed))
    a, b, *others = arguments
    if not over_tokens(measure):
        drawn = (rng.standard_normal(side.shape, dtype=np.float32) * side.any(axis=1)[:, None] for side in (a, b))
        return (*drawn, *others), None
    shift = int(draw_shifts(rng, a.shape[0])[0])
    return (a, b.rolled(shift) if isinstance(b, Standardised) else roll_tokens(b, shift), *others), shift
