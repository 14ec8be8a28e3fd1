"""Common parts of stored pairings and matchings: two SAEs on their corpora, their scans, their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from atlas.catalog.compared import corpora_compared
from atlas.catalog.corpora import corpus_id
from atlas.catalog.saes import sae_id
from atlas.db import Atlas
from atlas.db.runs import next_id, spec_sha256
from atlas.errors import AtlasError
from atlas.pairing.measures.measure import Measure
from atlas.pairing.measures.operands import Operands
from atlas.pairing.search.chance import FEWEST_ROWS

Kind = Literal["pairing", "matching"]
"""Name of the table; its pairs are in `pair` or in `matching_pair`."""

_PAIRS = {"pairing": "pair", "matching": "matching_pair"}
_QUERIES = {"pairing": "comparisons/pairings", "matching": "comparisons/stored_matchings"}


@dataclass(frozen=True, slots=True)
class TwoScans:
    """Two SAEs, each on the corpus it was measured on."""

    sae_a: str
    """Full name of the first SAE."""
    sae_b: str
    """Full name of the second SAE; the same where an SAE is compared with itself."""
    corpus: str
    """Corpus on which A was measured."""
    corpus_b: str
    """Corpus on which B was measured: the same, or another tokenization of the same text."""

    @classmethod
    def compared(cls, atlas: Atlas, sae_a: str, sae_b: str, corpus: str | None, corpus_b: str | None) -> TwoScans:
        """Two SAEs by full name, on the corpora that `corpora_compared` chooses; errors as there."""
        return cls(sae_a, sae_b, *corpora_compared(atlas, sae_a, sae_b, corpus, corpus_b))

    @property
    def saes(self) -> tuple[str, str]:
        return self.sae_a, self.sae_b

    @property
    def corpora(self) -> tuple[str, str]:
        return self.corpus, self.corpus_b

    @property
    def aligned(self) -> bool:
        return self.corpus != self.corpus_b

    @property
    def scans(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return (self.sae_a, self.corpus), (self.sae_b, self.corpus_b)

    def swapped(self) -> TwoScans:
        return TwoScans(self.sae_b, self.sae_a, self.corpus_b, self.corpus)

    def columns(self) -> dict[str, Any]:
        return {"sae_a": self.sae_a, "sae_b": self.sae_b, "corpus": self.corpus, "corpus_b": self.corpus_b}


def sizes(atlas: Atlas, two: TwoScans) -> list[dict[str, Any]]:
    """Rows of the query `list_saes` of A and of B."""
    known = {row["sae"]: row for row in atlas.fetch("catalog/list_saes").dicts()}
    return [known[name] for name in two.saes]


def fired(atlas: Atlas, two: TwoScans) -> list[np.ndarray]:
    """(d_sae,) tokens on which each feature of A, and of B, fires."""
    counts = (atlas.arrays("catalog/firing_counts", sae=sae, corpus=corpus)["n_fired"] for sae, corpus in two.scans)
    return [np.asarray(n_fired) for n_fired in counts]


def scans_behind(atlas: Atlas, two: TwoScans) -> dict[str, str]:
    """Hashes of the scans of both SAEs, for a spec."""
    return {
        name: next(s["spec_sha256"] for s in atlas.fetch("catalog/scans_of", sae=sae).dicts() if s["corpus"] == corpus)
        for name, (sae, corpus) in zip(("scan_a", "scan_b"), two.scans, strict=True)
    }


def corpora_from(row: Mapping[str, Any], sae_a: str) -> tuple[str, str]:
    """Corpora of a stored comparison, that of `sae_a` first."""
    return (row["corpus"], row["corpus_b"]) if row["sae_a"] == sae_a else (row["corpus_b"], row["corpus"])


def stored_of(atlas: Atlas, kind: Kind, two: TwoScans, *, same_corpora: bool = True) -> list[dict[str, Any]]:
    """Pairings or matchings stored for two SAEs in either order, on the corpora of `two` or on any; newest first."""
    rows = atlas.fetch(_QUERIES[kind], sae_a=two.sae_a, sae_b=two.sae_b).dicts()
    return [row for row in rows if not same_corpora or corpora_from(row, two.sae_a) == two.corpora]


def supersede(
    atlas: Atlas, kind: Kind, two: TwoScans, measure: Measure, *, method: str | None = None
) -> list[dict[str, Any]]:
    """Delete the pairings or matchings that a new one replaces, in the caller's transaction, and return them.

    One corpus of an SAE has one comparison with another SAE by each measure, on any tokenization of the text of the
    other; by a measure with a direction one for each order. A greedy matching is deleted with its pairing.
    """
    rows = [
        row
        for row in stored_of(atlas, kind, two, same_corpora=False)
        if (row["measure"], row.get("method")) == (measure.name, method)
        and (measure.symmetric or row["sae_a"] == two.sae_a)
        and any(then == now for then, now in zip(corpora_from(row, two.sae_a), two.corpora, strict=True))
    ]
    for row in rows:
        if kind == "pairing":
            of_row = TwoScans(*two.saes, *corpora_from(row, two.sae_a))
            for greedy in stored_of(atlas, "matching", of_row):
                if (greedy["measure"], greedy["method"]) == (measure.name, "greedy"):
                    _delete(atlas, "matching", greedy)
        _delete(atlas, kind, row)
    return rows


def _delete(atlas: Atlas, kind: Kind, row: Mapping[str, Any]) -> None:
    for table in (_PAIRS[kind], kind):
        atlas.rows(f"delete from {table} where {kind}_id = $id", id=row[f"{kind}_id"])


def add(
    atlas: Atlas,
    kind: Kind,
    two: TwoScans,
    facts: Mapping[str, object],
    columns: Mapping[str, Any],
    *,
    spec: Mapping[str, object],
    run_id: int,
) -> None:
    """Write a pairing or a matching with its pairs, in the caller's transaction.

    `facts` are the other columns of its row, `columns` those of its pairs without the key.
    """
    row_id = next_id(atlas, kind, f"{kind}_id")
    row = {
        f"{kind}_id": row_id,
        "sae_a": sae_id(atlas, two.sae_a),
        "sae_b": sae_id(atlas, two.sae_b),
        "corpus_id": corpus_id(atlas, two.corpus),
        "corpus_b": corpus_id(atlas, two.corpus_b) if two.aligned else None,
        "run_id": run_id,
        "spec_sha256": spec_sha256(spec),
        **facts,
    }
    atlas.insert(kind, {name: [value] for name, value in row.items()})
    n = len(columns["value"])
    atlas.insert(_PAIRS[kind], {f"{kind}_id": np.full(n, row_id, dtype=np.int32), **columns})


def refuse_few_rows(operands: Operands, two: TwoScans) -> None:
    """Raise AtlasError where a comparison over tokens has too few of them for a chance level."""
    if operands.measure.of_activations and operands.n_tokens < FEWEST_ROWS:
        where = " and ".join(dict.fromkeys(two.corpora))
        raise AtlasError(
            f"{where} has too few {operands.unit} to compare features on: {operands.n_tokens}",
            why=f"a chance level needs {FEWEST_ROWS}",
        )
