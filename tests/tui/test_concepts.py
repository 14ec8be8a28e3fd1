"""Concepts by SAE, keyword by keyword, and what they lead to."""

from __future__ import annotations

import json

import pytest

from atlas.db import open_atlas
from tests.support.tui_pilot import drive, dump, press, screen_after
from tui.app.app import FeatlasApp
from tui.views.concepts import ConceptsView


@pytest.fixture
def named(full):
    """Two concepts in the full atlas, and its score made one of the first."""
    with open_atlas(full, write=True) as atlas, atlas.transaction():
        atlas.rows("delete from concept_keyword")
        for concept, word in (
            ("Days", "monday"),
            ("Days", "tuesday"),
            ("Moods", "sad"),
            ("Moods", "happy"),
            ("Moods", "zzz"),
        ):
            atlas.rows(
                "insert into concept_keyword (concept, keyword, source) values ($c, $k, 'test')", c=concept, k=word
            )
        spec = json.dumps({"subset": {"concept": "Moods"}})
        atlas.rows("update run set spec = $spec where run_id = 1", spec=spec)
    return full


def test_every_concept_has_a_row_a_scan_as_sql_counts_them(named):
    with open_atlas(named) as atlas:
        known = atlas.rows("select concept, sae, count(*) from concept_features group by all").rows
    assert known

    async def script(app, pilot):
        await press(app, pilot, "5")
        rows = app.query_one(ConceptsView).rows
        assert {(row.concept, row.sae, row.n_features) for row in rows if row.n_features} == set(known)
        assert dump(app).splitlines()[2].split()[:5] == ["▸Days", "A", "1", "1", "2/2"]

    drive(FeatlasApp(named), script)


def test_the_pane_has_counts_of_both_sides_the_pairs_and_the_scores(named):
    shown = screen_after(named, "5", "G", "k")
    assert "Moods  A little/one × B little/two" in shown
    assert "rsa A B .600   null .100   p 0.01   n 4   decoder rows, null of shuffle" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert any(line[:4] == ["(all)", "1", "2", "1"] for line in lines)
    assert any("sad" in line and line[line.index("sad") + 1 :][:3] == ["1", "2", "1"] for line in lines)


def test_a_concept_without_a_score_names_the_command(named):
    assert "featlas metric svcca A B --concept Days" in screen_after(named, "5", size=(80, 24))


def test_enter_browses_the_features_and_keys_change_rule_and_order(named):
    async def script(app, pilot):
        await press(app, pilot, "5", "y", "enter")
        assert app.clipboard == "featlas concepts list little/one little/two --concept Days --rule share --corpus words"
        assert "features › Days in A" in dump(app)
        assert "1 of 10" in dump(app)
        await press(app, pilot, "5", "s")
        assert dump(app).splitlines()[2].startswith("▸Moods")
        await press(app, pilot, "r")
        assert "rule paper" in dump(app)
        assert "no score of this concept" in dump(app)
        await press(app, pilot, "r", "r", "slash", "text:tuesday", "enter", "plus")
        assert "keyword" in dump(app)
        await press(app, pilot, "escape", "p")
        assert "pairs › little/one" in dump(app)

    drive(FeatlasApp(named), script, size=(80, 24))


def test_without_concepts_the_command_that_adds_them_is_named(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("delete from concept_keyword")
    assert "featlas concepts add FILE" in screen_after(tiny, "5", "j", "enter", "a", "r", "y", "p")


def test_escape_codes_in_keywords_are_harmless(named):
    with open_atlas(named, write=True) as atlas:
        atlas.con.execute(
            "insert into concept_keyword (concept, keyword, source) values (chr(27) || '[31m[i]', 'dog', 'x')"
        )
    shown = screen_after(named, "5").replace("\n", "")
    assert "·[31m[i]" in shown
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
