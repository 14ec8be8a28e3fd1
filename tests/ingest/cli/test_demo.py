"""Claims about the demo: where it writes, and that another text in the atlas does not confuse it."""

from __future__ import annotations

import shlex

import pytest

from atlas.cli import run
from atlas.db import open_atlas


@pytest.mark.slow
def test_a_demo_on_more_tokens_goes_on_from_the_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FEATLAS_DB", raising=False)
    assert run(["-q", "demo", "--tokens", "10000", "--shuffles", "10"]) == 0
    assert (tmp_path / "demo.duckdb").is_file()
    assert not (tmp_path / "atlas.duckdb").exists()
    assert " of small-world (" in capsys.readouterr().out
    assert run(["-q", "demo", "--tokens", "12000", "--shuffles", "10"]) == 0
    second = capsys.readouterr().out
    assert " of small-world (" in second
    assert [line for line in second.splitlines() if line.startswith("FEATURES on 12,")]
    assert second.count("tinyA_L1_w1024_s0") == 1
    with open_atlas("demo.duckdb") as atlas:
        assert atlas.rows("select count(*), count(distinct corpus_id) from scan").rows == [(13, 1)]
        assert atlas.rows("select count(*), count(distinct corpus_id) from pairing").rows == [(6, 1)]
    assert run(["-q", "demo", "--tokens", "10000", "--shuffles", "10"]) == 0
    assert capsys.readouterr().out == second


def test_the_commands_it_ends_with_can_be_pasted(tmp_path, capsys):
    from ingest.cli.demo import _print_next
    from ingest.spec import ScanSummary

    rest = (1, 10_000, 1.0, 1, 0, 0, 0.1, 0.9, True)
    _print_next(
        tmp_path / "my atlas.duckdb",
        ScanSummary("one", "C", "my text", *rest),
        ScanSummary("two", "AB", "my text", *rest),
    )
    typed = [shlex.split(line) for line in capsys.readouterr().out.splitlines() if "featlas" in line]
    assert all(words[:3] == ["featlas", "--db", str(tmp_path / "my atlas.duckdb")] for words in typed)
    assert typed[1][3:] == ["pairs", "C", "AB", "--corpus", "my text", "--limit", "10"]


def test_a_demo_that_cannot_write_its_text_is_one_message(tmp_path, capsys):
    (tmp_path / "a.duckdb.text").write_text("in the way")
    assert run(["-q", "--db", str(tmp_path / "a.duckdb"), "demo", "--tokens", "10000"]) == 1
    assert "error: cannot write in" in capsys.readouterr().err
