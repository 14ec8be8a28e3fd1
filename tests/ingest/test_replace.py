"""Claims about a scan that takes the place of another: nothing stays that was computed from the earlier activations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.match import match_saes
from atlas.db import open_atlas
from ingest.job import ingest
from ingest.spec import IngestRequest
from tests.support.ingest_tiny import build_tiny, tiny_request

COMPUTED = ("pairing", "pair", "matching", "matching_pair", "feature_family")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny model, three SAEs and a text of 40 documents."""
    return build_tiny(tmp_path_factory.mktemp("tiny"))


def left(db: Path) -> dict[str, int]:
    """Rows of every table that is computed from activations."""
    with open_atlas(db) as atlas:
        return {table: atlas.rows(f"select count(*) from {table}").rows[0][0] for table in COMPUTED}


def add_families(db: Path) -> None:
    """Three families of two features of A, by hand: so small a text has none."""
    with open_atlas(db, write=True) as atlas:
        scan = atlas.rows("select scan_id from scan join sae using (sae_id) where alias = 'A'").rows[0][0]
        values = ", ".join(f"($scan, 1, {n}, 1, {n + f}, null, 0, null, 0.5, 0.2)" for n in (1, 2, 3) for f in (0, 1))
        atlas.rows(f"insert into feature_family values {values}", scan=scan)


def only(request: IngestRequest, name: str) -> IngestRequest:
    """The same for one of the SAEs."""
    return replace(request, saes=tuple(sae for sae in request.saes if sae.endswith(name)))


def test_matchings_and_families_of_the_replaced_scan_go_with_its_pairs(tiny, tmp_path):
    db, request = tmp_path / "a.duckdb", tiny_request(tiny)
    ingest(request, db=db)
    pair_saes(db, "A", "B")
    pair_saes(db, "B", "A", measure="decoder")
    match_saes(db, "B", "A")
    match_saes(db, "A", "B", method="greedy")
    add_families(db)
    assert all(left(db).values())
    notes: list[str] = []
    ingest(replace(only(request, "one"), seed=5, replace=True), db=db, on_note=notes.append)
    assert left(db) == dict.fromkeys(COMPUTED, 0)
    gone = "2 correlations, 2 matchings, 3 families of the earlier scan of one are gone"
    assert any(f"{gone}; run featlas correlate, match, families again" in note for note in notes)


def test_families_of_another_scan_stay(tiny, tmp_path):
    db, request = tmp_path / "a.duckdb", tiny_request(tiny)
    ingest(request, db=db)
    add_families(db)
    notes: list[str] = []
    ingest(replace(only(request, "two"), seed=5, replace=True), db=db, on_note=notes.append)
    assert left(db)["feature_family"] > 0
    assert not [note for note in notes if "are gone" in note]


@pytest.mark.parametrize(("sae", "kept"), [("two", False), ("one", True)])
def test_what_was_aligned_goes_with_the_scan_of_b_and_not_with_one_of_its_corpus_alone(tiny, tmp_path, sae, kept):
    """A on the first cut and B on the second were compared; then B, or another SAE on the second, is measured anew."""
    db, request = tmp_path / "a.duckdb", tiny_request(tiny)
    ingest(only(request, "one"), db=db)
    second = replace(request, context_length=9)
    name = ingest(second, db=db)[1].corpus
    pair_saes(db, "A", "B", corpus="text", corpus_b=name)
    match_saes(db, "A", "B", corpus="text", corpus_b=name)
    ingest(replace(only(second, sae), seed=5, replace=True), db=db)
    assert [n > 0 for n in list(left(db).values())[:4]] == [kept] * 4
