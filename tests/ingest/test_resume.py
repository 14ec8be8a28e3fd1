"""Claims about an ingest that is stopped: finished shards are kept, and the same command ends as if nothing was."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from atlas.activations import read_scan
from atlas.db import open_atlas, store_of
from atlas.errors import AtlasError
from ingest.job import ingest
from ingest.shards.store import ShardStore
from ingest.spec import IngestRequest
from tests.support.ingest_tiny import HOOK, build_tiny, rows, tiny_request


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny model, three SAEs and a text of 40 documents."""
    return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def request_(tiny) -> IngestRequest:
    """Two SAEs on the whole text, in several shards."""
    return tiny_request(tiny)


def test_an_interrupted_ingest_goes_on_and_ends_the_same(request_, tmp_path, monkeypatch):
    ingest(request_, db=tmp_path / "whole.duckdb")
    put, made = ShardStore.put, []

    def stop_at_the_fourth(store, shard, codes, *statistics):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append((store.folder.name, shard.number))
        put(store, shard, codes, *statistics)

    with monkeypatch.context() as patch:
        patch.setattr(ShardStore, "put", stop_at_the_fourth)
        with pytest.raises(KeyboardInterrupt):
            ingest(request_, db=tmp_path / "cut.duckdb")
    assert not (tmp_path / "cut.duckdb").exists()
    remade: list = []
    monkeypatch.setattr(ShardStore, "put", lambda *a: (remade.append((a[0].folder.name, a[1].number)), put(*a)))
    ingest(request_, db=tmp_path / "cut.duckdb")
    assert set(remade).isdisjoint(made)
    for name in ("one", "two"):
        assert rows(tmp_path / "cut.duckdb", name) == rows(tmp_path / "whole.duckdb", name)
    stores = [sorted(store_of(tmp_path / f"{name}.duckdb").rglob("*.parquet")) for name in ("cut", "whole")]
    assert [path.read_bytes() for path in stores[0]] == [path.read_bytes() for path in stores[1]]


KILLED = """
import sys, time
from ingest.job import ingest
from ingest.shards.store import ShardStore
from ingest.spec import IngestRequest
put = ShardStore.put
ShardStore.put = lambda *a: (put(*a), time.sleep(0.3))
model, sae, corpus, db = sys.argv[1:]
ingest(IngestRequest(model=model, saes=(sae,), corpus=corpus, hook="{hook}", context_length=12, shard_tokens=100), db=db)
"""


@pytest.mark.slow
def test_kill_9_loses_at_most_the_shard_in_work(tiny, request_, tmp_path):
    arguments = [str(tiny / "model"), str(tiny / "one"), str(tiny / "text.txt"), str(tmp_path / "a.duckdb")]
    process = subprocess.Popen([sys.executable, "-c", KILLED.format(hook=HOOK), *arguments])
    deadline = time.monotonic() + 120
    while len(list(tmp_path.rglob("shard-*.json"))) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("shard-*.json")}
    assert len(kept) >= 2
    assert not (tmp_path / "a.duckdb").exists()
    same = replace(request_, saes=request_.saes[:1], shard_tokens=100, batch_size=32)
    ingest(same, db=tmp_path / "a.duckdb")
    now = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("shard-*.json")}
    assert len(now) > len(kept)
    assert {name: now[name] for name in kept} == kept
    ingest(same, db=tmp_path / "whole.duckdb")
    assert rows(tmp_path / "a.duckdb", "one") == rows(tmp_path / "whole.duckdb", "one")


def test_ctrl_c_finishes_the_shard_in_work_and_a_second_one_stops_at_once(request_, tmp_path, monkeypatch):
    import ingest.running.runner as runner

    read, batches, notes = runner.read_batch, [], []

    def interrupted(*arguments):
        batches.append(1)
        while len(batches) > 4 and presses:  # the first batches are the trial of the batch size
            presses.pop()
            signal.raise_signal(signal.SIGINT)  # os.kill may reach another thread, and two of them count as one
        read(*arguments)

    monkeypatch.setattr(runner, "read_batch", interrupted)
    for presses, finished in (([1], 1), ([1, 1], 0)):
        db = tmp_path / f"{len(presses)}.duckdb"
        batches.clear()
        with pytest.raises(KeyboardInterrupt):
            ingest(replace(request_, batch_size=1, saes=request_.saes[:1]), db=db, on_note=notes.append)
        assert len(list(store_of(db).rglob("shard-*.json"))) == finished
    assert sum("stopping after this shard" in note for note in notes) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_scan_being_measured_is_not_measured_by_another_program(request_, tmp_path, monkeypatch):
    second: list = []

    def try_another(store, shard, codes, *statistics):
        if not second:
            second.append(1)
            with pytest.raises(AtlasError, match="another featlas ingest is measuring"):
                ingest(request_, db=tmp_path / "a.duckdb")
        put(store, shard, codes, *statistics)

    put = ShardStore.put
    monkeypatch.setattr(ShardStore, "put", try_another)
    assert len(ingest(request_, db=tmp_path / "a.duckdb")) == 2


def test_a_full_disk_says_so_and_the_same_command_goes_on(request_, tmp_path, monkeypatch):
    import ingest.shards.store as shards

    written: list = []

    def full(to, codes, first_token):
        written.append(first_token)
        if len(written) > 3:
            raise OSError(28, "No space left on device")
        write(to, codes, first_token)

    write = shards._write_parquet
    with monkeypatch.context() as patch:
        patch.setattr(shards, "_write_parquet", full)
        with pytest.raises(AtlasError, match="No space left on device"):
            ingest(request_, db=tmp_path / "a.duckdb")
    assert not list(tmp_path.rglob("*.tmp"))
    assert all(scan.measured for scan in ingest(request_, db=tmp_path / "a.duckdb"))


