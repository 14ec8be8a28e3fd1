"""The rows that a metric compares: decoder rows, encoder columns, or activations of matched features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from atlas.catalog.requests import Space
from atlas.db import Atlas
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError
from atlas.scores.nulls import Pairs

SAMPLED_TOKENS = 4096
"""Most tokens that rows of activations are long."""

_COLUMNS = {"decoder": "w_dec", "encoder": "w_enc"}


class RowsOf(Protocol):
    """Gives the rows of any features of one SAE."""

    def of(self, features: np.ndarray) -> np.ndarray:
        """(len(features), width) float64, in their order."""
        ...


def weight_rows_of(atlas: Atlas, sae: str, features: np.ndarray, space: Space = "decoder") -> np.ndarray:
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
            f"{sae}:{wanted[wrong[0]]} has {space} weights that are not finite",
            hint=f'leave it out: --where "a.feature_id <> {wanted[wrong[0]]}", b. for SAE B',
        )
    return unique[np.searchsorted(wanted, features)]


@dataclass(frozen=True, slots=True, eq=False)
class WeightRows:
    """Weights of some features of one SAE."""

    features: np.ndarray
    """(n,) ids, ascending."""
    rows: np.ndarray
    """(n, d_in) row of each."""

    def of(self, features: np.ndarray) -> np.ndarray:
        """Rows of some of these features, in their order."""
        return self.rows[np.searchsorted(self.features, features)]


@dataclass(frozen=True, slots=True, eq=False)
class SampledActivations:
    """Activations of all features of one SAE over a sample of tokens."""

    tokens: Any
    """(sampled tokens, d_sae) SciPy CSC."""

    @classmethod
    def of_both(
        cls, codes: Sequence[Any], features: Pairs, *, seed: int
    ) -> tuple[SampledActivations, SampledActivations]:
        """Sample the tokens on which any of the compared features fires, `SAMPLED_TOKENS` at most.

        Args:
            codes: (n_tokens, d_sae) SciPy sparse activations of A and of B on the same tokens.
            features: Features of A and of B that are compared.
            seed: Of the sample.
        """
        x, y = (sp.csc_array(activations) for activations in codes)
        fired = np.union1d(x[:, features[0]].indices, y[:, features[1]].indices)
        if len(fired) > SAMPLED_TOKENS:
            rng = np.random.default_rng(np.random.PCG64(seed))
            fired = np.sort(rng.choice(fired, SAMPLED_TOKENS, replace=False))
        return cls(sp.csc_array(sp.csr_array(x)[fired])), cls(sp.csc_array(sp.csr_array(y)[fired]))

    def of(self, features: np.ndarray) -> np.ndarray:
        """Activations of some features: (len(features), sampled tokens)."""
        return self.tokens[:, features].toarray().T.astype(np.float64)
