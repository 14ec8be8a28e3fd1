"""The text that an SAE was measured on, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas.catalog.compared import scans_of_text
from atlas.db import Atlas
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError


@dataclass(frozen=True, slots=True, eq=False)
class ScanText:
    """What an SAE was measured on, token by token."""

    sae: str
    """Full name of the SAE."""
    corpus: str
    """Name of the corpus."""
    token_ids: np.ndarray
    """(n_tokens,) int32: the measured tokens, special ones left out."""
    document: np.ndarray
    """(n_tokens,) int32: document of each, from 0, ascending."""
    vocabulary: Sequence[str]
    """Text of every token id."""


def scan_text(atlas: Atlas, sae: str, corpus: str) -> ScanText:
    """Read the tokens of a scan, and what they spell.

    Raises:
        AtlasError: The atlas does not hold all of them.
    """
    n_tokens = next(int(row["n_tokens"]) for row in scans_of_text(atlas, sae, corpus, "--corpus"))
    parameters = {"corpus": corpus, "n_tokens": n_tokens}
    contexts = atlas.sql(sql_text("queries/catalog/text_contexts"), params=parameters).to_arrow_table()
    token_ids, documents = (_flat(contexts.column(name)) for name in ("token_ids", "documents"))
    counted = documents >= 0
    if np.count_nonzero(counted) < n_tokens:
        raise AtlasError(
            f"the text of {corpus} cannot be aligned with another",
            why=f"the atlas holds {np.count_nonzero(counted):,} of the {n_tokens:,} tokens that {sae} was measured on",
            hint="ingest both SAEs with the same --corpus again",
        )
    vocabulary = [text for _, text in atlas.fetch("catalog/text_vocabulary", corpus=corpus)]
    return ScanText(sae, corpus, token_ids[counted][:n_tokens], documents[counted][:n_tokens], vocabulary)


def _flat(lists: Any) -> np.ndarray:
    return np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in lists.chunks] or [np.empty(0)])
