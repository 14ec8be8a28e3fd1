"""The command line: streams, formats, exit codes, messages, and what it does not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from atlas.cli import COMMANDS, run
from atlas.cli.kit.params import Duration
from atlas.cli.ls import KINDS
from atlas.db import open_atlas

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


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_list_can_be_listed(tiny, capsys, kind):
    assert featlas(tiny, "ls", kind, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["schema"] == f"featlas.{kind}/1"


@pytest.mark.parametrize("option", [("--sort", "x"), ("--where", "true"), ("A",)])
def test_what_only_features_take_is_refused_elsewhere(tiny, capsys, option):
    assert featlas(tiny, "ls", "saes", *option) == 2
    assert "ls saes takes no SAE, no filter, no --where and no --sort" in capsys.readouterr().err


def test_a_condition_that_fails_on_the_values_is_explained(tiny, capsys):
    assert featlas(tiny, "ls", "features", "--where", "corpus::int > 3") == 2
    assert "the condition 'corpus::int > 3' does not work" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls", "features", "--where", " "),
        ("metric", "rsa", "A", "B", "--where", ""),
        ("metric", "rsa", "A", "B", "--concept", " "),
        ("metric", "rsa", "A", "B", "--min-value", "nan"),
        ("metric", "rsa", "A", "B", "--seed", "-1"),
        ("correlate", "A", "B", "--seed", str(2**63)),
        ("pairs", "A", "B", "--min-value", "inf"),
        ("ls", "saes", "--wait", "soon"),
    ],
)
def test_a_value_that_means_nothing_is_refused(tiny, capsys, arguments):
    assert featlas(tiny, *arguments) == 2
    assert f"Invalid value for '{next(a for a in arguments if a.startswith('--'))}'" in capsys.readouterr().err


@pytest.mark.parametrize(("written", "seconds"), [("90", 90), ("1.5", 1.5), ("60s", 60), ("2m", 120), ("1H", 3600)])
def test_a_time_to_wait_may_have_a_unit(written, seconds):
    assert Duration().convert(written, None, None) == seconds


def test_status_says_what_to_do_next(tiny, capsys):
    assert featlas(tiny, "status") == 0
    out, err = capsys.readouterr()
    assert "  pairs      A×B activation (8)\n" in out
    assert "metric svcca A B" in err


def test_status_lists_the_measures_of_two_saes_together_and_corpora_where_there_are_several(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        for n, measure in enumerate(("decoder", "logit"), start=2):
            atlas.rows(
                f"insert into pairing by name select * replace ({n} as pairing_id, '{measure}' as measure) "
                "from pairing where pairing_id = 1"
            )
    assert featlas(tiny, "status") == 0
    assert "  pairs      A×B activation (8), decoder (0), logit (0)\n" in capsys.readouterr().out
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows(
            "insert into corpus by name select * replace (2 as corpus_id, 'other' as name, 'o' as sha256) from corpus"
        )
        atlas.rows("update pairing set corpus_b = 2 where pairing_id = 3")
    assert featlas(tiny, "status") == 0
    assert "decoder (0) on words, logit (0) on words and other\n" in capsys.readouterr().out


def test_status_quotes_the_path_in_what_to_type(tiny, capsys):
    moved = tiny.rename(tiny.with_name("my atlas.duckdb"))
    assert featlas(moved, "status") == 0
    assert f"featlas --db '{moved}' metric svcca A B" in capsys.readouterr().err


def test_status_advises_no_comparison_of_saes_measured_on_different_corpora(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("delete from pair")
        atlas.con.execute("delete from pairing")
        atlas.con.execute(
            "insert into corpus select * replace (2 as corpus_id, 'other' as name, 'o' as sha256) from corpus"
        )
        atlas.con.execute("update scan set corpus_id = 2 where sae_id = 2")
    assert featlas(tiny, "status") == 0
    assert capsys.readouterr().err.endswith(" tui\n")


def test_status_finds_the_corpus_that_two_saes_share_behind_a_newer_scan(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("delete from pair")
        atlas.con.execute("delete from pairing")
        atlas.con.execute(
            "insert into corpus select * replace (2 as corpus_id, 'other' as name, 'o' as sha256) from corpus"
        )
        atlas.con.execute(
            "insert into scan select * replace (9 as scan_id, 2 as corpus_id, finished_at + interval 1 day as finished_at,"
            " 's' as spec_sha256) from scan where sae_id = 2"
        )
    assert featlas(tiny, "status") == 0
    assert capsys.readouterr().err.endswith(" correlate A B\n")


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


def test_the_group_leaves_the_commands_themselves_as_they_are(tiny):
    from atlas.cli.ls import ls

    before = [param.name for param in ls.params]
    assert featlas(tiny, "ls", "saes") == 0
    assert [param.name for param in ls.params] == before
