"""The list of scores and the record of one."""

from __future__ import annotations

import json
import shlex

import pytest

from atlas.catalog.requests import command_again
from atlas.cli import run
from atlas.comparisons.correlate import pair_saes
from atlas.db import open_atlas
from atlas.queries.scorelist import score_order, score_record
from tests.support.planted import plant
from tests.support.tui_pilot import drive, dump, press, screen_after, settle
from tui.app.app import FeatlasApp


@pytest.fixture
def scored(full):
    """Three scores: the one of the full atlas, a better one, and one with an interval, details and a condition."""
    with open_atlas(full, write=True) as atlas, atlas.transaction():
        for number, metric, value, p in ((2, "cka", 0.9, 0.5), (3, "svcca", 0.3, 0.2)):
            atlas.rows("create temp table one as from score where score_id = 1")
            atlas.rows(
                "update one set score_id = $n, metric = $m, value = $v, p_value = $p", n=number, m=metric, v=value, p=p
            )
            atlas.rows("insert into score from one")
            atlas.rows("drop table one")
        atlas.rows(
            "update score set low = 0.25, high = 0.35, details = $d, subset = 'best; where a.density < 1e-2' where score_id = 3",
            d=json.dumps({"rank_x": 3, "correlations": [0.9, 0.5, 0.1]}),
        )
    return full


def test_the_list_starts_with_the_newest_and_the_pane_has_its_whole_record(scored):
    shown = screen_after(scored, "6")
    lines = shown.splitlines()
    assert lines[2].split()[:7] == ["▸", "3", "svcca", "A", "B", "4", ".300"]
    assert "95 % of resamples .250 to .350" in shown
    assert "pairs: best; where a.density < 1e-2" in shown
    assert "correlations ▇▄▁  .900 … .100" in shown
    assert "steps: candidates 5 · left 4" in shown
    assert "3 scores · newest ↓ · row 1" in lines[-2]


def test_keys_sort_filter_and_open_the_record(scored):
    async def script(app, pilot):
        await press(app, pilot, "6")
        app.desk.stage.front.table.go_to(1)
        seen = []
        app.desk.stage.front._with_record(seen.append)
        await settle(app, pilot)
        assert [record.values["score_id"] for record in seen] == [2]
        await press(app, pilot, "g", "s")
        assert dump(app).splitlines()[2].split()[0] == "▸cka"
        await press(app, pilot, "s", "s")
        assert dump(app).splitlines()[2].split()[0] == "▸rsa"
        await press(app, pilot, "S")
        assert dump(app).splitlines()[2].split()[0] == "▸cka"
        await press(app, pilot, "slash", "text:DENSITY", "enter")
        assert "1 scores" in dump(app)
        await press(app, pilot, "enter")
        assert "95 % of resamples" in dump(app)
        assert "metric   SAEs" not in dump(app)
        await press(app, pilot, "escape", "p")
        assert "pairs › little/one ↔ lit" in dump(app)

    drive(FeatlasApp(scored), script, size=(80, 24))


def test_without_scores_the_command_that_makes_one_is_named(tiny):
    assert "featlas metric svcca A B" in screen_after(tiny, "6", "j", "enter", "y", "p")


def test_escape_codes_in_a_subset_are_harmless(scored):
    with open_atlas(scored, write=True) as atlas:
        atlas.con.execute("update score set subset = '[b]' || chr(27) || ']0;x'")
    shown = screen_after(scored, "6").replace("\n", "")
    assert "[b]·]0;x" in shown
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)


def test_the_command_of_a_score_computes_the_same_score_again(tmp_path):
    db = tmp_path / "planted.duckdb"
    plant(db)
    pair_saes(db, "A", "B")
    asked = "metric rsa A B --rdm cosine --match mutual --min-value 0.1 --shuffles 5 --seed 3 --keep-unshared"
    asked = [*shlex.split(asked), "--where", "a.density < 0.9", "--on", "encoder"]
    assert run(["-q", "--db", str(db), *asked]) == 0
    with open_atlas(db) as atlas:
        (number,) = score_order(atlas)
        again = score_record(atlas, number).again
    assert "--where 'a.density < 0.9'" in again
    assert run(["-q", "--db", str(db), *shlex.split(again)[1:]]) == 0
    with open_atlas(db) as atlas:
        assert score_order(atlas) == [number]


def test_the_paper_s_selection_is_one_option_of_the_command():
    subset = {
        "match": "first-seen",
        "direction": "b_to_a",
        "min_value": 0.1,
        "paper_compat": True,
        "concept": "Two words",
    }
    spec = {"metric": "svcca", "sae_a": "a b", "sae_b": "c", "corpus": "d", "subset": subset, "options": {"k": 3}}
    assert (
        command_again(spec)
        == "featlas metric svcca 'a b' c --corpus d --paper-compat --concept 'Two words' --directions 3"
    )
    assert command_again({"n": 1}) == ""
