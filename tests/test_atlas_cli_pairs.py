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
    counts = [line.split(maxsplit=1) for line in notes.splitlines()[2:]]
    assert counts == [
        ["4", "candidates"],
        ["1", "dropped: non-concept"],
        ["1", "dropped: no shared token"],
        ["2", "kept"],
    ]


def test_the_sample_and_the_chance_level_are_said(tiny, capsys):
    _, notes = rows_of(capsys, "--db", str(tiny), "pairs", "A", "B")
    assert "little/one and little/two on words, 100 tokens" in notes
    assert "median of the best correlations 0.75; with the token rows shifted 0.01" in notes


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
    ],
)
def test_each_filter_can_be_set(tiny, capsys, options, kept):
    rows, _ = rows_of(capsys, "--db", str(tiny), "pairs", "A", "B", *options)
    assert len(rows) == kept


def test_saes_that_were_never_compared_get_the_command_that_compares_them(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from pairing")
    assert run(["--db", str(tiny), "pairs", "A", "B"]) == 1
    assert f"featlas --db {tiny} correlate A B" in capsys.readouterr().err


def test_an_sae_has_no_pairs_with_itself(tiny, capsys):
    assert run(["--db", str(tiny), "pairs", "A", "A"]) == 2
    assert "one SAE" in capsys.readouterr().err


@pytest.mark.parametrize(("a", "b", "direction"), [("B", "A", "a_to_b"), ("A", "B", "b_to_a")])
def test_the_chance_level_is_that_of_the_side_that_chooses(tiny, capsys, a, b, direction):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("update pairing set median_best_ba = 0.5, chance_ba = 0.25")
    _, notes = rows_of(capsys, "--db", str(tiny), "pairs", a, b, "--direction", direction)
    assert "median of the best correlations 0.5; with the token rows shifted 0.25" in notes


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
