"""From the shards of a scan to rows on the disk, ready for one short transaction: range of features by range."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from atlas.errors import AtlasError
from ingest.accumulate.partial import Partial
from ingest.accumulate.quantiles import exact_quartiles, histogram_quartiles
from ingest.accumulate.residuals import Residuals
from ingest.shards.files import write_whole
from ingest.shards.partials import ranges
from ingest.shards.pieces import Shard
from ingest.shards.store import ShardStore
from ingest.sources.tokens.contexts import Contexts
from ingest.writing.rows import CorpusFacts, corpus_rows, rows_of
from ingest.writing.sampler import Sampler

Progress = Callable[[int, int], None]
"""Called with the features that are done and their number."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that one scan writes besides the registries; the rows stand in files."""

    n_nonzero: int
    """Activations > 0."""
    residuals: Residuals
    """What the SAE leaves unexplained."""
    exact: bool
    """Whether the quartiles are exact, or read off the histogram."""
    files: Mapping[str, Sequence[Path]]
    """By table, files with its rows in their order, without the number of the scan."""

    def rows(self, table: str) -> Iterator[pl.DataFrame]:
        """Rows of a table, a range of features at a time."""
        return (pl.read_parquet(path) for path in self.files[table])


def reduce_scan(
    store: ShardStore,
    shards: Sequence[Shard],
    d_sae: int,
    contexts: Contexts,
    facts: CorpusFacts,
    seed: int,
    on_progress: Progress,
) -> Measured:
    """Merge the shards of a scan, in their order, and write the rows that follow from them.

    Memory is bounded by the statistics of one range of features, for any length of the corpus.

    Raises:
        AtlasError: A shard cannot be read, or there is no room for the rows.
    """
    residuals, files, stated, n_nonzero = store.residuals(shards), _files(store, corpus_rows(facts)), {}, 0
    with _readable(store):
        sampler = Sampler.of(store, shards, contexts, seed)
    exact = store.keep or sampler.all_at_hand
    for number, (low, high) in enumerate(ranges(d_sae)):
        partial = store.partial(shards, number)
        with _readable(store):
            tables = rows_of(partial, _quartiles(store, shards, partial, low, exact=exact), facts, low)
            windows = [tables["feature_context"], *sampler.rows(partial.moments, low)]
        tables["feature_context"] = pl.concat(windows).sort("feature_id", "kind", "bin", "rank")
        for table, written in _files(store, tables, f"-{number:03d}").items():
            files.setdefault(table, []).extend(written)
        if store.keep:
            stated[number] = store.base.write(number, partial, residuals)
        n_nonzero += int(partial.moments.n_fired.sum())
        on_progress(high, d_sae)
    if store.keep:
        store.put_inputs(residuals.inputs)
        store.base.sign(contexts.n_contexts, stated)
    return Measured(n_nonzero, residuals, exact, files)


@contextmanager
def _readable(store: ShardStore) -> Iterator[None]:
    """Say what is wrong when activations cannot be read back."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        why, hint = str(error).splitlines()[0], "run the same command again"
        raise AtlasError(f"cannot read the activations in {store.folder}", why=why, hint=hint) from error


def _quartiles(store: ShardStore, shards: Sequence[Shard], partial: Partial, low: int, *, exact: bool) -> np.ndarray:
    """(3, features) float32 of a range that begins at feature `low`."""
    if not exact:
        return histogram_quartiles(partial.histogram, partial.moments.max)
    paths = [store.parquet(shard) for shard in shards]
    return exact_quartiles(paths, partial.moments.n_fired, first_feature=low)


def _files(store: ShardStore, tables: Mapping[str, pl.DataFrame], ending: str = "") -> dict[str, list[Path]]:
    """Write rows into the store; where they are, by table."""
    paths = {table: store.rows / f"{table}{ending}.parquet" for table in tables}
    for table, rows in tables.items():
        write_whole(paths[table], lambda to, rows=rows: rows.write_parquet(to))
    return {table: [path] for table, path in paths.items()}
