"""What `e` writes is what the screen shows, or nothing is written."""

from __future__ import annotations

import csv
import dataclasses

from atlas.catalog.remembered import state_path
from atlas.db import open_atlas
from atlas.filters.compile import Names, compile_filter
from atlas.filters.parser import parse_filter
from atlas.filters.subset import Subset
from atlas.filters.terms import Sort
from atlas.queries import browse, scorelist
from tests.support.tui_pilot import drive, dump, press
from tests.tui.test_shell import typed
from tui.app.app import FeatlasApp
from tui.views.pairs import command_of


def column(path, name: str) -> list[str]:
    """One column of a file."""
    with path.open(encoding="utf-8") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_marks_and_sql_with_a_comment_are_written_and_a_list_that_no_command_knows_is_not(full, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    marked, counted = tmp_path / "marked.csv", tmp_path / "counted.csv"

    async def script(app, pilot):
        await press(app, pilot, "a", "j", "space", *typed("filter marked"), *typed(f"w {marked}"))
        await press(app, pilot, "4")
        app.desk.stage.front.open("-- how many\nselect 41 + 1 as n")
        await press(app, pilot, "f5", "tab", *typed(f"w {counted}"))
        await press(app, pilot, "7", "b")
        assert app.desk.stage.front.sql() is None
        await press(app, pilot, "e")
        assert "no command lists what another view has made" in dump(app)
        await press(app, pilot, "7", "s", "e")
        assert "featlas orphans lists all by how often they fire" in dump(app)
        await press(app, pilot, "2", "s", "e")
        assert "featlas pairs lists kept or dropped pairs by value" in dump(app)

    drive(FeatlasApp(full, state=state_path(full)), script, size=(160, 36))
    assert column(marked, "feature_id") == ["1"]
    assert column(counted, "n") == ["42"]


def test_marks_that_are_not_kept_are_not_exported_and_an_sae_on_two_corpora_names_its_own(tiny):
    async def script(app, pilot):
        await press(app, pilot, "a", "space", *typed("filter marked"), "e")
        assert "no marks are known here" in dump(app)
        await press(app, pilot, *typed("filter dog or sad"))
        other = dataclasses.replace(app.desk.catalogue.scans[0], scan_id=9, corpus='other "one"')
        app.desk.catalogue.scans.append(other)
        assert app.desk.stage.front.command()[-1] == 'corpus:"words" (dog or sad) sort:-density'
        app.desk.stage.front.scope = other
        names = Names(corpora=["words", other.corpus])
        compile_filter(parse_filter(app.desk.stage.front.command()[-1]), names, sort=Sort("density", descending=True))

    drive(FeatlasApp(tiny), script)


def test_thresholds_of_a_command_are_exact(tiny):
    with open_atlas(tiny) as atlas:
        a, b = browse.scans(atlas)
    words = command_of(a, b, Subset(min_value=0.7654321, min_joint=1_234_567))
    assert words[words.index("--min-value") + 1] == "0.7654321"
    assert words[words.index("--min-joint") + 1] == "1234567"


def test_the_query_of_a_list_of_scores_gives_the_same_list(full):
    with open_atlas(full, write=True) as atlas:
        for number, value in ((2, 0.9), (3, 0.3)):
            atlas.rows("create or replace temp table one as from score where score_id = 1")
            atlas.rows("update one set score_id = $n, value = $v, p_value = $v", n=number, v=value)
            atlas.rows("insert into score from one")
        for text, sort, ascending in (("", "value", False), ("", "p", False), ("rsa", "p", True), ("zzz", "n", False)):
            order = scorelist.score_order(atlas, text=text, sort=sort, ascending=ascending)
            query = scorelist.score_sql(order, text=text, sort=sort, ascending=ascending)
            assert [row[0] for row in atlas.rows(f"select score_id {query}").rows] == order


def test_a_bound_without_end_is_written_as_sql():
    compiled = compile_filter(parse_filter("max<1e999"), Names(), sort=Sort("density", descending=True), places=True)
    assert "'infinity'::double" in compiled.written_out([])
