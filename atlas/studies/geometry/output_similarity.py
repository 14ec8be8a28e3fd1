"""What comes after a feature: its mean distribution of next tokens, and how alike two of them are.

P_i(v) = sum over tokens of f_i(t) [x_(t+1) = v] / sum of f_i(t): the tokens that came next in the text, weighted by the
activation. Abraham 2024 (armaanabraham.com/2024/10/20/sae.html) takes the model's prediction in the place of the true
next token; so these distributions say how the text continues, and the noise of few firing tokens is in them.
Similarity is 1 - JSD, the Jensen-Shannon divergence (Lin 1991, doi:10.1109/18.61115) in nats, as there: between
1 - ln 2 = 0.307 for nothing in common and 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

LEAST = 1 - math.log(2)
"""Similarity of two features that are never followed by the same token."""

_AT_ONCE = 4_000_000
"""Numbers gathered at once."""


def next_token_distributions(activations: Any, next_token: NDArray) -> sp.csr_array:
    """Activation-weighted share of each next token: (d, vocabulary) float64, a row of zeros where nothing follows.

    Args:
        activations: (n_tokens, d) activations >= 0, any SciPy sparse array.
        next_token: (n_tokens,) id of the token after each; below 0 where there is none, which leaves the token out.
    """
    known = np.flatnonzero(next_token >= 0)
    follows = next_token[known].astype(np.int64)
    width = int(follows.max(initial=-1)) + 1
    one_hot: Any = sp.csr_array((np.ones(len(known)), (known, follows)), shape=(activations.shape[0], width))
    summed: Any = sp.csr_array(sp.csr_array(activations, dtype=np.float64).T @ one_hot)
    totals = np.asarray(summed.sum(axis=1)).ravel()
    summed.data /= np.repeat(totals, np.diff(summed.indptr))
    summed.eliminate_zeros()
    return summed


def similarities(p: Any, first: NDArray, second: NDArray) -> NDArray[np.float64]:
    """(n,) 1 - JSD of given pairs of rows, NaN where one of them is empty.

    Tokens that follow only one of the two add ln 2 times half of their share, so the sum runs over the common ones.

    Args:
        p: (d, vocabulary) what `next_token_distributions` gives.
        first: (n,) rows.
        second: (n,) rows.
    """
    value = np.empty(len(first))
    per_pair = max(1, int(p.nnz / max(p.shape[0], 1)))
    step = max(1, _AT_ONCE // per_pair)
    marks: Any = sp.csr_array((np.ones(p.nnz), p.indices, p.indptr), shape=p.shape)
    for start in range(0, len(first), step):
        i, j = (side[start : start + step] for side in (first, second))
        x, y = sp.csr_array(p[i].multiply(marks[j])), sp.csr_array(p[j].multiply(marks[i]))
        both = x.data + y.data
        terms = x.data * np.log(x.data / both) + y.data * np.log(y.data / both)
        row = np.repeat(np.arange(len(i)), np.diff(x.indptr))
        value[start : start + step] = 1 - math.log(2) - np.bincount(row, terms, len(i)) / 2
    empty = np.diff(p.indptr) == 0
    value[empty[first] | empty[second]] = np.nan
    return np.clip(value, LEAST, 1.0)
