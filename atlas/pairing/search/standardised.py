"""One scan scaled for correlation: sparse, float64, so that a plain product is almost Pearson's r.

With mean mu and population standard deviation sd over all n tokens, silent ones included, and x' = x / (sd sqrt(n)):

    r(x, y) = sum(x' y') - (mu_x / sd_x) (mu_y / sd_y)

The sum runs over tokens where both fire, so a sparse product gives it. The scaling comes first because it makes r
the same bits in both directions and independent of the units of x and y.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_LARGE = 1e100
"""Neither its square nor that of its inverse leaves the range of float64, nor do sums over all tokens."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Mean and spread of every feature over the tokens seen so far; `merge` gives those of two runs of tokens."""

    n_tokens: int
    """Tokens seen, silent ones included."""
    n_fired: NDArray[np.int64]
    """(d_sae,) tokens on which each feature fires."""
    mean: NDArray[np.float64]
    """(d_sae,) mean over all tokens; of a constant feature exactly its value."""
    squares: NDArray[np.float64]
    """(d_sae,) sum of squared deviations from the mean; exactly 0 for a constant feature."""

    @classmethod
    def of(cls, x: Any) -> Moments:
        """Moments of canonical (n_tokens, d_sae) activations without stored zeros."""
        n_tokens = x.shape[0]
        n_fired = np.diff(x.indptr).astype(np.int64)
        mean = np.asarray(x.sum(axis=0)).ravel() / max(n_tokens, 1)
        squares = np.asarray(x.power(2).sum(axis=0)).ravel() - n_tokens * mean**2
        # Only where a feature is never silent can the mean be so large that the line above loses digits.
        for feature in np.flatnonzero(n_fired == n_tokens) if n_tokens else ():
            column = x.data[x.indptr[feature] : x.indptr[feature + 1]]
            if np.all(column == column[0]):
                mean[feature] = column[0]
            squares[feature] = np.sum((column - mean[feature]) ** 2)
        return cls(n_tokens, n_fired, mean, np.maximum(squares, 0.0))

    def merge(self, other: Moments) -> Moments:
        """Moments over both runs of tokens (Chan, Golub & LeVeque 1983)."""
        n = self.n_tokens + other.n_tokens
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.n_tokens / max(n, 1))
        squares = self.squares + other.squares + apart**2 * (self.n_tokens * other.n_tokens / max(n, 1))
        return Moments(n, self.n_fired + other.n_fired, mean, squares)

    def of_ones(self) -> Moments:
        """Moments where all activations are 1: from the counts, so that merging does not change the last bits."""
        mean = self.n_fired / max(self.n_tokens, 1)
        squares = np.where(self._always_on, 0.0, np.maximum(self.n_fired - self.n_tokens * mean**2, 0.0))
        return Moments(self.n_tokens, self.n_fired, mean, squares)

    @property
    def sd(self) -> NDArray[np.float64]:
        """(d_sae,) population standard deviation; NaN where it is 0, as r is undefined there."""
        sd = np.sqrt(self.squares / max(self.n_tokens, 1))
        return np.where(sd > 0, sd, np.nan)

    @property
    def ratio(self) -> NDArray[np.float64]:
        """(d_sae,) mean over standard deviation of what `scaled` leaves; NaN where r is undefined."""
        return np.where(self._always_on, 0.0, self.mean) / self.sd

    @property
    def _always_on(self) -> NDArray[np.bool_]:
        return self.n_fired == self.n_tokens

    def scaled(self, x: Any) -> Any:
        """x / (sd sqrt(n)) for some of the tokens, in place; features that are never silent are centred first.

        Features without a correlation lose their entries.
        """
        lengths = np.diff(x.indptr)
        for feature in np.flatnonzero(self._always_on & (lengths > 0)):
            x.data[x.indptr[feature] : x.indptr[feature + 1]] -= self.mean[feature]
        defined = ~np.isnan(self.sd)
        x.data /= np.repeat(self.sd * np.sqrt(self.n_tokens), lengths)
        if not np.any(lengths[~defined]):
            return x
        keep = np.repeat(defined, lengths)
        indptr = np.concatenate([[0], np.cumsum(np.where(defined, lengths, 0))])
        return sp.csc_array((x.data[keep], x.indices[keep], indptr), shape=x.shape)


