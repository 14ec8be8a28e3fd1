"""The rows that a metric compares: decoder rows, encoder columns, or activations of matched features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

from atlas.db import Atlas
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError

Space = Literal["decoder", "encoder", "activation"]
SPACES: tuple[Space, ...] = ("decoder", "encoder", "activation")
"""`decoder`, `encoder`: one row of weights a feature. `activation`: one row of activations a feature, over a sample of
the tokens on which any of the compared features fires."""

SAMPLED_TOKENS = 4096
"""Most tokens that rows of activations are long."""

_COLUMNS = {"decoder": "w_dec", "encoder": "w_enc"}
Rows = np.ndarray
Load = Callable[[], tuple[Any, Any]]
"""Reads the activations of both SAEs on the same tokens, (n_tokens, d_sae) SciPy CSR each."""


def weight_rows_of(atlas: Atlas, sae: str, features: np.ndarray, space: Space = "decoder") -> Rows:
    """Decoder rows or encoder columns of some features, in their order: (len(features), d_in) float64.

    They are as the scans used them: decoder rows of norm 1 where the SAE was folded.
    """
    wanted = np.unique(features)
    query = sql_text("queries/scores/feature_rows")
    table = atlas.sql(query, params={"sae": sae, "features": wanted.tolist()}).to_arrow_table()
    rows = table.column(_COLUMNS[space]).combine_chunks()
    width = len(rows.values) // len(rows) if len(rows) else 0
    unique = rows.values.to_numpy().reshape(len(rows), width).astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(unique).all(axis=1))
    if len(wrong):
        raise AtlasError(
            f"{sae}:{wanted[wrong[0]]} has {space} weights that are no finite numbers",
            hint=f'leave it out: --where "a.feature_id <> {wanted[wrong[0]]}", b. for the other side',
        )
    return unique[np.searchsorted(wanted, features)]


def activation_rows(
    a: Any, b: Any, features_a: np.ndarray, features_b: np.ndarray, seed: int
) -> Callable[[np.ndarray, np.ndarray], tuple[Rows, Rows]]:
    """How the activations of any features of both SAEs are read over one sample of tokens.

    Args:
        a: (n_tokens, d_a) SciPy sparse activations.
        b: (n_tokens, d_b) on the same tokens.
        features_a: Features of a that are compared.
        features_b: Those of b.
        seed: Of the sample: `SAMPLED_TOKENS` at most, of the tokens on which any of these features fires.

    Returns:
        A function of some features of a and of b, (n,) each, that gives their rows: (n, sampled tokens) float64 each.
    """
    x, y = (sp.csc_array(side) for side in (a, b))
    fired = np.union1d(x[:, features_a].indices, y[:, features_b].indices)
    if len(fired) > SAMPLED_TOKENS:
        rng = np.random.default_rng(np.random.PCG64(seed))
        fired = np.sort(rng.choice(fired, SAMPLED_TOKENS, replace=False))
    x, y = (sp.csc_array(sp.csr_array(side)[fired]) for side in (x, y))

    def rows(of_a: np.ndarray, of_b: np.ndarray) -> tuple[Rows, Rows]:
        return x[:, of_a].toarray().T.astype(np.float64), y[:, of_b].toarray().T.astype(np.float64)

    return rows
