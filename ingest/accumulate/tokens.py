"""Which tokens every feature fires on, how often and how strongly, against how common they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas.shapes import Float64, Int32, Int64
from ingest.accumulate.codes import Codes, TokenMap, add_cells, cell_sums, contenders, rank_in_group
from ingest.accumulate.limits import TOP_TOKENS


@dataclass(frozen=True, slots=True)
class TokenSums:
    """Sums by (feature, token id), sorted by them; only pairs that fired are there."""

    feature: Int32[np.ndarray, " cells"]
    """Feature."""
    token_id: Int32[np.ndarray, " cells"]
    """Id in the vocabulary."""
    n_fired: Int64[np.ndarray, " cells"]
    """Occurrences of the token with activation > 0, at least 1."""
    total: Float64[np.ndarray, " cells"]
    """Sum of activations, in SAE activation units."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> TokenSums:
        return cls(*cell_sums(codes, tokens.token_id[codes.token])[:4])

    def merge(self, other: TokenSums) -> TokenSums:
        """Sums of both pieces."""
        keys = np.concatenate([part.feature.astype(np.int64) << 32 | part.token_id for part in (self, other)])
        n_fired = np.concatenate([self.n_fired, other.n_fired])
        keys, n_fired, total = add_cells(keys, n_fired, np.concatenate([self.total, other.total]))
        return TokenSums((keys >> 32).astype(np.int32), keys.astype(np.int32), n_fired, total)


@dataclass(frozen=True, slots=True)
class TopTokens:
    """Tokens among the first of their feature by lift or by sum, sorted by (feature, token id)."""

    feature: Int32[np.ndarray, " rows"]
    """Feature."""
    token_id: Int32[np.ndarray, " rows"]
    """Id in the vocabulary."""
    n_fired: Int64[np.ndarray, " rows"]
    """Occurrences of the token with activation > 0."""
    total: Float64[np.ndarray, " rows"]
    """Sum of activations, in SAE activation units."""
    lift: Float64[np.ndarray, " rows"]
    """The token's share of the feature's firing tokens over its share of all counted tokens."""
    rank_by_lift: np.ndarray
    """(rows,) int16: place by lift, from 1; 0 if it is not among the first."""
    rank_by_total: np.ndarray
    """(rows,) int16: place by sum, from 1; 0 if it is not among the first."""


def top_tokens(
    sums: TokenSums, n_fired: np.ndarray, base_counts: np.ndarray, n_tokens: int, *, k: int = TOP_TOKENS
) -> TopTokens:
    """The `k` tokens of each feature by lift and the `k` by sum; ties go to more firings, then to the lower id.

    Args:
        sums: Sums over the corpus.
        n_fired: (d_sae,) tokens on which each feature fired.
        base_counts: (n_vocab,) counted tokens of each id in the corpus.
        n_tokens: Counted tokens of the corpus.
        k: Tokens kept by each order.
    """
    share = sums.n_fired / base_counts[sums.token_id]
    by_lift, by_total = _ranks(sums, share, k), _ranks(sums, sums.total, k)
    kept = np.flatnonzero((by_lift > 0) | (by_total > 0))
    return TopTokens(
        feature=sums.feature[kept],
        token_id=sums.token_id[kept],
        n_fired=sums.n_fired[kept],
        total=sums.total[kept],
        lift=share[kept] * n_tokens / n_fired[sums.feature[kept]],
        rank_by_lift=by_lift[kept],
        rank_by_total=by_total[kept],
    )


def _ranks(sums: TokenSums, value: np.ndarray, k: int) -> np.ndarray:
    """(cells,) int16: place of each token among its feature's by `value`, from 1; 0 if it is not among the first k."""
    kept = contenders(sums.feature, value, k)
    feature = sums.feature[kept]
    order = np.lexsort((sums.token_id[kept], -sums.n_fired[kept], -value[kept], feature))
    place = rank_in_group(feature[order])
    ranks = np.zeros(len(value), np.int16)
    ranks[kept[order]] = np.where(place < k, place + 1, 0)
    return ranks
