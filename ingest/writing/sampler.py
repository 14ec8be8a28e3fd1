"""Draws contexts from the beginning of a scan, placed by the data and not by its shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from ingest.accumulate import limits
from ingest.accumulate.codes import TokenMap
from ingest.accumulate.moments import Moments
from ingest.accumulate.samples import sample_contexts
from ingest.accumulate.stored import buckets, stored_codes
from ingest.shards import store as stores
from ingest.shards.pieces import Shard
from ingest.sources.tokens.contexts import Contexts
from ingest.writing.rows import sample_rows


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws from the first contexts of a scan, up to the one that reaches 100M activations or 8M tokens."""

    paths: Sequence[Path]
    """Activations of the shards in which these contexts stand."""
    tokens: TokenMap
    """Tokens of these contexts."""
    seed: int
    """Of every draw."""
    all_at_hand: bool
    """Whether the activations of the whole scan are at hand even where none are kept."""

    @classmethod
    def of(cls, store: stores.ShardStore, shards: Sequence[Shard], contexts: Contexts, seed: int) -> Sampler:
        """Find the contexts, given all shards of a scan."""
        sampled = store.sampled(shards)
        paths = [store.parquet(shard) for shard in sampled]
        within = contexts_within(sampled, paths, contexts, stores.SAMPLED_NONZEROS)
        end = min(within, int(np.searchsorted(contexts.first_token, limits.SAMPLED_TOKENS)))
        paths = [path for shard, path in zip(sampled, paths, strict=True) if shard.begin < end]
        return cls(paths, contexts.token_map(0, end), seed, within == contexts.n_contexts)

    def rows(self, moments: Moments, low: int) -> Iterator[pl.DataFrame]:
        """Rows of a range that begins at feature `low`, a few features at a time."""
        n_tokens = len(self.tokens)
        for begin, end in buckets(np.minimum(moments.n_fired, n_tokens)):
            codes = stored_codes(self.paths, low + begin, low + end, n_tokens=n_tokens)
            drawn = sample_contexts(
                codes, self.tokens, moments.max[begin:end], seed=self.seed, first_feature=low + begin
            )
            yield sample_rows(drawn, low + begin)


def contexts_within(shards: Sequence[Shard], paths: Sequence[Path], contexts: Contexts, n_nonzero: int) -> int:
    """One past the first context at whose end there were `n_nonzero` activations, or past the last of the corpus.

    Args:
        shards: The first shards of a scan.
        paths: Their activations.
        contexts: The corpus.
        n_nonzero: Activations > 0, which the shards hold unless they are all of the scan's.
    """
    import pyarrow.parquet as pq

    before = 0
    for shard, path in zip(shards, paths, strict=True):
        here = pq.read_metadata(path).num_rows
        if before + here >= n_nonzero:
            by_token = np.zeros(shard.n_tokens, np.int64)
            for batch in pq.ParquetFile(path).iter_batches(columns=["token_index"]):
                by_token += np.bincount(batch.column(0).to_numpy() - shard.first_token, minlength=shard.n_tokens)
            begins = contexts.first_token[shard.begin : shard.end] - shard.first_token
            reached = np.cumsum(np.add.reduceat(by_token, begins))
            return shard.begin + 1 + int(np.searchsorted(reached, n_nonzero - before))
        before += here
    return contexts.n_contexts
