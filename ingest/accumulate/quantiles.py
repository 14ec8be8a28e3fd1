"""Quartiles of the activations of every feature over the tokens on which it fires."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ingest.accumulate.codes import order_within, run_starts
from ingest.accumulate.histograms import Histogram, bin_floor
from ingest.accumulate.stored import buckets, stored_codes

QUARTILES = (0.25, 0.5, 0.75)


def exact_quartiles(shards: Sequence[Path], n_fired: np.ndarray, first_feature: int = 0) -> np.ndarray:
    """(3, features) float32 from the stored activations; the lower of two middle values; NaN where nothing fired.

    Reads a few features at a time, so memory is bounded by 16M activations or by one feature's.

    Args:
        shards: Files with the activations.
        n_fired: (features,) tokens on which each feature of a range fired.
        first_feature: First feature of the range.
    """
    result = np.full((len(QUARTILES), len(n_fired)), np.nan, np.float32)
    for low, high in buckets(n_fired):
        codes = stored_codes(shards, first_feature + low, first_feature + high)
        feature, activation = codes.feature + low, codes.activation
        # Bits of positive floats are in the order of the floats.
        order = order_within(feature, activation.view(np.int32))
        feature, activation = feature[order], activation[order]
        starts = run_starts(feature)
        counts = np.diff(np.append(starts, len(feature)))
        for row, share in zip(result, QUARTILES, strict=True):
            row[feature[starts]] = activation[starts + _place(share, counts)]
    return result


def histogram_quartiles(histogram: Histogram, moments_max: np.ndarray) -> np.ndarray:
    """(3, d_sae) float32 from the middle of the bin that holds the quartile: within 3.2 %; NaN where nothing fired."""
    result = np.full((len(QUARTILES), len(moments_max)), np.nan, np.float32)
    starts = run_starts(histogram.feature)
    if not len(starts):
        return result
    fired = histogram.feature[starts]
    counts = np.add.reduceat(histogram.n, starts)
    before = np.cumsum(histogram.n)
    base = before[starts] - histogram.n[starts]
    middle = (bin_floor(histogram.bin) + bin_floor(histogram.bin + 1)) / 2
    for row, share in zip(result, QUARTILES, strict=True):
        cell = np.searchsorted(before, base + _place(share, counts), side="right")
        row[fired] = np.minimum(middle[cell], moments_max[fired])
    return result


def _place(share: float, counts: np.ndarray) -> np.ndarray:
    """Index of the quantile among `counts` sorted values, as SQL's percentile_disc defines it."""
    return np.maximum(np.ceil(share * counts).astype(np.int64) - 1, 0)
