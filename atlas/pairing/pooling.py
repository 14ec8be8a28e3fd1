"""Activations by document instead of by token, for measures that ask which documents two features agree on."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def pool_documents(
    activations: Any, document: NDArray, *, how: Literal["max", "mean"] = "max", n_documents: int | None = None
) -> sp.csr_array:
    """Take the largest or the mean activation of every feature in every document: (n_documents, d_sae) float64.

    The mean is over all tokens of the document, silent ones included. Max pooling grows with the length of a document;
    where lengths differ much, two features can correlate by that alone.

    Args:
        activations: (n_tokens, d_sae) values >= 0, any SciPy sparse array.
        document: (n_tokens,) index of the document of each token, >= 0, in any order.
        how: `max` or `mean`.
        n_documents: Rows of the answer; None is the highest index plus one. Documents without a token have none.
    """
    x: Any = sp.csr_array(activations, dtype=np.float64)
    document = np.asarray(document)
    if len(document) != x.shape[0]:
        raise ValueError(f"{x.shape[0]} tokens need as many document indices, not {len(document)}")
    n = int(document.max(initial=-1)) + 1 if n_documents is None else n_documents
    if len(document) and (document.min() < 0 or document.max() >= n):
        raise ValueError(f"documents must be between 0 and {n - 1}, not {document.min()} to {document.max()}")
    if how == "mean":
        lengths = np.bincount(document, minlength=n)
        belongs = sp.csr_array(
            (1.0 / lengths[document], (document, np.arange(len(document)))), shape=(n, len(document))
        )
        return sp.csr_array(belongs @ x)
    if how != "max":
        raise ValueError(f"no pooling named {how!r}; known: max, mean")
    return _largest(x, document, n)


def _largest(x: Any, document: NDArray, n: int) -> sp.csr_array:
    """The largest entry of every (document, feature) that has one."""
    row, feature = np.repeat(document, np.diff(x.indptr)).astype(np.int64), x.indices
    order = np.lexsort((feature, row))
    row, feature, value = row[order], feature[order], x.data[order]
    first = np.flatnonzero(np.append(True, (row[1:] != row[:-1]) | (feature[1:] != feature[:-1]))[: len(row)])
    largest = np.maximum.reduceat(value, first) if len(first) else value
    return sp.csr_array((largest, (row[first], feature[first])), shape=(n, x.shape[1]))
