"""What stored pairings and matchings have in common: two SAEs on their corpora, the scans behind them, their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from atlas.catalog.saes import corpus_id, sae_id
from atlas.db import Atlas
from atlas.db.runs import next_id, spec_sha256
from atlas.errors import AtlasError
from atlas.pairing.search.chance import FEWEST_ROWS
from atlas.pairing.search.sides import Sides

Names = tuple[str, str, str, str]
"""SAE A, SAE B, corpus of A, corpus of B."""

Kind = Literal["pairing", "matching"]
"""Name of the table; its pairs are in `pair` or in `matching_pair`."""

_PAIRS = {"pairing": "pair", "matching": "matching_pair"}


def as_columns(names: Names) -> dict[str, str]:
    """The names under those of their columns."""
    return dict(zip(("sae_a", "sae_b", "corpus", "corpus_b"), names, strict=True))


def scans_behind(atlas: Atlas, names: Names) -> dict[str, str]:
    """What identifies the scans of both sides, for a spec."""
    return {
        side: next(s["spec_sha256"] for s in atlas.fetch("catalog/scans_of", sae=name).dicts() if s["corpus"] == corpus)
        for side, name, corpus in zip(("scan_a", "scan_b"), names[:2], names[2:], strict=True)
    }


def corpora_from(row: Mapping[str, Any], sae_a: str) -> tuple[str, str]:
    """Corpora of a stored comparison, that of `sae_a` first, whichever SAE was named first then."""
    return (row["corpus"], row["corpus_b"]) if row["sae_a"] == sae_a else (row["corpus_b"], row["corpus"])


def gives_way(row: Mapping[str, Any], names: Names) -> bool:
    """Whether a stored comparison of two SAEs is replaced by a new one of its kind.

    One corpus of an SAE has one comparison with another SAE, whichever cuts of a text that one was measured on.
    """
    corpus, corpus_b = corpora_from(row, names[0])
    return corpus == names[2] or corpus_b == names[3]


def remove(atlas: Atlas, kind: Kind, row_id: int) -> None:
    """Delete a pairing or a matching with its pairs, inside the caller's transaction."""
    for table in (_PAIRS[kind], kind):
        atlas.rows(f"delete from {table} where {kind}_id = $id", id=row_id)


def add(
    atlas: Atlas,
    kind: Kind,
    names: Names,
    facts: Mapping[str, object],
    columns: Mapping[str, Any],
    *,
    spec: Mapping[str, object],
    run_id: int,
) -> None:
    """Write a pairing or a matching with its pairs, inside the caller's transaction.

    Args:
        atlas: Open for writing.
        kind: Which of the two.
        names: Who was compared on what.
        facts: The other columns of its row.
        columns: Those of its pairs, without the key.
        spec: What identifies it.
        run_id: The run that computed it.
    """
    row_id = next_id(atlas, kind, f"{kind}_id")
    row = {
        f"{kind}_id": row_id,
        "sae_a": sae_id(atlas, names[0]),
        "sae_b": sae_id(atlas, names[1]),
        "corpus_id": corpus_id(atlas, names[2]),
        "corpus_b": corpus_id(atlas, names[3]) if names[3] != names[2] else None,
        "run_id": run_id,
        "spec_sha256": spec_sha256(spec),
        **facts,
    }
    atlas.insert(kind, {name: [value] for name, value in row.items()})
    n = len(columns["value"])
    atlas.insert(_PAIRS[kind], {f"{kind}_id": np.full(n, row_id, dtype=np.int32), **columns})


def refuse_few_rows(sides: Sides, corpora: Sequence[str]) -> None:
    """Raise AtlasError where a comparison over tokens has too few of them to be rolled for a chance level."""
    if sides.dimension is None and sides.n_tokens < FEWEST_ROWS:
        where = " and ".join(dict.fromkeys(corpora))
        raise AtlasError(
            f"{where} has too few {sides.unit} to compare features on: {sides.n_tokens}",
            why=f"a chance level needs {FEWEST_ROWS}",
        )
