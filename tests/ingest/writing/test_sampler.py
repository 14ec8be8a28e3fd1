"""Claims about the part of a scan that contexts are drawn from: the data cut it, not the shards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atlas.activations import read_scan
from atlas.db import open_atlas
from ingest.job import ingest
from ingest.spec import IngestRequest
from tests.support.ingest_tiny import build_tiny, tiny_request

SAMPLED = "from feature_context where kind <> 'top'"


@pytest.fixture(scope="module")
def request_(tmp_path_factory) -> IngestRequest:
    """One SAE on the whole text."""
    request = tiny_request(build_tiny(tmp_path_factory.mktemp("tiny")))
    # Other shards are other batches, which change last bits: so one context a batch.
    return replace(replace(request, saes=request.saes[:1]), batch_size=1)


def sampled(request: IngestRequest, db: Path) -> list[tuple]:
    """Every sampled context, and whether quartiles are exact."""
    ingest(request, db=db)
    with open_atlas(db) as atlas:
        exact = atlas.rows("select exact_quantiles from scan").rows
        return atlas.rows(f"select * exclude (scan_id) {SAMPLED} order by all").rows + exact


def cut_by_hand(db: Path, n_nonzero: int) -> int:
    """Contexts up to the one at whose end so many activations were seen, from the stored matrix."""
    with open_atlas(db) as atlas:
        n_counted = atlas.rows(
            "select len(list_filter(documents, lambda d: d >= 0)) from context order by context_id"
        ).rows
    ends = np.cumsum([row[0] for row in n_counted])
    nonzero = np.concatenate([[0], np.cumsum(np.count_nonzero(read_scan(db, "one").toarray(), axis=1))])
    return int(np.argmax(nonzero[ends] >= n_nonzero)) + 1


@pytest.mark.parametrize(
    ("n_nonzero", "n_tokens", "store"),
    [(100, 10**9, True), (100, 10**9, False), (10**9, 200, True), (1, 10**9, True)],
)
def test_the_cut_into_shards_changes_no_sampled_context(request_, tmp_path, monkeypatch, n_nonzero, n_tokens, store):
    monkeypatch.setattr("ingest.shards.store.SAMPLED_NONZEROS", n_nonzero)
    monkeypatch.setattr("ingest.accumulate.limits.SAMPLED_TOKENS", n_tokens)
    found = [
        sampled(replace(request_, shard_tokens=size, store=store), tmp_path / f"{size}.duckdb")
        for size in (40, 100_000)
    ]
    assert len(found[0]) > 20
    assert found[0] == found[1]


def test_the_sample_ends_with_the_context_that_reaches_the_limit(request_, tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.shards.store.SAMPLED_NONZEROS", 100)
    sampled(request_, tmp_path / "a.duckdb")
    with open_atlas(tmp_path / "a.duckdb") as atlas:
        last = atlas.rows(f"select max(context_id) {SAMPLED}").rows[0][0]
        seen = atlas.rows("select max(context_id) from feature_context").rows[0][0]
    assert last == cut_by_hand(tmp_path / "a.duckdb", 100) - 1 < seen


def test_more_of_a_corpus_draws_what_one_run_draws(request_, tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.shards.store.SAMPLED_NONZEROS", 100)
    ingest(replace(request_, tokens=200), db=tmp_path / "a.duckdb")
    assert sampled(request_, tmp_path / "a.duckdb") == sampled(request_, tmp_path / "once.duckdb")
