"""`featlas concepts`: counts over SAEs and keyword by keyword, and lexicons from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atlas.cli import run
from atlas.db import open_atlas


def rows(capsys: pytest.CaptureFixture, db: Path, *words: str) -> list[dict]:
    assert run(["--db", str(db), "concepts", *words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)["rows"]


def refused(capsys: pytest.CaptureFixture, db: Path, *words: str) -> str:
    assert run(["--db", str(db), "concepts", *words]) == 2
    return capsys.readouterr().err


def test_every_concept_is_counted_in_every_sae(tiny, capsys):
    found = {(row["concept"], row["alias"]): row for row in rows(capsys, tiny)}
    assert len(found) == 8 * 2
    assert found["Emotions", "A"] == {
        "concept": "Emotions", "alias": "A", "sae": "little/one", "corpus": "words", "n_features": 1, "n_features_half": 1,
        "keywords_found": ["sad"], "n_keywords": 49,
    }  # fmt: skip
    assert {key: row["n_features"] for key, row in found.items() if row["n_features"]} == {
        ("Emotions", "A"): 1,
        ("Emotions", "B"): 2,
    }


def test_one_sae_one_concept_one_rule(tiny, capsys):
    (row,) = rows(capsys, tiny, "B", "--concept", "emotions", "--concept-share", "0.6")
    assert (row["sae"], row["n_features"]) == ("little/two", 0)
    (row,) = rows(capsys, tiny, "--rule", "word", "A", "--concept", "Emotions")
    assert (row["n_features"], row["keywords_found"]) == (1, ["sad"])


def test_an_atlas_without_scans_lists_its_concepts(tmp_path, capsys):
    open_atlas(tmp_path / "new.duckdb", create=True).close()
    found = rows(capsys, tmp_path / "new.duckdb")
    assert [(row["sae"], row["n_features"]) for row in found] == [(None, 0)] * 8


def test_two_saes_are_counted_keyword_by_keyword_with_their_pairs(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("insert into concept_keyword values ('Emotions', 'happy', 'me')")
    found = rows(capsys, tiny, "A", "B", "--concept", "Emotions")
    assert found == [
        {"concept": "Emotions", "keyword": "(all)", "n_features_a": 1, "n_features_b": 2, "n_pairs": 1},
        {"concept": "Emotions", "keyword": "sad", "n_features_a": 1, "n_features_b": 2, "n_pairs": 1},
        {"concept": "Emotions", "keyword": "happy", "n_features_a": 1, "n_features_b": 1, "n_pairs": 1},
    ]
    swapped = rows(capsys, tiny, "B", "A", "--concept", "Emotions")
    assert [(r["n_features_a"], r["n_features_b"], r["n_pairs"]) for r in swapped] == [(2, 1, 1), (2, 1, 1), (1, 1, 1)]


@pytest.mark.parametrize(
    ("options", "n_pairs"),
    [((), 1), (("--min-value", "0.95"), 0), (("--match", "mutual"), 1), (("--match", "singletons"), 0)],
)
def test_the_rule_of_the_pairs_can_be_chosen(tiny, capsys, options, n_pairs):
    assert rows(capsys, tiny, "A", "B", *options)[0]["n_pairs"] == n_pairs


def test_a_feature_with_two_keywords_counts_once_for_the_concept(tiny, capsys):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("insert into concept_keyword values ('Days', 'Monday', 'me'), ('Days', 'Tuesday', 'me')")
    found = rows(capsys, tiny, "A", "B", "--concept", "Days")
    assert [(r["keyword"], r["n_features_a"], r["n_features_b"], r["n_pairs"]) for r in found] == [
        ("(all)", 1, 1, 1),
        ("Monday", 1, 1, 1),
        ("Tuesday", 1, 0, 0),
    ]


def test_without_pairs_both_sides_are_counted_and_the_command_that_makes_pairs_is_named(tiny, capsys):
    assert run(["--db", str(tiny), "concepts", "A", "B", "--measure", "decoder", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert [(r["n_features_a"], r["n_pairs"]) for r in json.loads(out)["rows"]] == [(1, None)] * 2
    assert "no pairs are counted: little/one and little/two have no pairs by decoder yet" in err
    assert f"featlas --db {tiny} correlate little/one little/two --measure decoder" in err


def test_names_that_are_none_are_refused(tiny, capsys):
    assert "no SAE named 'Z'" in refused(capsys, tiny, "A", "Z")
    assert "no SAE named 'Z'" in refused(capsys, tiny, "Z")
    assert "did you mean 'Emotions'" in refused(capsys, tiny, "A", "B", "--concept", "emotion")
    assert "no corpus named 'other'" in refused(capsys, tiny, "--corpus", "other")
    assert "no corpus named 'other'" in refused(capsys, tiny, "A", "B", "--corpus", "other")
    assert "are one SAE" in refused(capsys, tiny, "A", "little/one")
    assert "'shape' is not one of" in refused(capsys, tiny, "--rule", "shape")


def test_shared_options_may_stand_anywhere(tiny, capsys):
    for words in (["--db", str(tiny), "A"], ["-q", "A", f"--db={tiny}"], [f"--db={tiny}", "list", "A"]):
        assert run(["concepts", *words]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 9


def test_a_lexicon_goes_in_and_out(tiny, tmp_path, capsys):
    path = tmp_path / "pets.txt"
    path.write_text("dog\ncat\n")
    for words, said in (
        (("add", str(path), "--name", "Pets"), "added Pets: 2 words\n"),
        (("add", str(path), "--name", "pets"), "Pets is there with these 2 words already: nothing to do\n"),
    ):
        assert run(["--db", str(tiny), "concepts", *words]) == 0
        assert capsys.readouterr().err == said
    assert rows(capsys, tiny, "A", "--concept", "Pets")[0]["keywords_found"] == ["dog"]
    path.write_text("dog\n")
    assert "the atlas already has a concept Pets" in refused(capsys, tiny, "add", str(path), "--name", "Pets")
    assert run(["--db", str(tiny), "concepts", "add", str(path), "--name", "Pets", "--replace"]) == 0
    assert capsys.readouterr().err == "replaced Pets: 1 word\n"
    assert run(["--db", str(tiny), "concepts", "remove", "pets"]) == 0
    assert capsys.readouterr().err == "removed Pets: 1 word\n"
    assert "no concept named 'Pets'" in refused(capsys, tiny, "remove", "Pets")
    assert "--name NAME" in refused(capsys, tiny, "add", str(path))


def test_a_file_without_words_leaves_the_atlas_as_it_is(tiny, tmp_path, capsys):
    (tmp_path / "e.json").write_text("{}")
    before = tiny.read_bytes()
    assert run(["--db", str(tiny), "concepts", "add", str(tmp_path / "e.json")]) == 1
    assert "holds no word" in capsys.readouterr().err
    assert tiny.read_bytes() == before


def test_what_shipped_comes_back_after_it_was_removed(tiny, capsys):
    base = ["--db", str(tiny), "concepts"]
    with open_atlas(tiny) as atlas:
        before = atlas.rows("select keyword from concepts where concept = 'Time' order by all").rows
    assert run([*base, "remove", "time"]) == 0
    assert "concepts add --built-in brings it back" in capsys.readouterr().err
    assert run([*base, "add", "--built-in"]) == 0
    assert "added Time" in capsys.readouterr().err
    with open_atlas(tiny) as atlas:
        assert atlas.rows("select keyword from concepts where concept = 'Time' order by all").rows == before
    assert run([*base, "add"]) == 2
    assert "concepts add --built-in" in capsys.readouterr().err
