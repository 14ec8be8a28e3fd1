"""How often each feature fired how strongly, in bins that are the upper bits of a float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.accumulate.codes import Codes, TokenMap, run_starts

SHIFT = 19
"""Bits dropped from a float32: four bits of the mantissa stay, so there are sixteen bins to the octave."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Sparse histograms of all features, sorted by (feature, bin)."""

    feature: np.ndarray
    """(cells,) int32: feature."""

    bin: np.ndarray
    """(cells,) int16: float32 bits >> 19."""

    n: np.ndarray
    """(cells,) int64: firing tokens in the bin, at least 1."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> Histogram:
        """Histograms of one piece."""
        keys, n = np.unique(_key(codes.feature, codes.activation.view(np.uint32) >> SHIFT), return_counts=True)
        return cls((keys >> 12).astype(np.int32), (keys & 0xFFF).astype(np.int16), n.astype(np.int64))

    def merge(self, other: Histogram) -> Histogram:
        """Histograms of both pieces."""
        keys = np.concatenate([_key(self.feature, self.bin), _key(other.feature, other.bin)])
        order = np.argsort(keys, kind="stable")
        starts = run_starts(keys[order])
        n = np.concatenate([self.n, other.n])[order]
        keys = keys[order][starts]
        total = np.add.reduceat(n, starts) if len(n) else n
        return Histogram((keys >> 12).astype(np.int32), (keys & 0xFFF).astype(np.int16), total)


def _key(feature: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Feature and bin in one number; a bin of a positive float32 has 12 bits."""
    return feature.astype(np.int64) << 12 | bins.astype(np.int64)


def bin_floor(bins: np.ndarray) -> np.ndarray:
    """Least float32 of each bin."""
    return (bins.astype(np.uint32) << SHIFT).view(np.float32)
