"""The SQL console: what runs, what is refused, where a row leads."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from atlas.db import open_atlas
from atlas.queries.console import CAP, SqlError, columns_about, error_place, features_in, run_sql
from tests.support.tui_pilot import drive, dump, press, settle
from tui.app.app import FeatlasApp
from tui.console.view import ConsoleView


async def ask(app, pilot, text: str, *keys: str) -> str:
    """Run SQL and press keys; the screen after it."""
    if app.desk.stage.front.id != "sql":
        await press(app, pilot, "4")
    console = app.query_one(ConsoleView)
    console.open(text)
    console.editor.focus()
    await press(app, pilot, "f5", *keys)
    return dump(app)


def header(app) -> str:
    """Names of the columns that are shown."""
    return dump(app).splitlines()[app.query_one(ConsoleView).table.region.y]


def test_rows_are_those_of_the_query_and_null_is_named(tiny):
    async def script(app, pilot):
        shown = await ask(
            app,
            pilot,
            "select sae, n_features, null as none from (select sae, count(*) n_features from features group by sae) order by sae",
        )
        lines = [line.split() for line in shown.splitlines()]
        assert ["sae", "n_features", "none"] in lines
        assert ["▸little/one", "5", "NULL"] in lines
        assert ["little/two", "5", "NULL"] in lines
        assert "2 rows · " in shown
        assert "cap 100,000" in shown
        assert "file access off" in shown

    for size in ((120, 36), (80, 24)):
        drive(FeatlasApp(tiny), script, size=size)


@pytest.mark.parametrize(
    "sql",
    [
        "create table x as select 1",
        "update sae set name = 'x'",
        "from read_csv('/etc/passwd')",
        "attach '/tmp/other.duckdb'",
        "copy (select 1) to '/tmp/featlas_console_test.csv'",
        "set enable_external_access = true",
        "install httpfs",
    ],
)
def test_nothing_can_be_changed_and_no_file_reached(tiny, sql):
    with open_atlas(tiny) as atlas, pytest.raises(SqlError):
        run_sql(atlas, sql, lambda con: None)


def test_a_query_leaves_no_transaction_and_no_table_behind(tiny):
    with open_atlas(tiny) as atlas:
        assert run_sql(atlas, "create temp table t as select 1 as a; from t", lambda con: None).rows == [(1,)]
        with pytest.raises(SqlError):
            run_sql(atlas, "begin; select no_such_column from saes", lambda con: None)
        assert run_sql(atlas, "select count(*) from saes", lambda con: None).rows == [(2,)]
        with pytest.raises(SqlError):
            run_sql(atlas, "from t", lambda con: None)


def test_a_long_result_is_cut_and_says_so(tiny):
    async def script(app, pilot):
        shown = await ask(app, pilot, "from range(100001)", "tab", "G")
        assert f"first {CAP:,} rows, there are more" in shown
        assert "99999" in shown
        assert set(app.query_one(ConsoleView).table._windows) <= {0, 780, 781}

    drive(FeatlasApp(tiny), script)


def test_an_error_puts_the_cursor_where_it_is(tiny):
    async def script(app, pilot):
        shown = await ask(app, pilot, "select alias,\n  aliass from saes")
        assert 'Referenced column "aliass" not found' in shown
        assert app.query_one(ConsoleView).editor.cursor_location == (1, 2)
        shown = await ask(app, pilot, " ")
        assert "nothing to run: type SQL" in shown
        await ask(app, pilot, "select 7 as seven", "tab")
        assert "no_such" in await ask(app, pilot, "select 8 as eight; select no_such")
        assert "seven" not in dump(app)
        await press(app, pilot, "escape")
        assert app.desk.stage.front.id == "browse"

    drive(FeatlasApp(tiny), script)


def test_the_caret_of_a_long_line_is_found_where_duckdb_cuts_it(tiny):
    sql = "select " + "1, " * 60 + "zzz"
    with open_atlas(tiny) as atlas, pytest.raises(SqlError) as caught:
        run_sql(atlas, sql, lambda con: None)
    assert caught.value.place == (0, sql.index("zzz"))
    assert error_place("no caret", sql) is None


def test_esc_cancels_a_query_that_runs_and_the_view_stays(tiny):
    async def script(app, pilot):
        await press(app, pilot, "4")
        console = app.query_one(ConsoleView)
        console.open("select count(*) from range(100000000000) a, range(1000) b")
        await pilot.press("f5")
        await asyncio.sleep(0.4)
        assert console.running
        assert " running " in dump(app)
        begun = time.monotonic()
        await pilot.press("escape")
        await settle(app, pilot)
        assert time.monotonic() - begun < 3
        assert "cancelled after" in dump(app)
        assert app.desk.stage.front is console

    drive(FeatlasApp(tiny), script)


async def within(condition, pilot, seconds: float = 5) -> None:
    """Wait for something while a query runs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await pilot.pause(0.03)