def shards_of(db: Path) -> dict[str, bytes]:
    """Every file of the store and what is in it."""
    return {str(path): path.read_bytes() for path in sorted(store_of(db).rglob("*")) if path.is_file()}


def test_replace_measures_again_and_puts_whole_shards_in_the_place_of_damaged_ones(request_, tmp_path):
    db = tmp_path / "a.duckdb"
    first = ingest(request_, db=db)
    before = shards_of(db)
    damaged = next(store_of(db).rglob("shard-00001.parquet"))
    damaged.write_bytes(bytes(damaged.stat().st_size))
    again = ingest(replace(request_, replace=True), db=db)
    assert [scan.measured for scan in again] == [True, True]
    assert {scan.scan_id for scan in again}.isdisjoint(scan.scan_id for scan in first)
    assert {name: hashlib.sha256(content).digest() for name, content in shards_of(db).items() if "parquet" in name} == {
        name: hashlib.sha256(content).digest() for name, content in before.items() if "parquet" in name
    }
    with open_atlas(db) as atlas:
        assert atlas.rows("select count(*), count(distinct scan_id) from feature_stat").rows == [(40, 2)]


def test_shards_that_vanished_are_made_again_and_nothing_else_changes(request_, tmp_path, subtests):
    db, notes = tmp_path / "a.duckdb", []
    first = ingest(request_, db=db)
    before = shards_of(db)
    for what in ("shard-00001.parquet", "shard-00000.json"):
        with subtests.test(what):
            next(store_of(db).rglob(what)).unlink()
            again = ingest(request_, db=db, on_note=notes.append)
            assert sorted(scan.measured for scan in again) == [False, True]
            assert [scan.scan_id for scan in again] == [scan.scan_id for scan in first]
            assert any("are missing on the disk" in note for note in notes)
            assert set(shards_of(db)) == set(before)
            assert read_scan(db, "one").shape == (first[0].n_tokens, 20)


def test_a_store_that_vanished_is_restored(request_, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(request_, db=db)
    before = shards_of(db)
    shutil.rmtree(store_of(db))
    ingest(request_, db=db)
    assert set(shards_of(db)) == set(before)


@pytest.mark.parametrize("store", [True, False])
def test_what_a_kill_after_the_commit_left_is_cleared_by_the_next_run(request_, tmp_path, monkeypatch, store):
    db, request = tmp_path / "a.duckdb", replace(request_, saes=request_.saes[:1], store=store)

    def killed(store, shards):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ShardStore, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            ingest(request, db=db)
    assert list(store_of(db).rglob("*.partial.npz"))
    assert [scan.measured for scan in ingest(request, db=db)] == [False]
    assert not list(store_of(db).rglob("*.partial.npz"))
    assert {path.suffix for path in store_of(db).glob("*/*")} == ({".parquet", ".json", ".npz"} if store else set())


def test_an_interruption_speaks_of_finished_shards_only_where_there_are_some(request_, tmp_path, monkeypatch):
    put, made = ShardStore.put, []

    def stop_at(number):
        def stop(store, shard, codes, *statistics):
            if len(made) == number:
                raise KeyboardInterrupt
            made.append(shard)
            put(store, shard, codes, *statistics)

        return stop

    said = []
    for number in (0, 1):
        monkeypatch.setattr(ShardStore, "put", stop_at(number))
        with pytest.raises(KeyboardInterrupt) as stopped:
            ingest(request_, db=tmp_path / f"{number}.duckdb")
        said.append(str(stopped.value))
    assert said == ["", "finished shards are kept, and the same command resumes after them"]


def test_a_finished_shard_that_was_damaged_is_made_again(request_, tmp_path, monkeypatch):
    put, made = ShardStore.put, []

    def stop(store, shard, codes, *statistics):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(shard)
        put(store, shard, codes, *statistics)

    with monkeypatch.context() as patch:
        patch.setattr(ShardStore, "put", stop)
        with pytest.raises(KeyboardInterrupt):
            ingest(request_, db=tmp_path / "a.duckdb")
    for path in tmp_path.rglob("shard-*.npz"):
        path.write_bytes(bytes(path.stat().st_size))
    assert all(scan.measured for scan in ingest(request_, db=tmp_path / "a.duckdb"))


def test_a_store_that_cannot_be_made_is_one_message(request_, tmp_path, monkeypatch):
    def refuse(self, *args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(AtlasError, match=r"cannot write in .*\n  why: Permission denied\n  try: give a --db"):
        ingest(request_, db=tmp_path / "a.duckdb")


def test_a_folder_that_may_not_be_written_to_is_told_before_the_model_runs(request_, tmp_path, monkeypatch):
    import os as system

    monkeypatch.setattr(system, "access", lambda path, mode: False)
    with pytest.raises(AtlasError, match="may not be written to"):
        ingest(request_, db=tmp_path / "a.duckdb")


def test_a_database_called_memory_is_a_file_with_a_store_beside_it(request_, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ingest(replace(request_, saes=request_.saes[:1]), db=":memory:")
    assert (tmp_path / ":memory:").is_file()
    assert read_scan(tmp_path / ":memory:", "one").nnz > 0


def test_activations_that_cannot_be_read_back_are_one_message(request_, tmp_path, monkeypatch):
    put = ShardStore.put

    def damage(store, shard, codes, *statistics):
        put(store, shard, codes, *statistics)
        store.parquet(shard).write_bytes(b"nothing of Parquet")

    monkeypatch.setattr(ShardStore, "put", damage)
    with pytest.raises(AtlasError, match="cannot read the activations in"):
        ingest(request_, db=tmp_path / "a.duckdb")
