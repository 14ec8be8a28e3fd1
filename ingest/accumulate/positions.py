"""How often and how strongly every feature fired at each position of a context."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas.shapes import Float64, Int32, Int64
from ingest.accumulate.codes import Codes, TokenMap, add_cells, cell_sums


@dataclass(frozen=True, slots=True)
class Positions:
    """Sums by (feature, position), sorted by them; only pairs that fired are there."""

    feature: Int32[np.ndarray, " cells"]
    """Feature."""
    position: Int32[np.ndarray, " cells"]
    """Place in the context, from 0, special tokens included in the count."""
    n_fired: Int64[np.ndarray, " cells"]
    """Tokens there with activation > 0, at least 1."""
    total: Float64[np.ndarray, " cells"]
    """Sum of activations, in SAE activation units."""
    total_2: Float64[np.ndarray, " cells"]
    """Sum of squares."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> Positions:
        return cls(*cell_sums(codes, tokens.position[codes.token]))

    def merge(self, other: Positions) -> Positions:
        """Sums of both pieces."""
        keys = np.concatenate([part.feature.astype(np.int64) << 32 | part.position for part in (self, other)])
        columns = [
            np.concatenate([getattr(self, name), getattr(other, name)]) for name in ("n_fired", "total", "total_2")
        ]
        keys, n_fired, total, total_2 = add_cells(keys, *columns)
        return Positions((keys >> 32).astype(np.int32), keys.astype(np.int32), n_fired, total, total_2)


def tokens_at_positions(tokens: TokenMap) -> np.ndarray:
    """(largest position + 1,) int64: counted tokens at each position, whether or not a feature fired."""
    return np.bincount(tokens.position).astype(np.int64)