def test_other_views_are_answered_while_a_query_runs_and_release_ends_it(tiny):
    async def script(app, pilot):
        await press(app, pilot, "4")
        console = app.query_one(ConsoleView)
        console.open("select count(*) from range(100000000000) a, range(1000) b")
        await pilot.press("f5", "tab", "1", "j", "j")
        await within(lambda: "fires on 30 of 100 tokens" in dump(app), pilot)
        assert console.running
        await pilot.press("2", "escape")
        await within(lambda: "› features" in dump(app), pilot)
        assert console.running
        app.desk.tending.let_go()
        await within(lambda: "is closed so that others may write" in dump(app) and not console.running, pilot)
        open_atlas(tiny, write=True).close()

    drive(FeatlasApp(tiny), script)


def test_ctrl_c_cancels_from_the_editor_and_never_quits_there(tiny):
    async def script(app, pilot):
        await press(app, pilot, "4")
        console = app.query_one(ConsoleView)
        console.open("select count(*) from range(100000000000) a, range(1000) b")
        await pilot.press("f5")
        await asyncio.sleep(0.3)
        await pilot.press("ctrl+c")
        await settle(app, pilot)
        assert "cancelled after" in dump(app)
        await press(app, pilot, "ctrl+c")
        assert "no query is running" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_enter_opens_the_feature_of_a_row_and_y_copies_it(tiny):
    async def script(app, pilot):
        shown = await ask(
            app,
            pilot,
            "select alias, feature_id from features join saes using (sae) where feature_id = 1 order by alias desc",
            "tab",
            "y",
        )
        assert "b browses them all" in shown
        assert app.clipboard == "little/two:1"
        assert "q quit" in dump(app).splitlines()[-1]
        await press(app, pilot, "enter")
        assert "features › B:1" in dump(app)
        await press(app, pilot, "escape")
        assert app.desk.stage.front.id == "sql"
        assert app.focused is app.desk.stage.front.table
        await press(app, pilot, "tab")
        assert dump(app).splitlines()[-1].split()[:6] == ["F5", "run", "tab", "result", "esc", "out"]
        assert "quit" not in dump(app).splitlines()[-1]
        await press(app, pilot, "escape")
        assert app.focused is app.desk.stage.front.table
        await press(app, pilot, "escape")
        assert app.desk.stage.front.id == "browse"

    drive(FeatlasApp(tiny), script)


def test_enter_opens_the_pair_of_a_row(tiny):
    async def script(app, pilot):
        await ask(app, pilot, "from pairs where feature_a = 2 and feature_b = 2", "tab", "enter")
        assert "pair › A:2 ↔ B:2" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_b_browses_the_features_of_the_result_in_its_order_and_esc_shows_all(tiny):
    async def script(app, pilot):
        await ask(
            app,
            pilot,
            "select sae, feature_id from features where sae = 'little/two' and feature_id in (1, 3) order by 2 desc",
            "tab",
            "b",
        )
        lines = dump(app).splitlines()
        assert "features › result of the SQL" in lines[0]
        assert lines[2].split()[:2] == ["▸B", "3"]
        assert lines[3].split()[:2] == ["B", "1"]
        assert "2 of 10" in lines[-2]
        await press(app, pilot, "escape")
        assert "10 · density" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_history_and_tables_put_text_into_the_editor(tiny):
    with open_atlas(tiny) as atlas:
        first, *_ = columns_about(atlas)

    async def script(app, pilot):
        await ask(app, pilot, "select 1 as one")
        await ask(app, pilot, "select 2 as two")
        await press(app, pilot, "ctrl+r", "j", "enter")
        assert app.query_one(ConsoleView).editor.text == "select 1 as one"
        await press(app, pilot, "f2")
        assert first.table in dump(app)
        assert "meaning" in dump(app)
        await press(app, pilot, "enter", "tab", "escape")
        assert app.query_one(ConsoleView).editor.text == f"select 1 as one{first.column}"
        assert "▸  2" in dump(app).replace("two", "")

    drive(FeatlasApp(tiny), script)


def test_columns_that_find_no_room_are_reached_by_a_key(tiny):
    async def script(app, pilot):
        columns = ", ".join(f"{number} as column_{number}" for number in range(30))
        await ask(app, pilot, f"select {columns}", "tab")
        assert "column_29" not in header(app)
        await press(app, pilot, *["greater_than_sign"] * 29)
        assert header(app).split() == ["column_29"]
        assert "from column 30 of 30" in dump(app)
        await press(app, pilot, "c")
        assert json.loads(app.clipboard)["column_7"] == 7

    drive(FeatlasApp(tiny), script, size=(80, 24))


def test_escape_codes_and_markup_in_values_and_names_are_text(tiny):
    async def script(app, pilot):
        shown = await ask(
            app, pilot, "select chr(27) || '[31m[bold]' as \"a\nb\", ['x', chr(7)] as \"[i]\", 1.5::float as f"
        )
        assert "·[31m[bold]" in shown
        assert "a⏎b" in shown
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown.replace("\n", ""))

    drive(FeatlasApp(tiny), script)


def test_columns_that_name_a_feature_are_found():
    assert features_in(["SAE", "corpus", "feature_id"]) == [(0, 2, 1)]
    assert features_in(["feature_a", "feature_b", "sae_a", "sae_b"]) == [(2, 0, None), (3, 1, None)]
    assert features_in(["sae", "n"]) == []
    assert features_in(["sae_a", "feature_a"]) == []
