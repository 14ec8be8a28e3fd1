"""Reads the activations of a few features back from the shards of a scan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ingest.accumulate.codes import Codes

ROWS_AT_ONCE = 16_000_000
"""Activations that are held at a time, unless a single feature has more."""


def buckets(n_fired: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of features that together fired on at most `ROWS_AT_ONCE` tokens, or single features."""
    low, rows = 0, 0
    for feature, n in enumerate(n_fired):
        if rows and rows + n > ROWS_AT_ONCE:
            yield low, feature
            low, rows = feature, 0
        rows += int(n)
    if len(n_fired):
        yield low, len(n_fired)


def stored_codes(shards: Sequence[Path], low: int, high: int, *, n_tokens: int | None = None) -> Codes:
    """Codes of the features [low, high), counted from `low`; tokens are counted from the corpus's first.

    Args:
        shards: Parquet files, each sorted by (feature, token), in the order of their tokens.
        low: First feature.
        high: One past the last feature.
        n_tokens: Tokens of the corpus, from its first, whose codes are read; None for all.
    """
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    wanted = (pc.field("feature_id") >= low) & (pc.field("feature_id") < high)
    if n_tokens is not None:
        wanted &= pc.field("token_index") < n_tokens
    table = ds.dataset([str(path) for path in shards], format="parquet").to_table(filter=wanted)
    feature = table["feature_id"].to_numpy() - np.int32(low)
    return Codes.of(high - low, feature, table["token_index"].to_numpy(), table["activation"].to_numpy())
