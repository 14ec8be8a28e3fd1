"""One scan as correlation needs it: sparse, float64, scaled so that a plain product almost is Pearson's r.

With mean mu and population standard deviation sd over all n tokens, silent ones included, and x' = x / (sd sqrt(n)):

    r(x, y) = sum(x' y') - (mu_x / sd_x) (mu_y / sd_y)

The sum runs over tokens where both fire, so a sparse product gives it. The scaling comes first because it makes r
the same bits in both directions and independent of the units of either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Standardised:
    """The scaled activations of one side."""

    by_feature: sp.csr_array
    """(d_sae, n_tokens) scaled activations, one feature a row; features without a correlation have an empty row."""

    ratio: NDArray[np.float64]
    """(d_sae,) mean over standard deviation, >= 0; 0 for a feature on at every token; NaN where r is undefined."""

    n_fired: NDArray[np.int64]
    """(d_sae,) tokens with activation > 0."""

    @classmethod
    def of(cls, activations: Any, *, name: str) -> Standardised:
        """Scale (n_tokens, d_sae) activations, given as any SciPy sparse array or matrix; `name` goes into errors."""
        x = _checked(activations, name)
        n_tokens, d_sae = activations.shape
        n_fired = np.diff(x.indptr).astype(np.int64)
        mean = np.asarray(x.sum(axis=0)).ravel() / max(n_tokens, 1)
        mean = _centre_always_on(x, n_fired, mean)
        squares = np.asarray(x.power(2).sum(axis=0)).ravel()
        sd = np.sqrt(np.maximum(squares / max(n_tokens, 1) - mean**2, 0.0))
        defined = sd > 0
        sd[~defined] = np.nan
        x.data /= np.repeat(sd * np.sqrt(n_tokens), n_fired)
        if np.any(n_fired[~defined]):
            keep = np.repeat(defined, n_fired)
            indptr = np.concatenate([[0], np.cumsum(np.where(defined, n_fired, 0))])
            x = sp.csc_array((x.data[keep], x.indices[keep], indptr), shape=x.shape)
        by_feature = sp.csr_array((x.data, *_small(x.indices, x.indptr)), shape=(d_sae, n_tokens))
        return cls(by_feature, mean / sd, n_fired)

    @cached_property
    def by_token(self) -> sp.csr_array:
        """(n_tokens, d_sae), the other factor of the product."""
        return sp.csr_array(self.by_feature.T)

    @cached_property
    def support(self) -> sp.csr_array:
        """(d_sae, n_tokens) booleans: where each feature fires."""
        x = self.by_feature
        return sp.csr_array((np.ones(x.nnz, dtype=bool), x.indices, x.indptr), shape=x.shape)

    @cached_property
    def by_ratio(self) -> NDArray[np.intp]:
        """Features with a correlation, smallest ratio first: the order of the best partners that never co-fire."""
        return np.argsort(self.ratio, kind="stable")[: np.count_nonzero(~np.isnan(self.ratio))]


def _checked(activations: Any, name: str) -> sp.csc_array:
    """A private canonical float64 copy without stored zeros, or ValueError."""
    x = sp.csc_array(activations, dtype=np.float64, copy=True)
    x.sum_duplicates()
    if not np.isfinite(x.data).all():
        raise ValueError(f"{name} holds values that are not finite; activations must be finite and >= 0")
    if x.nnz and x.data.min() < 0:
        raise ValueError(f"{name} holds negative values; activations must be >= 0 (after the SAE's own ReLU or TopK)")
    x.eliminate_zeros()
    return x


def _centre_always_on(x: Any, n_fired: NDArray, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract, in place, the mean of each feature that fires at every token; returns the means that remain.

    Only there can mean / sd be so large that the one-pass formula would lose digits. A constant feature becomes 0.
    """
    left = mean.copy()
    for feature in np.flatnonzero(n_fired == x.shape[0]) if x.shape[0] else ():
        column = x.data[x.indptr[feature] : x.indptr[feature + 1]]
        column -= column[0] if np.all(column == column[0]) else mean[feature]
        left[feature] = 0.0
    return left


def _small(indices: NDArray, indptr: NDArray) -> tuple[NDArray, NDArray]:
    """Indices of 4 bytes where they fit: SciPy keeps 8 once given 8, and the product is bound by memory."""
    dtype = np.int32 if indptr[-1] < np.iinfo(np.int32).max else np.int64
    return indices.astype(dtype, copy=False), indptr.astype(dtype, copy=False)
