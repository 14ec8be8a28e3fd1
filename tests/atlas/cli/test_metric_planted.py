"""`featlas metric` on an atlas with planted twins: all metrics, rows, nulls, intervals, refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from atlas.cli import run
from atlas.comparisons.correlate import pair_saes
from atlas.db import open_atlas
from atlas.filters.subset import Subset
from atlas.metrics import METRICS
from atlas.scores.limits import SubsetTooSmall
from tests.support.equipped import equip
from tests.support.planted import plant
from tests.support.scoring import compare


@pytest.fixture
def db(tmp_path: Path, planted: Path) -> Path:
    path = tmp_path / "planted.duckdb"
    path.write_bytes(planted.read_bytes())
    (tmp_path / "planted.duckdb.store").symlink_to(f"{planted}.store")
    return path


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("metric") / "planted.duckdb"
    plant(path)
    pair_saes(path, "A", "B")
    return path


def scored(capsys, *arguments: str) -> dict:
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_all_metrics_stand_side_by_side_with_what_they_ignore(db, capsys):
    assert run(["--db", str(db), "metric", "--all", "A", "B", "--shuffles", "20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-2]] == sorted(METRICS)
    assert "rotation, scaling, translation" in next(line for line in lines if line.startswith("cka"))
    assert "left × right" in lines[-2]
    with open_atlas(db) as atlas:
        stored = {row[0] for row in atlas.rows("select metric from scores")}
    assert stored == {line.split()[0] for line in lines[1:-2] if "undefined" not in line and "too few" not in line}


def test_all_metrics_as_json_carry_every_field(db, capsys):
    found = scored(capsys, "--db", str(db), "metric", "--all", "A", "B", "--shuffles", "20", "--no-save")
    assert found["schema"] == "featlas.metrics/1"
    assert {"value", "null_mean", "p_value", "n", "subset", "steps", "space"} <= set(found["scores"][0])


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (("--on", "encoder"), "space", "encoder"),
        (("--on", "activation"), "space", "activation"),
        (("--null", "density"), "null_kind", "density"),
        (("--bootstrap", "20"), "n_bootstrap", 20),
    ],
)
def test_an_option_reaches_the_score_and_the_table(db, capsys, options, field, value):
    found = scored(capsys, "--db", str(db), "metric", "rsa", "A", "B", "--shuffles", "20", *options)
    assert found[field] == value
    with open_atlas(db) as atlas:
        row = atlas.rows("select * from scores").dicts()[0]
    assert row.get(field, value) == value
    if field == "n_bootstrap":
        assert row["low"] <= row["value"] <= row["high"]


def test_a_score_that_counting_decides_needs_to_be_asked_for(db, capsys):
    few = Subset(where="a.feature_id < 14")
    with pytest.raises(SubsetTooSmall, match="by rank alone"):
        compare(db, "cca", "A", "B", subset=few, shuffles=5, store=False)
    forced = compare(db, "cca", "A", "B", subset=few, shuffles=5, store=False, allow_forced=True)
    assert forced.forced
    command = ["--db", str(db), "metric", "cca", "A", "B", "--where", "a.feature_id < 14", "--shuffles", "5"]
    assert run(command) == 1
    assert run([*command, "--allow-forced"]) == 0
    assert "cca" in capsys.readouterr().out


def test_halves_say_how_stable_a_score_is(db, capsys):
    command = ["--db", str(db), "metric", "rsa", "A", "B", "--shuffles", "5", "--split-half", "6"]
    assert run([*command, "--no-save"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("  halves of 17 pairs, 6 splits: mean 0.9")
    found = scored(capsys, *command)
    assert f"{found['half_apart']:.4g} apart" in said
    with open_atlas(db) as atlas:
        row = atlas.rows("select half_mean, half_apart, n_halves from scores").rows
    assert row == [(found["half_mean"], found["half_apart"], 6)]


def test_closed_forms_and_numbers_of_the_metric_are_stored_with_the_score(db, capsys):
    command = ["--db", str(db), "metric", "svcca", "A", "B", "--directions", "3", "--shuffles", "400"]
    found = scored(capsys, *command)
    assert found["expected_square"] == pytest.approx(3 / (found["n"] - 1))
    assert found["details"]["mean_square"] == pytest.approx(np.mean(np.square(found["details"]["correlations"])))
    assert len(found["details"]["correlations"]) == found["dims_a"] == 3
    rsa = scored(capsys, "--db", str(db), "metric", "rsa", "A", "B", "--shuffles", "400")
    assert rsa["expected_std"] == pytest.approx(rsa["null_std"], rel=0.15)
    with open_atlas(db) as atlas:
        stored = atlas.rows("select details, expected_square, expected_std from scores order by metric").rows
    assert [json.loads(row[0]) for row in stored] == [rsa["details"], found["details"]]
    assert stored[1][1] == found["expected_square"]


def test_cosines_of_other_spaces_are_refused_even_where_the_widths_agree(db, capsys):
    with open_atlas(db, write=True) as atlas:
        atlas.rows("update sae set hook_name = 'elsewhere' where name = 'right'")
    for name in ("matched_cosine", "mmcs"):
        assert run(["--db", str(db), "metric", name, "A", "B", "--shuffles", "5"]) == 1
        assert "needs SAEs of one hook of one model" in capsys.readouterr().err
    assert run(["--db", str(db), "metric", "matched_cosine", "A", "B", "--shuffles", "5", "--on", "activation"]) == 0


def test_an_assignment_is_made_where_a_score_needs_one(db, capsys):
    found = scored(capsys, "--db", str(db), "metric", "rsa", "A", "B", "--match", "assignment", "--shuffles", "5")
    assert found["subset"].startswith("assignment by activation")
    with open_atlas(db) as atlas:
        assert atlas.rows("select bool_and(certified) from assignments").rows == [(True,)]


def test_pairs_chosen_by_the_rows_that_are_scored_are_pointed_out(db, capsys):
    pair_saes(db, "A", "B", measure="decoder")
    assert run(["--db", str(db), "metric", "rsa", "A", "B", "--measure", "decoder", "--shuffles", "5"]) == 0
    assert "chosen by the decoder rows that are scored" in capsys.readouterr().err


def test_too_few_pairs_for_the_neighbours_say_how_many_would_do(db, capsys):
    command = ["--db", str(db), "metric", "mutual_knn", "A", "B", "--where", "a.feature_id < 9", "--shuffles", "5"]
    assert run(command) == 1
    assert "--neighbours 2" in capsys.readouterr().err
    assert run([*command, "--neighbours", "2"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("svcca", "A"), "a metric compares two SAEs"),
        (("--all", "svcca", "A", "B"), "a metric compares two SAEs"),
        (("--all", "A", "B", "--directions", "4"), "--directions is an option of svcca"),
        (("rsa", "A", "B", "--debiased"), "--debiased is an option of cka"),
        (("rsaa", "A", "B"), "rsa"),
    ],
)
def test_what_does_not_fit_together_is_refused(db, capsys, arguments, message):
    assert run(["--db", str(db), "metric", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("format_", ["json", "parquet"])
def test_pairs_can_be_listed_with_an_interval_over_documents(tmp_path, capsys, format_):
    path = tmp_path / "equipped.duckdb"
    equip(path)
    pair_saes(path, "A", "B")
    out = tmp_path / f"pairs.{format_}"
    command = ["--db", str(path), "pairs", "A", "B", "--keep-unshared", "--keep-non-concept", "--bootstrap", "50"]
    assert run([*command, "--min-value", "0.5", "-o", str(out)]) == 0
    rows = json.loads(out.read_text())["rows"] if format_ == "json" else pl.read_parquet(out).to_dicts()
    assert len(rows) > 5
    assert all(row["low"] <= row["value"] + 0.05 and row["high"] >= row["value"] - 0.05 for row in rows)
    assert all(0 < row["high"] - row["low"] < 1 for row in rows)
    assert run([*command, "--measure", "phi"]) == 1


def test_a_score_names_its_variant_and_its_sample(db, capsys):
    loose = ["--keep-non-concept", "--keep-unshared", "--shuffles", "5", "--no-save"]
    command = ["--db", str(db), "metric"]
    assert run([*command, "cka", "A", "B", "--debiased", *loose]) == 0
    assert "decoder rows, debiased" in capsys.readouterr().out
    assert run([*command, "rsa", "A", "B", "--rdm", "cosine", "--on", "activation", *loose]) == 0
    assert re.search(r"activation rows, rdm cosine, compare spearman over [\d,]+ tokens", capsys.readouterr().out)
    assert run([*command, "svcca_pc1", "A", "B", "--bootstrap", "20", *loose]) == 0
    low, high = re.search(r"\[([\d.e-]+), ([\d.]+): 95 %, 20 half-samples\]", capsys.readouterr().out).groups()
    assert 0 <= float(low) <= float(high) <= 1


def test_a_row_of_zeros_is_named_as_the_feature_it_is(db, capsys):
    with open_atlas(db, write=True) as atlas:
        atlas.rows("update feature_vector set w_dec = [0.0 for x in w_dec] where sae_id = 1 and feature_id = 0")
    assert run(["--db", str(db), "metric", "mutual_knn", "A", "B", "--shuffles", "5"]) == 1
    said = capsys.readouterr().err
    assert "the row of left:0 is zero" in said
    assert "a.feature_id <> 0" in said
    assert run(["--db", str(db), "metric", "mmcs", "A", "B", "--shuffles", "1"]) == 1
    assert "left:0 has a decoder row of zeros" in capsys.readouterr().err


def test_a_concept_is_one_however_it_is_spelt(db):
    with open_atlas(db, write=True) as atlas:
        atlas.rows("insert into concept_keyword values ('Hues', 'red', 'test'), ('Hues', 'green', 'test')")
    ids = {
        compare(db, "rsa", "A", "B", subset=Subset(concept=name, concept_share=0.1), shuffles=5).score_id
        for name in ("Hues", "hues")
    }
    assert len(ids) == 1
