"""`featlas sql`: where the SQL comes from, what it may do, and that it is all or nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atlas.cli import run


def featlas(db: Path, *arguments: str) -> int:
    return run(["--db", str(db), *arguments])


def count(db: Path, capsys, table: str) -> int:
    capsys.readouterr()
    assert featlas(db, "sql", f"select count(*) as n from {table}", "--format", "csv") == 0
    return int(capsys.readouterr().out.splitlines()[1])


def test_sql_reads(tiny, capsys):
    assert (
        featlas(tiny, "sql", "select sae, count(*) as n from features group by sae order by sae", "--format", "csv")
        == 0
    )
    assert capsys.readouterr().out == "sae,n\nlittle/one,5\nlittle/two,5\n"


def test_sql_takes_parameters_and_files(tiny, tmp_path, capsys):
    (tmp_path / "q.sql").write_text("select count(*) as n from features where sae = $sae")
    assert featlas(tiny, "sql", "-f", str(tmp_path / "q.sql"), "-p", "sae", "little/one", "--format", "csv") == 0
    assert capsys.readouterr().out == "n\n5\n"


def test_wrong_sql_is_explained_without_a_traceback(tiny, capsys):
    assert featlas(tiny, "sql", "select * from featurs") == 1
    err = capsys.readouterr().err
    assert 'Did you mean "features"' in err
    assert "Traceback" not in err


def test_sql_does_not_write_unless_asked(tiny, capsys):
    assert featlas(tiny, "sql", "delete from pair") == 1
    assert featlas(tiny, "sql", "--write", "delete from pair") == 0
    capsys.readouterr()
    assert featlas(tiny, "sql", "select count(*) as n from pairs", "--format", "csv") == 0
    assert capsys.readouterr().out == "n\n0\n"


def test_statements_that_write_are_kept_all_or_none(tiny, capsys):
    assert featlas(tiny, "sql", "--write", "delete from pair; select * from nowhere") == 1
    assert count(tiny, capsys, "pair") == 8
    assert featlas(tiny, "sql", "--write", "delete from pair where value < 0; delete from pair where value < 0.15") == 0
    assert count(tiny, capsys, "pair") == 6


def test_the_users_own_transaction_is_refused(tiny, capsys):
    assert featlas(tiny, "sql", "--write", "begin; delete from pair; commit") == 2
    assert "--write is one transaction already" in capsys.readouterr().err
    assert count(tiny, capsys, "pair") == 8


def test_only_the_last_of_several_results_is_shown_and_that_is_said(tiny, capsys):
    assert featlas(tiny, "sql", "select 1 as x; select 2 as y", "--format", "csv") == 0
    out, err = capsys.readouterr()
    assert out == "y\n2\n"
    assert "ran 2 statements; the result of the last" in err


@pytest.mark.parametrize("nothing", ["", "  \n", "/* a comment */", ";"])
def test_sql_that_says_nothing_gets_a_message(tiny, capsys, nothing):
    assert featlas(tiny, "sql", nothing) == 2
    assert "there is no SQL to run" in capsys.readouterr().err


def test_a_file_that_is_no_text_gets_a_message(tiny, tmp_path, capsys):
    (tmp_path / "q.sql").write_bytes(b"\xff\xfe\x00")
    assert featlas(tiny, "sql", "-f", str(tmp_path / "q.sql")) == 2
    assert "is no text in UTF-8" in capsys.readouterr().err


def test_a_closed_stdin_gets_a_message(tiny):
    command = f'exec "{sys.executable}" -c "from atlas.cli import main; main()" --db "{tiny}" sql - <&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 2
    assert "stdin is closed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_parameter_that_the_sql_does_not_name_is_refused(tiny, capsys):
    assert featlas(tiny, "sql", "select $a", "-p", "b", "1") == 2
    assert "the SQL has no parameter $b" in capsys.readouterr().err


def test_a_cut_says_that_more_rows_exist(tiny, capsys):
    assert featlas(tiny, "sql", "from range(100)", "--limit", "3") == 0
    out, err = capsys.readouterr()
    assert out.split() == ["range", "0", "1", "2"]
    assert "showing 3 rows; more rows exist (--limit -1 for all)" in err


def test_a_result_that_fits_says_nothing_of_more(tiny, capsys):
    assert featlas(tiny, "sql", "from range(3)", "--limit", "3") == 0
    assert capsys.readouterr().err == ""


def test_rows_far_behind_the_cut_are_not_computed(tiny, capsys):
    assert featlas(tiny, "sql", "select if(range = 900000, error('read too far'), range) as n from range(1000000)") == 0
    assert len(capsys.readouterr().out.splitlines()) == 51


def test_a_time_with_a_zone_says_how_to_print_it(tiny, capsys):
    assert featlas(tiny, "sql", "select now() as now") == 1
    assert "cast them: my_column::timestamp" in capsys.readouterr().err


def test_a_letter_that_finds_nothing_is_told_what_it_stands_for(tiny, capsys):
    assert run(["--db", str(tiny), "sql", "from features where sae = 'A'"]) == 0
    assert "A is little/one" in capsys.readouterr().err
    assert run(["--db", str(tiny), "sql", "from features where sae = 'little/one' limit 1"]) == 0
    assert "is little/one" not in capsys.readouterr().err
