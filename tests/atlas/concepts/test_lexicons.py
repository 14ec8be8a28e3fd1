"""Lexicons of a user: the forms of a file, what is refused, and what stays in the atlas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atlas.concepts.lexicons import Change, add_lexicons, read_lexicons, remove_lexicon
from atlas.db import open_atlas
from atlas.errors import AtlasError, UnknownName, UsageError

COLOURS = {"Colours": ("red", "Green"), "Shapes": ("round",)}
FILES = {
    "c.csv": "concept,keyword\nColours,red\nColours,Green\nShapes,round\n",
    "marked.csv": '\ufeffkeyword,note,concept\n red ,a,Colours\nGreen,"b, c",colours\nround,,Shapes\n',
    "c.json": '{"Colours": ["red", "Green", "RED"], "Shapes": ["round"]}',
    "as-shipped.json": '{"source": "me", "concepts": {"Colours": ["red", "Green"], "Shapes": ["round"]}}',
}


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def words(db: Path, concept: str) -> set[tuple[str, str]]:
    with open_atlas(db) as atlas:
        return set(atlas.rows("select keyword, source from concepts where concept = $concept", concept=concept).rows)


@pytest.mark.parametrize("name", FILES)
def test_every_form_holds_the_same_concepts(tmp_path: Path, name: str):
    assert read_lexicons(file(tmp_path, name, FILES[name])) == COLOURS


def test_a_word_a_line_makes_up_the_concept_that_is_named(tmp_path: Path):
    path = file(tmp_path, "words.txt", "red\n\n  Green \nred\n")
    assert read_lexicons(path, name="Colours") == {"Colours": ("red", "Green")}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("e.csv", "", "holds no word"),
        ("e.csv", "concept,keyword\n", "holds no word"),
        ("e.json", "", "holds no word"),
        ("e.json", "{}", "holds no word"),
        ("e.csv", "concept,word\nColours,red\n", "has no column keyword"),
        ("e.csv", "red\ngreen\n", "has no column concept and no column keyword"),
        ("e.csv", "concept,keyword\nColours,red\nColours,  \n", "line 3 of .* has no keyword"),
        ("e.csv", "concept,keyword\n,red\n", "line 2 of .* has no concept"),
        ("e.csv", "concept,keyword\nColours\n", "line 2 of .* has no keyword"),
        ("e.csv", 'concept,keyword\nColours,"red\n', "is not valid CSV"),
        ("e.csv", "concept,keyword\nColours,dark red\n", "line 2 of .* is not a single word: 'dark red'"),
        ("e.json", "{", "is not valid JSON"),
        ("e.json", '{"Colours": ["red"], "Colours": ["green"]}', "names 'Colours' twice"),
        ("e.json", '["red"]', "is not an object of lists"),
        ("e.json", '{"Colours": "red"}', "is not an object of lists"),
        ("e.json", '{"Colours": []}', "concept 'Colours' of .* has no keyword"),
        ("e.json", '{"Colours": ["red", 1]}', "word 2 of 'Colours' of .* has no keyword"),
        ("e.json", '{" ": ["red"]}', "has no concept"),
    ],
)
def test_what_is_no_lexicon_is_refused_with_its_place(tmp_path: Path, name: str, text: str, said: str):
    with pytest.raises(AtlasError, match=said):
        read_lexicons(file(tmp_path, name, text))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "b.csv", tmp_path / "none.csv"):
        with pytest.raises(AtlasError, match="cannot be read"):
            read_lexicons(path)


def test_who_names_the_concept_must_be_plain(tmp_path: Path):
    with pytest.raises(UsageError, match="which concept"):
        read_lexicons(file(tmp_path, "w.txt", "red\n"))
    with pytest.raises(UsageError, match="names its concepts itself"):
        read_lexicons(file(tmp_path, "c.csv", FILES["c.csv"]), name="Colours")


def test_a_lexicon_is_written_with_its_source_and_its_run(tiny: Path):
    assert add_lexicons(tiny, COLOURS, source="c.csv") == [Change("Colours", 2, "added"), Change("Shapes", 1, "added")]
    assert words(tiny, "Colours") == {("red", "c.csv"), ("Green", "c.csv")}
    with open_atlas(tiny) as atlas:
        spec = json.loads(atlas.rows("select spec from run order by run_id desc limit 1").rows[0][0])
    assert spec == {"concepts": {"Colours": ["red", "Green"], "Shapes": ["round"]}, "source": "c.csv"}


def test_the_same_words_again_are_nothing_to_do(tiny: Path):
    add_lexicons(tiny, COLOURS, source="c.csv")
    again = add_lexicons(tiny, {"colours": ("green", "Red")}, source="d.csv")
    assert again == [Change("Colours", 2, "unchanged")]
    assert words(tiny, "Colours") == {("red", "c.csv"), ("Green", "c.csv")}
    with open_atlas(tiny) as atlas:
        assert atlas.rows("select count(*) from run").rows == [(2,)]


def test_other_words_under_a_known_name_are_refused_and_nothing_is_written(tiny: Path):
    with pytest.raises(UsageError, match="the atlas already has a concept Emotions") as refused:
        add_lexicons(tiny, COLOURS | {"emotions": ("sad", "merry")}, source="c.csv")
    assert "its 49 words are from arXiv 2410.06981" in str(refused.value)
    assert "the file has 1 more and lacks 48 of them" in str(refused.value)
    assert "--replace" in str(refused.value)
    assert words(tiny, "Colours") == set()


def test_other_words_take_the_place_of_a_known_concept_when_that_is_asked(tiny: Path):
    assert add_lexicons(tiny, {"emotions": ("sad", "merry")}, source="m.txt", replace=True) == [
        Change("Emotions", 2, "replaced")
    ]
    assert words(tiny, "Emotions") == {("sad", "m.txt"), ("merry", "m.txt")}
    assert len(words(tiny, "Calendar")) == 35


def test_a_new_concept_is_found_in_features(tiny: Path):
    add_lexicons(tiny, {"Dogs": ("DOG",)}, source="d")
    with open_atlas(tiny) as atlas:
        found = atlas.rows("select feature_id, keywords, share from concept_features where concept = 'Dogs'").rows
    assert found == [(3, ["DOG"], 1.0)]


def test_a_concept_is_taken_out_and_put_back(tiny: Path):
    shipped = Path(__file__).parents[3] / "atlas" / "data" / "concepts.json"
    assert remove_lexicon(tiny, "calendar") == Change("Calendar", 35, "removed")
    assert words(tiny, "Calendar") == set()
    with pytest.raises(UnknownName, match="no concept named 'calendar'"):
        remove_lexicon(tiny, "calendar")
    changes = add_lexicons(tiny, read_lexicons(shipped), source="again")
    assert [c for c in changes if c.what != "unchanged"] == [Change("Calendar", 35, "added")]
    assert len(changes) == 8


def test_the_shipped_words_are_the_eight_categories_of_the_paper(tiny: Path):
    with open_atlas(tiny) as atlas:
        counted = dict(atlas.rows("select concept, count(*) from concepts group by concept").rows)
    assert counted == {
        "Time": 83, "Calendar": 35, "People/Roles": 27, "Nature": 46, "Emotions": 49, "MonthNames": 12, "Countries": 19,
        "Biology": 29,
    }  # fmt: skip
