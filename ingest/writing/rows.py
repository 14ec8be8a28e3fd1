"""The merged statistics of a range of features as rows of the tables that a scan writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from ingest.accumulate.codes import rank_in_group
from ingest.accumulate.limits import TRUNCATIONS
from ingest.accumulate.partial import Partial
from ingest.accumulate.pooling import DocumentPools, DocumentSums
from ingest.accumulate.positions import tokens_at_positions
from ingest.accumulate.samples import KINDS, SampledContexts
from ingest.accumulate.tokens import top_tokens
from ingest.accumulate.windows import TopContexts
from ingest.shards.pieces import Shard
from ingest.sources.tokens.contexts import Contexts


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """What the statistics of a scan are held against."""

    texts: np.ndarray
    """(n_vocab,) object: text of each token id."""
    n_tokens: int
    """Counted tokens."""
    token_counts: np.ndarray
    """(n_vocab,) int64: counted tokens of each id."""
    position_counts: np.ndarray
    """(longest context,) int64: counted tokens at each position."""
    document_lengths: np.ndarray
    """(n_documents,) int64: counted tokens of each document."""
    labels: np.ndarray | None
    """(n_documents,) float64: label of each document, NaN for none; None if the corpus has no labels."""

    @classmethod
    def of(cls, contexts: Contexts, shards: Sequence[Shard], texts: Sequence[str]) -> CorpusFacts:
        """Count a corpus, shard by shard."""
        by_token, by_position = np.zeros(len(texts), np.int64), np.zeros(contexts.context_length, np.int64)
        for shard in shards:
            tokens = contexts.token_map(shard.begin, shard.end)
            by_token += np.bincount(tokens.token_id, minlength=len(by_token))
            here = tokens_at_positions(tokens)
            by_position[: len(here)] += here
        return cls(
            texts=np.array(texts, dtype=object),
            n_tokens=contexts.n_tokens,
            token_counts=by_token,
            position_counts=by_position,
            document_lengths=contexts.document_lengths(),
            labels=contexts.labels,
        )


Rows = dict[str, pl.DataFrame]
"""Rows by table, without the number of the scan."""

_POOLS = ("max_sum", "max_sum_2", "mean_sum", "mean_sum_2", "max_length", "mean_length")
_LABELLED = ("labelled_max", "labelled_max_2", "labelled_mean", "labelled_mean_2", "labelled_max_length")
_LABELLED += ("labelled_mean_length", "max_label", "mean_label")


def rows_of(partial: Partial, quartiles: np.ndarray, facts: CorpusFacts, first_feature: int) -> Rows:
    """Rows of a range of features, whose numbers in `partial` begin at 0.

    Args:
        partial: Its statistics.
        quartiles: (3, features) float32; NaN where nothing fired.
        facts: What is true of the corpus.
        first_feature: First feature of the range.
    """
    tables = {
        "feature_stat": _feature_stat(partial, quartiles, facts),
        "histogram": _frame(partial.histogram, "bin", "n"),
        "feature_context": _windows(partial.contexts),
        "feature_position": _frame(partial.by_position, "position", "n_fired", "total", "total_2"),
        "feature_token": _feature_token(partial, facts),
        "feature_pooling": _feature_pooling(partial.documents),
    }
    shifted = (pl.col("feature_id") + first_feature).cast(pl.Int32)
    return {table: rows.with_columns(shifted) for table, rows in tables.items()}


def corpus_rows(facts: CorpusFacts) -> Rows:
    """Rows about the corpus of a scan, which are the same for all its SAEs."""
    sums = DocumentSums.of(facts.document_lengths, facts.labels)
    there = np.flatnonzero(facts.position_counts)
    n_pools = len(TRUNCATIONS) + 1
    pooling = {
        "truncation": [*TRUNCATIONS, None],
        "n_documents": [sums.n_documents] * n_pools,
        "length_sum": sums.length[0],
        "length_sum_2": sums.length[1],
        "n_labelled": [sums.n_labelled] * n_pools,
        "label_sum": [sums.label[0]] * n_pools,
        "label_sum_2": [sums.label[1]] * n_pools,
        "labelled_length": sums.labelled_length[0],
        "labelled_length_2": sums.labelled_length[1],
        "length_label": sums.labelled_length[2],
    }
    return {
        "scan_position": pl.DataFrame({"position": there, "n_tokens": facts.position_counts[there]}),
        "scan_pooling": pl.DataFrame(pooling),
    }


def _frame(value: Any, *columns: str) -> pl.DataFrame:
    return pl.DataFrame({"feature_id": value.feature, **{column: getattr(value, column) for column in columns}})


def _feature_stat(partial: Partial, quartiles: np.ndarray, facts: CorpusFacts) -> pl.DataFrame:
    """One row a feature, in their order."""
    moments, tops = partial.moments, partial.positions
    silent = moments.n_fired == 0
    n_tops = np.bincount(tops.feature, minlength=len(silent))
    spread = dict(zip(("q25_active", "median_active", "q75_active"), quartiles, strict=True))
    return pl.DataFrame(
        {
            "feature_id": np.arange(len(silent), dtype=np.int32),
            "n_fired": moments.n_fired,
            "n_documents": partial.documents.counts(),
            "total": moments.total,
            "total_2": moments.total_2,
            "total_3": moments.total_3,
            "total_4": moments.total_4,
            "centred_2": moments.centred_2,
            "centred_3": moments.centred_3,
            "centred_4": moments.centred_4,
            **{name: _with_nulls(row, silent) for name, row in {"max": moments.max, **spread}.items()},
            "top_tokens": lists(pa.array(facts.texts[tops.token_id], pa.string()), n_tops),
            "top_activations": lists(pa.array(tops.activation), n_tops),
        }
    )


def _windows(contexts: TopContexts) -> pl.DataFrame:
    """One row a context: the strongest ones of every feature."""
    n_rows = len(contexts.feature)
    return pl.DataFrame(
        {
            "feature_id": contexts.feature,
            "kind": pl.repeat("top", n_rows, eager=True),
            "bin": np.zeros(n_rows, np.int16),
            "rank": (rank_in_group(contexts.feature) + 1).astype(np.int16),
            **_window_columns(contexts),
        }
    )


def sample_rows(samples: SampledContexts, first_feature: int) -> pl.DataFrame:
    """One row a context that was chosen at random, by interval or by quantile."""
    return pl.DataFrame(
        {
            "feature_id": (samples.feature + first_feature).astype(np.int32),
            "kind": np.array(KINDS, dtype=object)[samples.kind],
            "bin": samples.bin,
            "rank": samples.rank,
            **_window_columns(samples),
        }
    )


def _window_columns(windows: Any) -> dict[str, object]:
    """The columns of a window that do not depend on how it was chosen."""
    return {
        "activation": windows.activation,
        "context_id": windows.context,
        "position": windows.position,
        "start": windows.start,
        "length": windows.length.astype(np.int16),
        "places": lists(pa.array(windows.place), windows.n_inside),
        "activations": lists(pa.array(windows.value), windows.n_inside),
    }


def _feature_token(partial: Partial, facts: CorpusFacts) -> pl.DataFrame:
    """The tokens that are first by lift or by sum."""
    top = top_tokens(partial.by_token, partial.moments.n_fired, facts.token_counts, facts.n_tokens)
    return _frame(top, "token_id", "n_fired", "total").with_columns(
        n_tokens=facts.token_counts[top.token_id],
        rank_by_lift=_with_nulls(top.rank_by_lift, top.rank_by_lift == 0),
        rank_by_sum=_with_nulls(top.rank_by_total, top.rank_by_total == 0),
    )


def _feature_pooling(documents: DocumentPools) -> pl.DataFrame:
    """Seven rows a feature that fires: one a truncation, the whole document last."""
    totals = documents.totals()
    fired = np.flatnonzero(totals.n_documents)
    n_pools = len(TRUNCATIONS) + 1
    columns: dict[str, object] = {
        "feature_id": np.repeat(fired, n_pools),
        "truncation": pl.Series([*TRUNCATIONS, None], dtype=pl.Int32).to_list() * len(fired),
    }
    for names, sums in ((_POOLS, totals.sums), (_LABELLED, totals.labelled)):
        columns |= {name: values[:, fired].T.ravel() for name, values in zip(names, sums, strict=False)}
    return pl.DataFrame(columns)


def lists(values: pa.Array, lengths: np.ndarray) -> pl.Series:
    """A column of lists: the first has the first `lengths[0]` values, and so on."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))
    return pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(offsets, values)))


def _with_nulls(values: np.ndarray, missing: np.ndarray) -> pl.Series:
    return pl.Series(pl.from_arrow(pa.array(values, mask=missing)))
