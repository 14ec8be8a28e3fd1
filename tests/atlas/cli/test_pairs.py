"""`featlas pairs` lists what the filters keep and counts what they drop."""

from __future__ import annotations

import json

import pytest

from atlas.cli import run
from atlas.db import open_atlas


def rows_of(capsys, *arguments: str) -> tuple[list[dict], str]:
    assert run([*arguments, "--format", "json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["schema"] == "featlas.pairs/1"
    return found["rows"], captured.err


def test_kept_pairs_are_listed_best_first_and_every_step_is_counted(tiny, capsys):
    rows, notes = rows_of(capsys, "--db", str(tiny), "pairs", "A", "B")
    assert [(row["feature_a"], row["feature_b"]) for row in rows] == [(0, 1), (1, 0)]
    counts = [line.split(maxsplit=1) for line in notes.splitlines()[2:-1]]
    assert counts == [
        ["4", "candidates"],
        ["1", "dropped: non-concept"],
        ["1", "dropped: no shared token"],
        ["2", "kept"],
    ]
    assert notes.splitlines()[-1].startswith(
        "kept: mean 0.85, median 0.85; they cover 50.0% of the live features of little/one and 50.0%"
    )


def test_the_sample_and_the_chance_level_are_said(tiny, capsys):
    _, notes = rows_of(capsys, "--db", str(tiny), "pairs", "A", "B")
    assert "little/one and little/two on words, 100 tokens" in notes
    assert "median of the best correlations 0.75; with the tokens shifted 0.01" in notes


def test_dropped_lists_the_dropped_pairs_alone_with_all_their_reasons(tiny, capsys):
    rows, _ = rows_of(
        capsys, "--db", str(tiny), "pairs", "A", "B", "--dropped", "--min-value", "0.75", "--min-joint", "20"
    )
    reasons = {row["feature_a"]: row["dropped_because"] for row in rows}
    assert reasons == {2: ["value", "joint", "non-concept"], 3: ["value", "joint", "no shared token"]}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (("--keep-non-concept",), 3),
        (("--keep-unshared",), 3),
        (("--no-shared-token", "--keep-non-concept"), 4),
        (("--no-shared-token", "--one-to-one"), 2),
        (("--direction", "b_to_a"), 3),
        (("--min-value", "0.85"), 1),
        (("--no-shared-token", "--match", "one-to-one"), 2),
        (("--no-shared-token", "--match", "singletons"), 1),
        (("--no-shared-token", "--match", "mutual", "--keep-non-concept"), 3),
        (("--direction", "b_to_a", "--keep-unshared", "--match", "first-seen"), 2),
        (("--min-density", "0.35"), 0),
        (("--min-density", "0.3", "--max-density", "0.4"), 2),
        (("--keep-unshared", "--max-density", "0.35"), 1),
    ],
)
def test_each_filter_can_be_set(tiny, capsys, options, kept):
    rows, _ = rows_of(capsys, "--db", str(tiny), "pairs", "A", "B", *options)
    assert len(rows) == kept


def test_saes_that_were_never_compared_get_the_command_that_compares_them(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from pairing")
    assert run(["--db", str(tiny), "pairs", "A", "B"]) == 1
    assert f"featlas --db {tiny} correlate little/one little/two" in capsys.readouterr().err


def test_an_sae_has_no_pairs_with_itself(tiny, capsys):
    assert run(["--db", str(tiny), "pairs", "A", "A"]) == 2
    assert "one SAE" in capsys.readouterr().err


@pytest.mark.parametrize(("a", "b", "direction"), [("B", "A", "a_to_b"), ("A", "B", "b_to_a")])
def test_the_chance_level_is_that_of_the_side_that_chooses(tiny, capsys, a, b, direction):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("update pairing set median_best_ba = 0.5, chance_ba = 0.25")
    _, notes = rows_of(capsys, "--db", str(tiny), "pairs", a, b, "--direction", direction)
    assert "median of the best correlations 0.5; with the tokens shifted 0.25" in notes


def test_a_chance_level_that_was_not_stored_is_said_to_be_missing(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("update pairing set median_best_ba = null, chance_ba = null")
    _, notes = rows_of(capsys, "--db", str(tiny), "pairs", "B", "A")
    assert "no chance level stored for the features of little/two" in notes


def test_a_cut_of_the_pairs_says_how_many_there_are(tiny, capsys):
    assert run(["--db", str(tiny), "pairs", "A", "B", "--limit", "1"]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert "showing 1 of 2 rows" in captured.err


def test_another_measure_has_its_own_pairs_and_chance_level(full, capsys):
    rows, notes = rows_of(capsys, "--db", str(full), "pairs", "A", "B", "--measure", "logit", "--keep-unshared")
    assert [(row["feature_a"], row["feature_b"], row["value"]) for row in rows] == []
    assert "median of the best values of logit 0.75; for random vectors 0.01" in notes
    rows, _ = rows_of(
        capsys, "--db", str(full), "pairs", "A", "B", "--measure", "logit", "--keep-unshared", "--keep-non-concept"
    )
    assert [(row["feature_a"], row["feature_b"], row["value"]) for row in rows] == [(0, 2, 0.95)]


def test_a_measure_that_is_not_stored_names_those_that_are(full, capsys):
    assert run(["--db", str(full), "pairs", "A", "B", "--measure", "decoder"]) == 1
    shown = capsys.readouterr().err
    assert "activation, logit" in shown
    assert "correlate little/one little/two --measure decoder" in shown


def test_paper_compat_lets_features_of_b_choose_and_keeps_the_first_seen(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("update pair set value = 0.1 * 100 / 99 where feature_a = 1 and feature_b = 0")
    rows, notes = rows_of(capsys, "--db", str(tiny), "pairs", "A", "B", "--paper-compat", "--keep-unshared")
    # B's 0 has r (n - 1) / n of exactly 0.1, which is not above it; B's 3 chose A's 0 after B's 1 did.
    assert [(row["feature_a"], row["feature_b"]) for row in rows] == [(0, 1)]
    assert "1  dropped: value" in notes
    assert "1  dropped: many-to-one" in notes
    mean = (0.9 + 0.1 / 0.99 + 0.7 + 0.3) * 0.99 / 5
    assert f"as that code takes it, dead features as 0: {mean:.3g}" in notes


def test_paper_compat_stands_alone(tiny, capsys):
    assert run(["--db", str(tiny), "pairs", "A", "B", "--paper-compat", "--direction", "a_to_b"]) == 2
    assert "--paper-compat sets --direction itself" in capsys.readouterr().err


def test_densities_that_leave_nothing_are_refused(tiny, capsys):
    assert run(["--db", str(tiny), "pairs", "A", "B", "--min-density", "0.5", "--max-density", "0.1"]) == 2
    assert "no density" in capsys.readouterr().err


def test_a_table_says_in_its_heading_what_is_the_same_in_every_row(tiny, capsys):
    assert run(["--db", str(tiny), "pairs", "A", "B"]) == 0
    header = capsys.readouterr().out.splitlines()[0].split()
    assert header[:3] == ["feature_a", "feature_b", "value"]
    assert not {"corpus", "measure"} & set(header)
