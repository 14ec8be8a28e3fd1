"""Claims about an ingest that is stopped: finished shards are kept, and the same command ends as if nothing was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from atlas.db import store_of
from atlas.errors import AtlasError
from ingest.job import ingest
from ingest.shards import ShardStore
from ingest.spec import IngestRequest
from tests.ingest_tiny import HOOK, build_tiny, rows, tiny_request


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

    def stop_at_the_fourth(store, shard, codes, partial):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append((store.folder.name, shard.number))
        put(store, shard, codes, partial)

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
from pathlib import Path
from ingest.job import ingest
from ingest.shards import ShardStore
from ingest.spec import IngestRequest
put = ShardStore.put
ShardStore.put = lambda *a: (put(*a), time.sleep(0.3))
model, sae, corpus, db = sys.argv[1:]
ingest(IngestRequest(model=model, saes=(sae,), corpus=Path(corpus), hook="{hook}", context_length=12, shard_tokens=100), db=db)
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


def test_a_scan_being_measured_is_not_measured_by_another_program(request_, tmp_path, monkeypatch):
    second: list = []

    def try_another(store, shard, codes, partial):
        if not second:
            second.append(1)
            with pytest.raises(AtlasError, match="another featlas ingest is measuring"):
                ingest(request_, db=tmp_path / "a.duckdb")
        put(store, shard, codes, partial)

    put = ShardStore.put
    monkeypatch.setattr(ShardStore, "put", try_another)
    assert len(ingest(request_, db=tmp_path / "a.duckdb")) == 2


def test_a_full_disk_says_so_and_the_same_command_goes_on(request_, tmp_path, monkeypatch):
    import ingest.shards as shards

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
