"""The pieces that a corpus is measured in: shards of whole contexts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ingest.sources.tokens.contexts import Contexts


@dataclass(frozen=True, slots=True)
class Shard:
    """Whole, consecutive contexts of a corpus."""

    number: int
    """From 0."""
    begin: int
    """First context."""
    end: int
    """One past the last context."""
    first_token: int
    """token_index of the first counted token."""
    n_tokens: int
    """Counted tokens."""

    @property
    def stem(self) -> str:
        """Name of its files without the ending."""
        return stem(self.number)


def stem(number: int) -> str:
    """Name of a shard's files without the ending."""
    return f"shard-{number:05d}"


def plan_shards(contexts: Contexts, shard_tokens: int, ends: Sequence[int] = ()) -> list[Shard]:
    """Cut a corpus into shards: each ends with the context that brings it to `shard_tokens` counted tokens.

    Args:
        contexts: The corpus.
        shard_tokens: Counted tokens of a shard.
        ends: One past the last context of each shard that an earlier scan of a part of this corpus has left, ascending;
            those are taken as they are.
    """
    shards: list[Shard] = []
    begin, first, left = 0, contexts.first_token, list(ends)
    while begin < contexts.n_contexts:
        end = left.pop(0) if left else int(np.searchsorted(first, first[begin] + shard_tokens))
        end = min(max(end, begin + 1), contexts.n_contexts)
        shards.append(Shard(len(shards), begin, end, int(first[begin]), int(first[end] - first[begin])))
        begin = end
    return shards


def read_receipt(path: Path) -> dict[str, Any]:
    """What a shard's receipt states.

    Raises:
        ValueError: It is not valid.
    """
    receipt = json.loads(path.read_text(encoding="utf-8"))
    numbers = ("first_token", "n_tokens", "n_nonzero")
    if not isinstance(receipt, dict) or not all(type(receipt.get(name)) is int for name in numbers):
        raise ValueError(f"{path.name} states no numbers")
    return receipt
