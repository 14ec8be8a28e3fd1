"""The command line: streams, formats, exit codes, messages, and what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from atlas.cli import COMMANDS, run

HEAVY = ("duckdb", "numpy", "polars", "pyarrow", "scipy", "torch", "sae_lens", "transformer_lens", "textual", "rich")


def featlas(db: Path, *arguments: str) -> int:
    return run(["--db", str(db), *arguments])


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    return set(out.splitlines()[-1].split())


def test_help_loads_nothing_heavy():
    assert loaded_after("from atlas.cli import run\nrun(['--help'])").isdisjoint(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_loads_nothing_heavy(name):
    assert loaded_after(f"from atlas.cli import run\nrun([{name!r}, '--help'])").isdisjoint(HEAVY)


def test_importing_the_library_loads_nothing_heavy():
    assert loaded_after("import atlas").isdisjoint(HEAVY)


def test_reading_an_atlas_loads_no_model_stack(tiny):
    loaded = loaded_after(f"from atlas.cli import run\nrun(['--db', {str(tiny)!r}, 'ls', 'saes'])")
    assert loaded.isdisjoint(
        {"torch", "sae_lens", "transformer_lens", "transformers", "textual", "scipy", "polars", "pyarrow"}
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example_that_names_it(name, capsys):
    assert run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Example" in out
    assert any("featlas" in line and name in line for line in out.split("Example")[1].splitlines())


def test_a_list_is_a_table_on_stdout(tiny, capsys):
    assert featlas(tiny, "ls", "saes") == 0
    out, err = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["alias", "sae"],
        ["A", "little/one"],
        ["B", "little/two"],
    ]
    assert err == ""


def test_json_names_its_schema_and_has_no_nan(tiny, capsys):
    assert featlas(tiny, "ls", "features", "A", "--format", "json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["schema"] == "featlas.features/1"
    assert [row["feature_id"] for row in result["rows"]] == [0, 1, 2, 3, 4]
    assert result["rows"][4]["mean_active"] is None


def test_a_cut_is_announced_on_stderr(tiny, capsys):
    assert featlas(tiny, "ls", "features", "--limit", "2") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "showing 2 of 10" in err


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json", "parquet"])
def test_the_suffix_of_the_file_names_the_format(tiny, tmp_path, suffix):
    assert featlas(tiny, "ls", "saes", "-o", str(tmp_path / f"saes.{suffix}")) == 0
    assert (tmp_path / f"saes.{suffix}").stat().st_size > 0


def test_a_condition_and_an_order_on_features(tiny, capsys):
    assert (
        featlas(
            tiny,
            "ls",
            "features",
            "A",
            "--where",
            "density between 0.15 and 0.35",
            "--sort",
            "density",
            "--format",
            "jsonl",
        )
        == 0
    )
    assert [json.loads(line)["feature_id"] for line in capsys.readouterr().out.splitlines()] == [2, 1]


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


def test_text_of_a_corpus_cannot_reach_the_terminal_as_escapes(tiny, capsys):
    assert featlas(tiny, "sql", "select e'\\x1b[31mred\\nline' as text") == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_missing_atlas_is_exit_code_3(tmp_path, capsys):
    assert featlas(tmp_path / "none.duckdb", "ls", "saes") == 3
    err = capsys.readouterr().err
    assert err.startswith("error: there is no atlas at")
    assert "try: featlas demo" in err
    assert not (tmp_path / "none.duckdb").exists()


def test_a_locked_atlas_names_the_program_that_holds_it(tiny, capsys):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb, time; c = duckdb.connect({str(tiny)!r}); print('open', flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert featlas(tiny, "ls", "saes") == 3
        err = capsys.readouterr().err
        assert f"PID {holder.pid}" in err
        assert "--wait" in err
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.parametrize(("wrong", "right"), [("corelate", "correlate"), ("metrics", "metric"), ("lss", "ls")])
def test_a_mistyped_command_gets_the_nearest(tiny, capsys, wrong, right):
    assert featlas(tiny, wrong) == 2
    assert f"Did you mean '{right}'" in capsys.readouterr().err


def test_an_unknown_sae_is_exit_code_2_and_lists_the_known(tiny, capsys):
    assert featlas(tiny, "ls", "features", "little/tow") == 2
    err = capsys.readouterr().err
    assert "did you mean 'little/two'" in err


def test_status_says_what_to_do_next(tiny, capsys):
    assert featlas(tiny, "status") == 0
    out, err = capsys.readouterr()
    assert "A×B (8)" in out
    assert "metric svcca A B" in err


def test_an_option_of_another_metric_is_refused(tiny, capsys):
    assert featlas(tiny, "metric", "rsa", "A", "B", "--directions", "4") == 2
    assert "option of svcca" in capsys.readouterr().err


def test_quiet_leaves_only_the_result(tiny, capsys):
    assert run(["-q", "--db", str(tiny), "ls", "features", "--limit", "1"]) == 0
    assert capsys.readouterr().err == ""


def test_the_atlas_may_be_named_before_or_after_the_command(tiny, capsys):
    assert run(["--db", str(tiny), "ls", "saes"]) == 0
    before = capsys.readouterr().out
    assert run(["ls", "saes", "--db", str(tiny)]) == 0
    assert capsys.readouterr().out == before != ""


def test_the_atlas_may_be_named_by_the_environment(tiny, capsys, monkeypatch):
    monkeypatch.setenv("FEATLAS_DB", str(tiny))
    assert run(["ls", "saes"]) == 0
    assert "little/one" in capsys.readouterr().out
    assert run(["--db", "none.duckdb", "ls", "saes"]) == 3
