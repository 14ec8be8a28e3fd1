"""`featlas show` prints the strips of the browser, or JSON."""

from __future__ import annotations

import json

import pytest

from atlas.cli import run
from atlas.db import open_atlas


def test_a_feature_is_printed_with_sample_partners_and_contexts(tiny, capsys):
    assert run(["--db", str(tiny), "show", "A:0"]) == 0
    shown = capsys.readouterr().out
    assert "fires on 40 of 100 tokens" in shown
    assert "B:1 .90 mutual" in shown
    assert "⟦sad⟧" in shown
    assert "\x1b" not in shown


def test_contexts_and_width_are_options(tiny, capsys):
    run(["--db", str(tiny), "show", "A:0", "--contexts", "1", "--width", "60"])
    lines = capsys.readouterr().out.splitlines()
    assert sum("⟦" in line for line in lines) == 1
    assert max(map(len, lines)) <= 60


def test_a_pair_is_printed_side_by_side_with_what_judges_it(tiny, capsys):
    assert run(["--db", str(tiny), "show", "one:0=two:1"]) == 0
    shown = capsys.readouterr().out
    assert "activation r .900   fire: both 25   A:0 40   B:1 30   mutual best" in shown
    assert "by chance .010" in shown


def test_json_holds_the_same_and_names_its_schema(tiny, capsys):
    run(["--db", str(tiny), "show", "A:0", "--format", "json", "--contexts", "1"])
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "featlas.feature/1"
    assert found["feature"]["n_fired"] == 40
    assert len(found["contexts"]) == 1
    best = {"alias": "B", "sae": "little/two", "corpus": "words", "feature_id": 1, "value": 0.9, "mutual": True}
    assert found["partners"][0] == best


def test_a_dead_feature_is_said_to_be_dead(tiny, capsys):
    run(["--db", str(tiny), "show", "B:4"])
    assert "never fires on words" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reference", "code", "message"),
    [
        ("A:5", 1, "its features are 0 to 4"),
        ("C:1", 2, "no SAE named 'C'"),
        ("nonsense", 2, "is no reference to a feature"),
    ],
)
def test_a_wrong_reference_gets_one_message(tiny, capsys, reference, code, message):
    assert run(["--db", str(tiny), "show", reference]) == code
    assert message in capsys.readouterr().err


def test_an_unknown_corpus_lists_the_known_ones(tiny, capsys):
    assert run(["--db", str(tiny), "show", "A:0", "--corpus", "word"]) == 2
    assert "did you mean 'words'" in capsys.readouterr().err


def test_an_escape_sequence_in_a_token_never_reaches_the_terminal(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("update vocab set text = chr(27) || ']0;owned' || chr(7) where token_id in (1, 2)")
        atlas.con.execute("insert into feature_label values (1, 0, 'me', chr(27) || '[2J')")
    run(["--db", str(tiny), "show", "A:0"])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "]0;owned" in shown


def test_a_pair_is_shown_on_the_corpus_where_both_were_measured(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows(
            "insert into corpus by name select * replace (2 as corpus_id, 'later' as name, 'c2' as sha256) from corpus"
        )
        atlas.rows(
            "insert into scan by name select * replace (3 as scan_id, 2 as corpus_id, 'x' as spec_sha256) from scan where scan_id = 1"
        )
        atlas.rows(
            "insert into feature_stat select 3 as scan_id, f.* exclude (scan_id) from feature_stat f where f.scan_id = 1"
        )
    assert run(["--db", str(tiny), "show", "A:0=B:1"]) == 0
    assert "100 tokens of words" in capsys.readouterr().out


def test_all_adds_every_number_with_its_meaning_matches_and_tokens(full, capsys):
    run(["--db", str(full), "show", "A:0", "--all", "--width", "80"])
    lines = capsys.readouterr().out.splitlines()
    shown = "\n".join(lines)
    assert "largest activation; null if none fires" in shown
    assert "logit                   B:2         .950  mutual" in shown
    assert "raises   ␣sad" in shown
    assert max(map(len, lines)) <= 80


def test_the_kind_of_contexts_is_an_option(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("update feature_context set kind = 'quantile', bin = rank")
    run(["--db", str(tiny), "show", "A:0", "--kind", "quantile", "--wrap"])
    shown = capsys.readouterr().out
    assert "activation quantile 20–30 %" in shown
    assert "contexts by quantile  2" in shown


def test_a_pair_tells_all_measures_and_ranks_candidates_by_the_one_that_is_asked_for(full, capsys):
    run(["--db", str(full), "show", "A:0=B:1", "--measure", "logit"])
    shown = capsys.readouterr().out
    assert "candidates for A:0 in B by logit" in shown
    assert "logit             .100    .750    .010  disagrees" in shown
    assert "no joint activations: the scan of little/one" in shown


def test_json_of_a_feature_holds_the_meanings(tiny, capsys):
    run(["--db", str(tiny), "show", "A:0", "--format", "json"])
    more = json.loads(capsys.readouterr().out)["more"]
    assert {"name": "max", "value": 2.0, "meaning": "largest activation; null if none fires"} in more["statistics"]
    assert more["neighbours"][0]["feature_id"] == 3
