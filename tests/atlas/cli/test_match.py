"""`featlas match` and `featlas orphans` on the tiny atlas, and their messages."""

from __future__ import annotations

import json

import pytest

from atlas.cli import run
from atlas.db import open_atlas


def rows_of(capsys, *arguments: str) -> tuple[list[dict], str]:
    assert run([*arguments, "--format", "json"]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out)["rows"], captured.err


def test_a_rule_that_views_follow_needs_no_computing(full, capsys):
    rows, notes = rows_of(capsys, "--db", str(full), "match", "A", "B", "--method", "mutual", "--keep-unshared")
    assert [(row["feature_a"], row["feature_b"]) for row in rows] == [(0, 1), (1, 0)]
    assert "1  dropped: not mutual" in notes
    assert "1  dropped: non-concept" in notes


def test_match_without_pairs_says_how_to_make_them(tiny, capsys):
    assert run(["--db", str(tiny), "match", "A", "B", "--measure", "logit"]) == 1
    assert "correlate little/one little/two --measure logit" in capsys.readouterr().err


def test_a_matching_that_is_stored_is_asked_with_its_sum_and_its_proof(full, capsys):
    options = ("--match", "assignment", "--keep-unshared", "--keep-non-concept")
    rows, notes = rows_of(capsys, "--db", str(full), "pairs", "A", "B", *options)
    assert len(rows) == 4
    assert "sum of 4 values 2.1, mean 0.525; proved to be the largest" in notes
    assert "mean value where nothing belongs together 0.05" in notes


def test_orphans_of_two_saes_count_every_step(full, capsys):
    rows, notes = rows_of(capsys, "--db", str(full), "orphans", "A", "B")
    assert [(row["feature"], row["orphan_because"]) for row in rows] == [
        (3, "under the threshold"),
        (4, "never fires"),
    ]
    assert "encoder_partner" not in rows[0]
    counts = [line.split(maxsplit=1) for line in notes.splitlines()[1:]]
    assert counts == [
        ["5", "features of little/one"],
        ["1", "never fires"],
        ["1", "under the threshold"],
        ["3", "shared at 0.7 or more, 60.0%"],
    ]
    assert "top-1 by activation; chance level, median of the best values: 0.01" in notes


def test_shared_lists_the_others(full, capsys):
    rows, _ = rows_of(capsys, "--db", str(full), "orphans", "A", "B", "--shared", "--threshold", "0.85")
    assert [row["feature"] for row in rows] == [0]


def test_orphans_of_all_have_no_mutual_match_anywhere(full, capsys):
    rows, notes = rows_of(capsys, "--db", str(full), "orphans", "A")
    assert [row["feature"] for row in rows] == [3, 4]
    assert "with 1 other SAEs" in notes
    assert "1 comparison on words, 100 tokens; chance level of a best value, median between 0.01 and 0.02" in notes
    assert "2  have a counterpart in 0 of them" in notes
    assert "3  have a counterpart in 1 of them" in notes


def test_a_sweep_has_every_threshold(full, capsys):
    rows, _ = rows_of(capsys, "--db", str(full), "orphans", "A", "B", "--sweep", "--measure", "activation")
    shared = {row["threshold"]: row["n_shared"] for row in rows}
    assert len(shared) == 101
    assert (shared[0.4], shared[0.41], shared[0.9], shared[0.91]) == (4, 3, 1, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("orphans", "A", "B", "--rule", "paulo-belrose", "--measure", "logit"), "leave out --measure"),
        (("orphans", "A", "--rule", "assignment"), "compare two SAEs"),
        (("orphans", "A", "A"), "one SAE"),
        (("match", "A", "B", "--method", "best", "--paper-compat"), "--paper-compat sets"),
    ],
)
def test_options_that_do_not_go_together_are_usage_errors(full, capsys, arguments, message):
    assert run(["--db", str(full), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_an_sae_that_was_not_compared_says_so(full, capsys):
    assert run(["--db", str(full), "orphans", "A", "--measure", "decoder"]) == 1
    assert "was not compared with another SAE by decoder" in capsys.readouterr().err


def test_families_of_matches_are_counted_and_an_unknown_measure_is_named(full, capsys):
    rows, notes = rows_of(capsys, "--db", str(full), "families", "--rule", "mutual")
    assert len(rows) == 6
    assert "1 comparison on words, 100 tokens; chance level of a best value, median between 0.01 and 0.02" in notes
    assert "6 features in 3 families of mutual matches by activation of 0 or more: 3 consistent" in notes
    assert run(["--db", str(full), "families", "--rule", "mutual", "--measure", "decoder"]) == 2
    assert "activation, logit" in capsys.readouterr().err


def test_a_hint_with_sql_can_be_pasted(full):
    from atlas.cli.kit.group import Session

    command = Session(db=full).command("sql", "from pairs where sae_a = 'x'")
    assert command == f"featlas --db {full} sql \"from pairs where sae_a = 'x'\""
    with open_atlas(full) as atlas:
        assert atlas.rows("from pairs where sae_a = 'x'").rows == []


def test_disagreements_are_listed_with_the_chance_levels_of_both_measures(full, capsys):
    rows, notes = rows_of(capsys, "--db", str(full), "disagreements", "A", "B")
    assert [(row["feature_a"], row["feature_b"], row["activation"], row["other"]) for row in rows] == [(0, 1, 0.9, 0.1)]
    assert "chance levels: activation 0.01, logit 0.01" in notes
    assert "1  mutual pairs, one at 0.7 or more and the other at 0.3 or less" in notes
    assert run(["--db", str(full), "disagreements", "A", "B", "--measure", "decoder"]) == 1
    assert "correlate little/one little/two --measure decoder" in capsys.readouterr().err
