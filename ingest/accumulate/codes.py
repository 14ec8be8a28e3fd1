"""The sparse codes of a piece of a corpus and where its tokens stand: what every statistic is made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class TokenMap:
    """Where the counted tokens of whole, consecutive contexts stand. Arrays have one entry a counted token."""

    first: int
    """token_index of the first counted token; the others follow without a gap."""

    context: np.ndarray
    """int32: number of the context in the corpus, from 0."""

    position: np.ndarray
    """int32: place in the context, from 0, special tokens included in the count."""

    document: np.ndarray
    """int32: number of the document in the corpus, from 0."""

    context_length: np.ndarray
    """int32: tokens of the context it stands in, special ones included."""

    def __len__(self) -> int:
        """Counted tokens."""
        return len(self.context)


@dataclass(frozen=True, slots=True)
class Codes:
    """Every activation > 0 of one SAE on the tokens of a `TokenMap`, sorted by (feature, token)."""

    d_sae: int
    """Features of the SAE."""

    feature: np.ndarray
    """(n_nonzero,) int32: feature, ascending."""

    token: np.ndarray
    """(n_nonzero,) int32: token, counted from the first of the piece; ascending within a feature."""

    activation: np.ndarray
    """(n_nonzero,) float32: activation in SAE units, finite and > 0."""

    @classmethod
    def of(cls, d_sae: int, feature: np.ndarray, token: np.ndarray, activation: np.ndarray) -> Codes:
        """Sort codes that come in the order of their tokens."""
        # The narrowest type: NumPy sorts 16-bit integers by radix, 5x faster than 32-bit ones.
        order = np.argsort(feature.astype(np.uint16) if d_sae <= 1 << 16 else feature, kind="stable")
        return cls(
            d_sae=d_sae,
            feature=feature[order].astype(np.int32),
            token=token[order].astype(np.int32),
            activation=activation[order].astype(np.float32),
        )

    def __len__(self) -> int:
        """Activations > 0."""
        return len(self.feature)


def run_starts(*keys: np.ndarray) -> np.ndarray:
    """Index at which each run of equal keys begins."""
    n = len(keys[0])
    changed = np.zeros(n, dtype=bool)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(changed)


def rank_in_group(group: np.ndarray) -> np.ndarray:
    """Place of each entry within its run of equal groups, from 0."""
    starts = run_starts(group)
    lengths = np.diff(np.append(starts, len(group)))
    return np.arange(len(group)) - np.repeat(starts, lengths)


def spans(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The indices begins[0], begins[0] + 1, … (lengths[0] of them), begins[1], …, one after another."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - lengths, lengths) + np.repeat(begins, lengths)


def strongest(feature: np.ndarray, activation: np.ndarray, token: np.ndarray, k: int) -> np.ndarray:
    """Indices of the `k` strongest entries of each feature, by feature, then activation down, then token up."""
    order = np.lexsort((token, -activation, feature))
    return order[rank_in_group(feature[order]) < k]


def contenders(feature: np.ndarray, activation: np.ndarray, k: int) -> np.ndarray:
    """Indices of all entries that can be among the `k` strongest of their feature; entries come grouped by feature.

    A feature's entries are cut into k pieces. Each piece holds an entry as strong as its maximum, so the k-th
    strongest is no weaker than the least of these maxima: one pass leaves few entries to sort (sorting is 4x as slow).
    """
    if not len(feature):
        return np.arange(0)
    starts = run_starts(feature)
    counts = np.diff(np.append(starts, len(feature)))
    n_pieces = np.where(counts > k, k, 1)
    first_piece = np.cumsum(n_pieces) - n_pieces
    piece = spans(np.zeros_like(n_pieces), n_pieces)
    pieces = np.repeat(starts, n_pieces) + piece * np.repeat(counts, n_pieces) // np.repeat(n_pieces, n_pieces)
    least = np.minimum.reduceat(np.maximum.reduceat(activation, pieces), first_piece)
    return np.flatnonzero(activation >= np.repeat(np.where(counts > k, least, 0), counts))
