"""Claims about the demo: the commands it ends with, and where it cannot write; tests/test_docs_output.py runs it."""

from __future__ import annotations

import shlex

from atlas.cli import run


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
