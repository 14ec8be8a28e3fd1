"""What is shown stays itself while the atlas changes below it and while a person types faster than it reads."""

from __future__ import annotations

import pytest

import tui.views.featurelist
from atlas.db import open_atlas
from atlas.queries.browse import order_of
from tests.support.tui_pilot import drive, dump, press, settle
from tests.tui.test_shell import typed
from tests.tui.test_states import until
from tui.app.app import FeatlasApp
from tui.app.commands import run_line
from tui.views.pairs import PairsView


def measure_again(path) -> None:
    """Give every scan another number, as ingest does, and every grid."""
    with open_atlas(path, write=True) as atlas, atlas.transaction():
        named = "select table_name from information_schema.columns where table_schema = 'main' and column_name = $c"
        kept = "select table_name from information_schema.tables where table_type = 'BASE TABLE'"
        for column in ("scan_id", "grid_id"):
            for (table,) in atlas.rows(f"{named} and table_name in ({kept})", c=column).rows:
                atlas.rows(f"update {table} set {column} = {column} + 10")


async def change(app, pilot, path) -> None:
    """Let go of the file, let a writer have it, and take it back."""
    await press(app, pilot, *typed("release"))
    measure_again(path)
    app.desk.tending.come_back()
    await until(app, pilot, "is closed", gone=True)
    await settle(app, pilot)


def test_scope_list_and_pairs_survive_that_their_scans_are_measured_again(full):
    async def script(app, pilot):
        await press(app, pilot, "2", "7", "1", "a")
        await change(app, pilot, full)
        assert "little/one › features" in dump(app)
        assert "5 · density" in dump(app)
        await press(app, pilot, "a", "7")
        assert "2 of 5" in dump(app)
        await press(app, pilot, "b", "2")
        assert "2 of 4 kept" in dump(app)
        await press(app, pilot, "1")
        await change(app, pilot, full)
        assert "features › A without B" in dump(app)
        assert "2 of 10" in dump(app)
        assert "▸A" in dump(app)

    drive(FeatlasApp(full), script)


def test_an_open_pair_walks_through_its_own_list_and_shows_what_was_stored_since(full):
    async def script(app, pilot):
        await press(app, pilot, "2", "enter")
        pairs = app.query_one("#pairs", PairsView)
        pairs.action_swap()
        await settle(app, pilot)
        await press(app, pilot, "n")
        assert "A:1 ↔ B:0" in dump(app).splitlines()[0]
        await press(app, pilot, *typed("release"))
        with open_atlas(full, write=True) as atlas:
            atlas.rows("update matching set method = 'later' where method = 'greedy'")
        app.desk.tending.come_back()
        await until(app, pilot, "later by activation")

    drive(FeatlasApp(full), script, size=(120, 50))


def test_a_grid_that_was_computed_again_takes_the_place_of_the_old(full):
    async def script(app, pilot):
        await press(app, pilot, "3")
        await change(app, pilot, full)
        assert "grid 11 · 1 of 1" in dump(app)
        app.desk.stage.front.heads = [head for head in app.desk.stage.front.heads if head.grid_id == 0]
        app.desk.refresh_bars()
        await press(app, pilot, "tab")

    drive(FeatlasApp(full), script)


@pytest.fixture
def long(monkeypatch):
    """Ten features count as a long table."""
    monkeypatch.setattr(tui.views.featurelist, "LONG", 4)
    monkeypatch.setattr(tui.views.featurelist, "FIRST", 3)


def test_a_long_order_comes_in_two_steps_and_the_cursor_stays_where_it_was_put(tiny, long):
    async def script(app, pilot):
        seen = []
        reset = app.desk.stage.front.table.reset

        def watched(n_rows, **given):
            reset(n_rows, **given)
            seen.append(n_rows)
            app.desk.stage.front.table.go_to(2)

        app.desk.stage.front.table.reset = watched
        await press(app, pilot, "s")
        assert seen == [3]
        assert app.desk.stage.front.table.n_rows == 10
        assert "row 3 " in dump(app)

    drive(FeatlasApp(tiny), script)


def test_a_reference_is_opened_though_an_older_order_is_still_being_read(tiny, long):
    async def script(app, pilot):
        app.desk.stage.front.read_order(0)
        run_line(app.desk, "goto B:3")
        await settle(app, pilot)
        assert "features › B:3" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_a_list_is_not_overwritten_by_an_order_that_was_asked_for_before(tiny):
    async def script(app, pilot):
        app.desk.stage.front.read_order(0)
        app.desk.ways.browse_features([(1, 3)], "chosen")
        await settle(app, pilot)
        assert "features › chosen" in dump(app)
        assert "1 of 10" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_p_opens_the_pair_of_the_row_that_the_cursor_is_on(tiny):
    async def script(app, pilot):
        await pilot.press("j", "j", "p")
        await settle(app, pilot)
        assert "A:1 ↔ B:0" in dump(app).splitlines()[0]

    drive(FeatlasApp(tiny), script)


def test_a_list_takes_other_numbers_of_scans_and_drops_what_is_gone():
    order = order_of([(1, 5), (2, 6), (1, 7)]).renumbered({1: 9})
    assert list(zip(order.scan_ids.tolist(), order.feature_ids.tolist(), strict=True)) == [(9, 5), (9, 7)]
