"""Claims about measuring more of a corpus: what was measured is not measured again, and nothing shows the seam."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atlas.activations import read_scan
from atlas.db import open_atlas, store_of
from atlas.errors import UsageError
from ingest.job import ingest
from ingest.shards.store import ShardStore
from ingest.spec import IngestRequest
from tests.support.ingest_tiny import build_tiny, rows, tiny_request


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny model, three SAEs and a text of 40 documents."""
    return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def part(tiny) -> IngestRequest:
    """Both SAEs on the first 310 tokens; one context a batch, as other batches change last bits."""
    return replace(tiny_request(tiny), tokens=310, batch_size=1)


@pytest.fixture
def shards_made(monkeypatch) -> list[int]:
    """First tokens of the shards that are measured from now on."""
    made, put = [], ShardStore.put
    monkeypatch.setattr(ShardStore, "put", lambda *a: (made.append(a[1].first_token), put(*a)))
    return made


def assert_same_statistics(one: Path, other: Path, sae: str) -> None:
    """Every table of a scan: counts and strings equal, sums up to the last float bits."""
    mine, theirs = rows(one, sae), rows(other, sae)
    assert mine.keys() == theirs.keys()
    for table, expected in theirs.items():
        assert len(mine[table]) == len(expected), table
        for row, wanted in zip(mine[table], expected, strict=True):
            for value, exact in zip(row, wanted, strict=True):
                near = value == exact or (isinstance(exact, float) and value == pytest.approx(exact, rel=1e-12))
                assert near, (table, row, wanted)


def test_more_tokens_measure_only_what_is_new_and_end_as_one_run(part, tmp_path, shards_made):
    db, whole = tmp_path / "a.duckdb", replace(part, tokens=None)
    first = ingest(part, db=db)
    shards_made.clear()
    notes: list[str] = []
    grown = ingest(whole, db=db, on_note=notes.append)
    assert min(shards_made) == first[0].n_tokens
    assert any("resumes after the 31" in note for note in notes)
    ingest(whole, db=tmp_path / "once.duckdb")
    for scan in grown:
        assert scan.measured
        assert_same_statistics(db, tmp_path / "once.duckdb", scan.sae)
        np.testing.assert_array_equal(
            read_scan(db, scan.sae).toarray(), read_scan(tmp_path / "once.duckdb", scan.sae).toarray()
        )
    assert [scan.measured for scan in ingest(whole, db=db)] == [False, False]


