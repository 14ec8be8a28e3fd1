"""Activations by document instead of by token, for correlations over documents."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.activation import CorrelationSource, correlate_sparse, correlations_at
from atlas.pairing.measures.measure import Measure, Pool
from atlas.pairing.search.standardised import Standardised


def pool_documents(
    activations: Any, document: NDArray, *, how: Pool = "max", n_documents: int | None = None
) -> sp.csr_array:
    """Take the maximum or the mean activation of every feature in every document: (n_documents, d_sae) float64.

    The mean is over all tokens of the document, silent ones included. Max pooling grows with the length of a document;
    where lengths differ much, two features can correlate because of that alone.

    Args:
        activations: (n_tokens, d_sae) values >= 0, any SciPy sparse array.
        document: (n_tokens,) index of the document of each token, >= 0, in any order.
        how: `max` or `mean`.
        n_documents: Rows of the result; None is the highest index plus one. Documents without a token are empty.
    """
    x: Any = sp.csr_array(activations, dtype=np.float64)
    document = np.asarray(document)
    if len(document) != x.shape[0]:
        raise ValueError(f"{x.shape[0]} tokens need as many document indices, not {len(document)}")
    n = int(document.max(initial=-1)) + 1 if n_documents is None else n_documents
    if len(document) and (document.min() < 0 or document.max() >= n):
        raise ValueError(f"documents must be between 0 and {n - 1}, not {document.min()} to {document.max()}")
    if how == "mean":
        return _mean(x, document, n)
    if how != "max":
        raise ValueError(f"no pooling named {how!r}; known: max, mean")
    order = np.argsort(document, kind="stable")
    return largest_by_group(x[order], np.append(0, np.cumsum(np.bincount(document, minlength=n))))


def largest_by_group(x: Any, start: NDArray) -> sp.csr_array:
    """Maximum of every feature in every group of consecutive rows of CSR values >= 0, which are changed in place.

    `start` holds the first row of each group, from 0 to n_rows, (n_groups + 1,); the result is (n_groups, d_sae).
    """
    if len(start) - 1 == x.shape[0] and np.all(np.diff(start) == 1):
        return x
    merged = sp.csr_array((x.data, x.indices, x.indptr[start]), shape=(len(start) - 1, x.shape[1]))
    merged.sort_indices()  # a feature that fires on several rows of a group is repeated, side by side
    row = np.repeat(np.arange(len(start) - 1), np.diff(merged.indptr))
    begins = np.ones(len(row), bool)
    begins[1:] = (merged.indices[1:] != merged.indices[:-1]) | (row[1:] != row[:-1])
    first = np.flatnonzero(begins)
    largest = np.maximum.reduceat(merged.data, first) if len(first) else merged.data
    indptr = np.searchsorted(first, merged.indptr).astype(merged.indptr.dtype)
    return sp.csr_array((largest, merged.indices[first], indptr), shape=merged.shape)


def _mean(x: Any, document: NDArray, n: int) -> sp.csr_array:
    """Mean of every feature over the tokens of each document; of a constant feature exactly its value."""
    belongs = sp.csr_array((np.ones(len(document)), (document, np.arange(len(document)))), shape=(n, len(document)))
    pooled: Any = sp.csr_array(belongs @ x)
    pooled.data /= np.repeat(np.bincount(document, minlength=n), np.diff(pooled.indptr))
    if not x.shape[0]:
        return pooled
    low, high = (side.toarray().ravel() for side in (x.min(axis=0), x.max(axis=0)))
    # Rounding would give it a variance, and a meaningless correlation.
    of_constant = (low == high)[pooled.indices]
    pooled.data[of_constant] = high[pooled.indices[of_constant]]
    return pooled


def _measure(pool: Pool, meaning: str) -> Measure:
    return Measure(
        name=f"activation_document_{pool}",
        meaning=meaning,
        needs="documents",
        search=correlate_sparse,
        at=correlations_at,
        rows=CorrelationSource,
        label=f"r of {pool}",
        pool=pool,
        prepare=Standardised.of,
    )


DOCUMENTS = (
    _measure("max", "Pearson correlation, over documents, of the largest activation in each"),
    _measure("mean", "Pearson correlation, over documents, of the mean activation over all tokens of each"),
)
