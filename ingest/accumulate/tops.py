"""The strongest positions of every feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas.shapes import Float32, Int32, Int64
from ingest.accumulate.codes import Codes, TokenMap, first_strongest, strongest
from ingest.accumulate.limits import TOP_POSITIONS


@dataclass(frozen=True, slots=True)
class TopPositions:
    """The strongest firing positions of each feature: by feature, then activation down, then token up."""

    feature: Int32[np.ndarray, " rows"]
    """Feature, at most `TOP_POSITIONS` rows each."""
    token: Int64[np.ndarray, " rows"]
    """token_index in the corpus."""
    activation: Float32[np.ndarray, " rows"]
    """Activation there."""
    token_id: Int32[np.ndarray, " rows"]
    """Id of the token in the vocabulary."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> TopPositions:
        """Strongest positions of one piece."""
        kept = first_strongest(codes.feature, codes.activation, TOP_POSITIONS)
        token = codes.token[kept]
        return cls(
            codes.feature[kept], token.astype(np.int64) + tokens.first, codes.activation[kept], tokens.token_id[token]
        )

    def merge(self, other: TopPositions) -> TopPositions:
        """Strongest positions of both pieces."""
        feature = np.concatenate([self.feature, other.feature])
        token = np.concatenate([self.token, other.token])
        activation = np.concatenate([self.activation, other.activation])
        token_id = np.concatenate([self.token_id, other.token_id])
        kept = strongest(feature, activation, token, TOP_POSITIONS)
        return TopPositions(feature[kept], token[kept], activation[kept], token_id[kept])
