"""Quartiles of the activations of every feature over the tokens on which it fires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ingest.accumulate.codes import run_starts
from ingest.accumulate.histograms import Histogram, bin_floor

QUARTILES = (0.25, 0.5, 0.75)

_ROWS_AT_ONCE = 16_000_000


def exact_quartiles(shards: Sequence[Path], n_fired: np.ndarray) -> np.ndarray:
    """(3, d_sae) float32 from the stored activations; the lower of two middle values; NaN where nothing fired.

    Reads one range of features at a time, so memory is bounded by 16M activations or by one feature's.
    """
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    result = np.full((len(QUARTILES), len(n_fired)), np.nan, np.float32)
    stored = ds.dataset([str(path) for path in shards], format="parquet")
    for low, high in _buckets(n_fired):
        wanted = (pc.field("feature_id") >= low) & (pc.field("feature_id") < high)
        table = stored.to_table(columns=["feature_id", "activation"], filter=wanted)
        feature, activation = table["feature_id"].to_numpy(), table["activation"].to_numpy()
        order = np.lexsort((activation, feature))
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


def _buckets(n_fired: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of features that together fired on at most `_ROWS_AT_ONCE` tokens, or single features."""
    low, rows = 0, 0
    for feature, n in enumerate(n_fired):
        if rows and rows + n > _ROWS_AT_ONCE:
            yield low, feature
            low, rows = feature, 0
        rows += int(n)
    if rows:
        yield low, len(n_fired)