def test_a_corpus_that_grew_is_one_corpus(part, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(part, db=db)
    grown = ingest(replace(part, tokens=None), db=db)
    with open_atlas(db) as atlas:
        assert atlas.rows("select count(*), max(n_tokens) from corpus").rows == [(1, grown[0].n_tokens)]
        assert atlas.rows("select count(*) from scans").rows == [(2,)]
        contexts, tokens = atlas.rows(
            "select count(*), sum(len(list_filter(documents, lambda d: d >= 0))) from context"
        ).rows[0]
        assert (contexts, tokens) == atlas.rows("select n_contexts, n_tokens from corpus").rows[0]
        documents = atlas.rows("select count(*), sum(n_tokens), max(document) + 1 from documents").rows[0]
        assert documents == (*atlas.rows("select n_documents, n_tokens, n_documents from corpus").rows[0],)


def test_after_an_extension_only_the_new_scan_is_on_the_disk(part, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(part, db=db)
    ingest(replace(part, tokens=None), db=db)
    with open_atlas(db) as atlas:
        stores = {row[0] for row in atlas.rows("select store from scan")}
    assert {path.name for path in store_of(db).iterdir() if path.is_dir()} == stores
    assert not list(store_of(db).rglob("earlier*"))
    assert not list(store_of(db).rglob("*.partial.npz"))


@contextmanager
def stopping_after(n: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C when `n` shards are written."""
    put, made = ShardStore.put, []

    def stop(store, shard, *rest):
        if len(made) == n:
            raise KeyboardInterrupt
        made.append(shard.first_token)
        put(store, shard, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(ShardStore, "put", stop)
        with pytest.raises(KeyboardInterrupt):
            yield


def test_a_scan_grows_step_by_step(part, tmp_path):
    db = tmp_path / "a.duckdb"
    for tokens in (100, 250, 400, None):
        ingest(replace(part, tokens=tokens), db=db)
    ingest(replace(part, tokens=None), db=tmp_path / "once.duckdb")
    assert_same_statistics(db, tmp_path / "once.duckdb", "one")


def test_an_interrupted_extension_goes_on_and_the_earlier_scan_stays_until_then(part, tmp_path, monkeypatch):
    db, whole = tmp_path / "a.duckdb", replace(part, tokens=None)
    first = ingest(part, db=db)
    with stopping_after(2, monkeypatch):
        ingest(whole, db=db)
    with open_atlas(db) as atlas:
        assert atlas.rows("select distinct n_tokens from scans").rows == [(first[0].n_tokens,)]
    assert read_scan(db, "one").shape[0] == first[0].n_tokens
    ingest(whole, db=db)
    ingest(whole, db=tmp_path / "once.duckdb")
    for sae in ("one", "two"):
        assert_same_statistics(db, tmp_path / "once.duckdb", sae)


def test_fewer_tokens_than_were_measured_are_there_already(part, tmp_path):
    db, notes = tmp_path / "a.duckdb", []
    whole = ingest(replace(part, tokens=None), db=db)
    again = ingest(part, db=db, on_note=notes.append)
    assert [(scan.measured, scan.n_tokens) for scan in again] == [(False, scan.n_tokens) for scan in whole]
    assert any("which include these" in note for note in notes)


def test_an_sae_may_cover_less_of_a_corpus_than_another(part, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(replace(part, saes=part.saes[:1], tokens=None), db=db)
    few = ingest(replace(part, saes=part.saes[1:]), db=db)
    ingest(part, db=tmp_path / "once.duckdb")
    assert_same_statistics(db, tmp_path / "once.duckdb", "two")
    with open_atlas(db) as atlas:
        assert atlas.rows("select count(*) from corpus").rows == [(1,)]
        assert atlas.rows("select n_tokens from scans where sae = 'two'").rows == [(few[0].n_tokens,)]
        shares = "select max(doc_density) from features where sae = 'two'"
        assert atlas.rows(shares).rows[0][0] <= 1


@pytest.mark.parametrize("loss", ["no store", "no base", "damaged base"])
def test_without_what_it_goes_on_from_all_is_measured_anew(part, tmp_path, shards_made, loss):
    db, whole, notes = tmp_path / "a.duckdb", replace(part, tokens=None, store=loss != "no store"), []
    ingest(replace(part, store=loss != "no store"), db=db)
    for base in store_of(db).rglob("base-*.npz"):
        if loss == "no base":
            base.unlink()
        else:
            base.write_bytes(bytes(base.stat().st_size))
    shards_made.clear()
    grown = ingest(whole, db=db, on_note=notes.append)
    assert min(shards_made) == 0
    assert any("all are measured" in note for note in notes)
    ingest(whole, db=tmp_path / "once.duckdb")
    assert_same_statistics(db, tmp_path / "once.duckdb", grown[0].sae)


def test_other_settings_are_no_extension(part, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(part, db=db)
    with pytest.raises(UsageError, match="--replace"):
        ingest(replace(part, tokens=None, seed=1), db=db)


@pytest.mark.parametrize(("before", "now"), [(200, None), (None, 200)])
def test_of_a_longer_or_shorter_scan_only_the_setting_that_differs_is_named(part, tmp_path, before, now):
    texts = Path(part.corpus).read_text().split("\n<|endoftext|>\n")
    rows = [json.dumps({"text": text, "y": i % 2}) for i, text in enumerate(texts)]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    labelled = replace(part, corpus=str(tmp_path / "a.jsonl"), label_field="y")
    ingest(replace(labelled, tokens=before), db=tmp_path / "a.duckdb")
    with pytest.raises(UsageError) as caught:
        ingest(replace(labelled, tokens=now, seed=1), db=tmp_path / "a.duckdb")
    assert caught.value.why == "--seed 0 then and 1 now"


def test_correlations_with_the_shorter_scan_go_with_it(part, tmp_path):
    from atlas.comparisons.correlate import pair_saes

    db, notes = tmp_path / "a.duckdb", []
    ingest(part, db=db)
    pair_saes(db, "A", "B")
    ingest(replace(part, tokens=None), db=db, on_note=notes.append)
    with open_atlas(db) as atlas:
        assert len(atlas.rows("from pairs")) == 0
    assert any("run featlas correlate again" in note for note in notes)


def test_scans_of_different_lengths_are_not_correlated(part, tmp_path):
    from atlas.comparisons.correlate import pair_saes
    from atlas.errors import AtlasError

    db = tmp_path / "a.duckdb"
    ingest(replace(part, saes=part.saes[:1], tokens=None), db=db)
    ingest(replace(part, saes=part.saes[1:]), db=db)
    assert read_scan(db, "B").shape[0] < read_scan(db, "A").shape[0]
    with pytest.raises(AtlasError, match="not measured on the same tokens"):
        pair_saes(db, "A", "B")


def test_saes_that_were_measured_on_different_parts_grow_together(part, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(replace(part, saes=part.saes[:1]), db=db)
    ingest(replace(part, saes=part.saes[1:], tokens=200), db=db)
    whole = replace(part, tokens=None)
    ingest(whole, db=db)
    ingest(whole, db=tmp_path / "once.duckdb")
    for sae in ("one", "two"):
        assert_same_statistics(db, tmp_path / "once.duckdb", sae)
        assert read_scan(db, sae).shape == read_scan(tmp_path / "once.duckdb", sae).shape


def test_a_shorter_ingest_that_ends_later_does_not_take_the_place_of_a_longer_one(part, tmp_path, monkeypatch):
    import ingest.job as job

    db, measure, whole = tmp_path / "a.duckdb", job.measure_missing, replace(part, tokens=None)

    def overtaken(*arguments):
        measure(*arguments)
        monkeypatch.setattr(job, "measure_missing", measure)
        found.extend(ingest(whole, db=db))

    found: list = []
    monkeypatch.setattr(job, "measure_missing", overtaken)
    late = ingest(part, db=db)
    assert [scan.n_tokens for scan in late] == [scan.n_tokens for scan in found]
    with open_atlas(db) as atlas:
        stores = {row[0] for row in atlas.rows("select store from scan")}
    assert {path.name for path in store_of(db).iterdir() if path.is_dir()} == stores
    assert read_scan(db, "one").shape[0] == found[0].n_tokens


def test_another_cut_of_shards_leaves_nothing_behind(part, tmp_path, monkeypatch):
    db = tmp_path / "a.duckdb"
    with stopping_after(4, monkeypatch):
        ingest(replace(part, saes=part.saes[:1], shard_tokens=40), db=db)
    again = replace(part, saes=part.saes[:1], shard_tokens=400)
    assert [scan.measured for scan in ingest(again, db=db)] == [True]
    assert [scan.measured for scan in ingest(again, db=db)] == [False]
    assert len(list(store_of(db).glob("*/shard-*.parquet"))) == 1


@pytest.mark.parametrize("how", ["more tokens", "replace"])
def test_the_folder_of_a_replaced_scan_goes_even_if_a_kill_kept_it(part, tmp_path, monkeypatch, how):
    db, one = tmp_path / "a.duckdb", replace(part, saes=part.saes[:1])
    ingest(one, db=db)
    other = replace(one, tokens=None) if how == "more tokens" else replace(one, seed=5, replace=True)
    with monkeypatch.context() as patch:
        patch.setattr(ShardStore, "settle", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ingest(other, db=db)
    assert len([path for path in store_of(db).iterdir() if path.is_dir()]) == 2
    ingest(replace(other, replace=False), db=db)
    assert len([path for path in store_of(db).iterdir() if path.is_dir()]) == 1
    assert read_scan(db, "one").nnz > 0


@pytest.mark.parametrize("content", ['{"n_contexts": 3, "files": [1]}', "{"])
def test_a_base_that_makes_no_sense_is_no_base(part, tmp_path, content):
    db, one = tmp_path / "a.duckdb", replace(part, saes=part.saes[:1])
    ingest(one, db=db)
    next(store_of(db).rglob("base.json")).write_text(content)
    notes: list[str] = []
    ingest(replace(one, tokens=None), db=db, on_note=notes.append)
    assert any("all are measured" in note for note in notes)