@dataclass(frozen=True, eq=False)
class Standardised:
    """The scaled activations of one SAE."""

    by_feature: Any
    """(d_sae, n_tokens) scaled activations, one feature a row; features without a correlation have an empty row."""
    ratio: NDArray[np.float64]
    """(d_sae,) mean over standard deviation; 0 for a feature on at every token; NaN where r is undefined."""
    n_fired: NDArray[np.int64]
    """(d_sae,) tokens on which each feature fires."""

    @classmethod
    def of(cls, activations: Any, *, name: str, signed: bool = False) -> Standardised:
        """Scale (n_tokens, d_sae) activations, any SciPy sparse array; stored zeros count as silent.

        Raises ValueError, with `name`, for values that are not finite, or below zero without `signed`.
        """
        x = moderated(checked(activations, name, signed=signed))
        return cls.by(Moments.of(x), x)

    @classmethod
    def by(cls, moments: Moments, x: Any) -> Standardised:
        """Scale some of the tokens by the moments of all; the canonical CSC `x` is changed in place."""
        x = moments.scaled(x)
        by_feature = sp.csr_array((x.data, *small(x.indices, x.indptr)), shape=x.shape[::-1])
        return cls(by_feature, moments.ratio, moments.n_fired)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_tokens, d_sae), as of the activations."""
        return self.by_feature.shape[1], self.by_feature.shape[0]

    def some(self, features: NDArray) -> Standardised:
        return Standardised(self.by_feature[features], self.ratio[features], self.n_fired[features])

    def rolled(self, shift: int) -> Standardised:
        """The token rows moved down by `shift`, the last ones to the top, as `np.roll`."""
        x = self.by_feature
        n_tokens = max(x.shape[1], 1)
        moved = ((x.indices.astype(np.int64) + shift) % n_tokens).astype(x.indices.dtype)
        return Standardised(sp.csr_array((x.data, moved, x.indptr), shape=x.shape), self.ratio, self.n_fired)

    @cached_property
    def by_token(self) -> Any:
        """(n_tokens, d_sae) scaled activations, one token a row."""
        return sp.csr_array(self.by_feature.T)

    @cached_property
    def support(self) -> Any:
        """(d_sae, n_tokens) booleans: where each feature fires; empty rows where r is undefined."""
        x = self.by_feature
        return sp.csr_array((np.ones(x.nnz, dtype=bool), x.indices, x.indptr), shape=x.shape)


def standardised(side: Any, name: str, signed: bool = False) -> Standardised:
    return side if isinstance(side, Standardised) else Standardised.of(side, name=name, signed=signed)


def fires(side: Any) -> Any:
    """(d_sae, n_tokens) booleans: where each feature of (n_tokens, d_sae) activations or attributions fires."""
    if isinstance(side, Standardised):
        return side.support
    x: Any = sp.csc_array(side, copy=True)
    x.sum_duplicates()
    x.eliminate_zeros()
    return sp.csr_array((np.ones(x.nnz, dtype=bool), *small(x.indices, x.indptr)), shape=x.shape[::-1])


def checked(activations: Any, name: str, *, signed: bool = False) -> Any:
    """A private canonical float64 CSC copy without stored zeros; ValueError as of `Standardised.of`."""
    x = sp.csc_array(activations, dtype=np.float64, copy=True)
    x.sum_duplicates()
    if not np.isfinite(x.data).all():
        raise ValueError(f"{name} holds values that are not finite; activations must be finite and >= 0")
    if x.nnz and not signed and x.data.min() < 0:
        raise ValueError(f"{name} holds negative values; activations must be >= 0 (after the SAE's own ReLU or TopK)")
    x.eliminate_zeros()
    return x


def moderated(x: Any) -> Any:
    """Features of a canonical CSC in units in which no square overflows or vanishes, in place: times 2^n, exact."""
    fires = np.flatnonzero(np.diff(x.indptr))
    largest = np.ones(x.shape[1])
    if len(fires):
        largest[fires] = np.maximum.reduceat(np.abs(x.data), x.indptr[fires])
    if largest.max(initial=1.0) > _LARGE or largest.min(initial=1.0) < 1 / _LARGE:
        x.data = np.ldexp(x.data, -np.repeat(np.frexp(largest)[1], np.diff(x.indptr)))
    return x


def small(indices: NDArray, indptr: NDArray) -> tuple[NDArray, NDArray]:
    """Indices of 4 bytes where they fit: SciPy keeps 8 once given 8, and the product is bound by memory."""
    dtype = np.int32 if indptr[-1] < np.iinfo(np.int32).max else np.int64
    return indices.astype(dtype, copy=False), indptr.astype(dtype, copy=False)
