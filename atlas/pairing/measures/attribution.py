"""Activation times the logit weight of the next token, as sparse as the activation itself.

Bricken et al. 2023, "Towards Monosemanticity", footnote 40: a_i(t) = f_i(t) v_i[x_(t+1)] with v_i = U d_i. It says how
much a feature raised or lowered the logit of the true next token. Values have signs: correlate with `signed=True`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.activation import CorrelationSource, correlate_sparse, correlations_at
from atlas.pairing.measures.measure import Measure


def attributions(activations: Any, decoder: NDArray, unembedding: NDArray, next_token: NDArray) -> sp.csr_array:
    """Scale every activation by the logit weight of the next token: (n_tokens, d_sae) float64, in logits.

    Args:
        activations: (n_tokens, d_sae), any SciPy sparse array.
        decoder: (d_sae, d_model) decoder rows, scaled for these activations.
        unembedding: (vocabulary, d_model) with the scale of the final norm folded in, one token a row.
        next_token: (n_tokens,) id of the token after each; below 0 where there is none, as at the end of a document:
            attributions are 0 there.
    """
    x: Any = sp.csr_array(activations, dtype=np.float64, copy=True)
    x.sum_duplicates()
    next_token = np.asarray(next_token)
    if len(next_token) != x.shape[0] or len(decoder) != x.shape[1] or decoder.shape[1] != unembedding.shape[1]:
        raise ValueError(
            f"activations of {x.shape}, decoder of {decoder.shape}, unembedding of {unembedding.shape} and "
            f"{len(next_token)} next tokens do not fit"
        )
    if len(next_token) and next_token.max() >= len(unembedding):
        raise ValueError(f"next token {next_token.max()} is outside the vocabulary of {len(unembedding)}")
    at_once = max(1, 4_000_000 // max(decoder.shape[1], 1))
    target = np.repeat(next_token, np.diff(x.indptr))
    for start in range(0, x.nnz, at_once):
        here = slice(start, start + at_once)
        rows = np.asarray(decoder[x.indices[here]], np.float64)
        x.data[here] *= np.vecdot(rows, np.asarray(unembedding[target[here]], np.float64))
    x.data[target < 0] = 0.0
    x.eliminate_zeros()
    return x


ATTRIBUTION = Measure(
    name="attribution",
    meaning="Pearson correlation over tokens of activation times the logit weight of the next token",
    needs="attributions",
    search=partial(correlate_sparse, signed=True),
    at=partial(correlations_at, signed=True),
    rows=partial(CorrelationSource, signed=True),
)
