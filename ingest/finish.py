"""The merged statistics of a scan as columns of `feature_stat`, `histogram` and `feature_context`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl
import pyarrow as pa

from atlas.errors import AtlasError
from ingest.accumulate.codes import rank_in_group
from ingest.accumulate.partial import Partial
from ingest.accumulate.quantiles import exact_quartiles, histogram_quartiles
from ingest.shards import Shard, ShardStore

Columns = dict[str, object]


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that one scan writes besides the registries."""

    partial: Partial
    """The statistics of all shards."""

    quartiles: np.ndarray
    """(3, d_sae) float32: over firing tokens; NaN where nothing fired."""

    exact: bool
    """Whether the quartiles are exact, or read off the histogram."""


def reduce_shards(store: ShardStore, shards: Sequence[Shard]) -> Measured:
    """Merge the shards of a scan, in their order, and take the quartiles."""
    partial = reduce(Partial.merge, (store.partial(shard) for shard in shards))
    if store.keep:
        try:
            quartiles = exact_quartiles([store.parquet(shard) for shard in shards], partial.moments.n_fired)
        except (OSError, pa.ArrowException) as error:
            why, hint = str(error).splitlines()[0], "run the same command again"
            raise AtlasError(f"cannot read the activations in {store.folder}", why=why, hint=hint) from error
    else:
        quartiles = histogram_quartiles(partial.histogram, partial.moments.max)
    return Measured(partial, quartiles, store.keep)


def feature_stat(measured: Measured, texts: np.ndarray, counted_ids: np.ndarray) -> Columns:
    """Columns of `feature_stat`: one row a feature, in their order.

    Args:
        measured: The scan.
        texts: Text of each token id.
        counted_ids: Token id at each token_index.
    """
    moments, tops = measured.partial.moments, measured.partial.positions
    silent = moments.n_fired == 0
    d_sae = len(moments.n_fired)
    n_tops = np.bincount(tops.feature, minlength=d_sae)
    return {
        "feature_id": np.arange(d_sae, dtype=np.int32),
        "n_fired": moments.n_fired,
        "n_documents": measured.partial.documents.counts(),
        "total": moments.total,
        "total_2": moments.total_2,
        "total_3": moments.total_3,
        "total_4": moments.total_4,
        "max": _with_nulls(moments.max, silent),
        **{
            name: _with_nulls(row, silent)
            for name, row in zip(("q25_active", "median_active", "q75_active"), measured.quartiles, strict=True)
        },
        "top_tokens": lists(pa.array(texts[counted_ids[tops.token]], pa.string()), n_tops),
        "top_activations": lists(pa.array(tops.activation), n_tops),
    }


def histogram(measured: Measured) -> Columns:
    """Columns of `histogram`."""
    cells = measured.partial.histogram
    return {"feature_id": cells.feature, "bin": cells.bin, "n": cells.n}


def feature_context(measured: Measured) -> Columns:
    """Columns of `feature_context`: the strongest contexts of every feature."""
    tops = measured.partial.contexts
    activations, _ = tops.activations()
    return {
        "feature_id": tops.feature,
        "kind": pl.repeat("top", len(tops.feature), eager=True),
        "bin": np.zeros(len(tops.feature), np.int16),
        "rank": (rank_in_group(tops.feature) + 1).astype(np.int16),
        "activation": tops.activation,
        "context_id": tops.context,
        "position": tops.position,
        "start": tops.start,
        "activations": lists(pa.array(activations), tops.length),
    }


def lists(values: pa.Array, lengths: np.ndarray) -> pl.Series:
    """A column of lists: the first has the first `lengths[0]` values, and so on."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))
    return pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(offsets, values)))


def _with_nulls(values: np.ndarray, missing: np.ndarray) -> pl.Series:
    """A column that is null where there is no value."""
    return pl.Series(pl.from_arrow(pa.array(values, mask=missing)))
