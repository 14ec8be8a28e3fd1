"""How often each feature fired how strongly, in bins that are the upper bits of a float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas.shapes import Int32, Int64
from ingest.accumulate.codes import Codes, TokenMap, add_cells, order_within, run_starts

SHIFT = 19
"""Bits dropped from a float32: four bits of the mantissa stay, so there are sixteen bins to the octave."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Sparse histograms of all features, sorted by (feature, bin)."""

    feature: Int32[np.ndarray, " cells"]
    """Feature."""
    bin: np.ndarray
    """(cells,) int16: float32 bits >> 19."""
    n: Int64[np.ndarray, " cells"]
    """Firing tokens in the bin, at least 1."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> Histogram:
        """Histograms of one piece."""
        bins = (codes.activation.view(np.uint32) >> SHIFT).astype(np.int16)
        bins = bins[order_within(codes.feature, bins)]
        starts = run_starts(codes.feature, bins)
        return cls(codes.feature[starts], bins[starts], np.diff(np.append(starts, len(codes))))

    def merge(self, other: Histogram) -> Histogram:
        keys = np.concatenate([part.feature.astype(np.int64) << 12 | part.bin for part in (self, other)])
        keys, n = add_cells(keys, np.concatenate([self.n, other.n]))
        return Histogram((keys >> 12).astype(np.int32), (keys & 0xFFF).astype(np.int16), n)


def bin_floor(bins: np.ndarray) -> np.ndarray:
    """Least float32 of each bin."""
    return (bins.astype(np.uint32) << SHIFT).view(np.float32)
