"""What surrounds the views: command line, palette, history, marks, copying, export, and what is remembered."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.events import Key

from atlas.cli import run
from tests.support.tui_pilot import drive, dump, press, settle
from tests.tui.test_states import until
from tui.app.app import FeatlasApp
from tui.app.commands import COMMANDS
from tui.widgets.typed import Recall
from tui.widgets.vtable import VTable


def after(path: Path, *keys: str, size: tuple[int, int] = (140, 36), **options) -> tuple[FeatlasApp, str]:
    app, shown = FeatlasApp(path, **options), []

    async def script(app, pilot):
        await press(app, pilot, *keys)
        await pilot.pause(0.15)
        await settle(app, pilot)
        shown.append(dump(app))
        app.exit()

    drive(app, script, size=size)
    return app, shown[0]


def typed(line: str) -> tuple[str, ...]:
    return ("colon", f"text:{line}", "enter")


# the command line


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("goto B:2", "› features › B:2"),
        ("A:3", "› features › A:3"),
        ("goto A:0=B:1", "› pair › A:0 ↔ B:1"),
        ("filter density<.25", "filter: density<.25"),
        ("sort -max", "max ↓"),
        ("sort feature_id", "feature_id ↑"),
        ("sort -feature_id", "feature_id ↓"),
        ("sort skew", "skew ↑"),
        ("sae B", "little/two › features"),
        ("view pairs", "› pairs ›"),
        ("theme nope", "no theme named 'nope'"),
        ("goto nonsense", "'nonsense' is no reference to a feature"),
        ("goto A:99", "has no feature 99"),
        ("goto", "goto needs a feature A:1081"),
        ("filter dens<1", "no field 'dens' – did you mean 'density'? (column 1)"),
        ("sort lable", "no order named 'lable'; did you mean 'label'?"),
        ("nonsense", "no command named 'nonsense'"),
        ("sae Q", "no SAE named 'Q'"),
        ("matrix nope", "no matrix of 'nope'; stored: none"),
    ],
)
def test_a_command_does_what_it_says_or_says_why_not(tiny, line, says):
    assert says in after(tiny, *typed(line))[1]


def test_sql_takes_the_query_of_the_list_into_the_console(tiny):
    _, shown = after(tiny, *typed("filter density<.25"), *typed("sql"), "f5", "tab")
    assert "› sql" in shown.splitlines()[0]
    assert "6 rows" in shown


def test_every_command_without_a_value_runs_and_keeps_the_browser_alive(tiny):
    async def script(app, pilot):
        for command in COMMANDS:
            if not command.takes and command.name != "q":
                await press(app, pilot, *typed(command.name))
                if len(app.screen_stack) > 1:
                    await press(app, pilot, "escape")
        await press(app, pilot, "1", "g")
        assert "▸A" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_the_command_line_leaves_by_esc_and_remembers_what_was_typed(tiny):
    async def script(app, pilot):
        await press(app, pilot, *typed("sort -max"), *typed("sort -density"), "colon", "up", "up")
        assert app.desk.command_line.value == "sort -max"
        await press(app, pilot, "down", "down")
        assert app.desk.command_line.value == ""
        await press(app, pilot, "escape", "j")
        assert "row 2" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_keys_that_come_all_at_once_are_typed_into_the_line_that_the_first_one_opens(tiny):
    async def script(app, pilot):
        for opening, text, says in (("colon", "sort_max", "sort_max"), ("slash", "tok:a/b", "tok:a/b")):
            app.post_message(Key(opening, {"colon": ":", "slash": "/"}[opening]))
            for letter in text:
                app.post_message(Key({":": "colon", "/": "slash", "_": "underscore"}.get(letter, letter), letter))
            await settle(app, pilot)
            assert app.focused.value == says
            await press(app, pilot, "escape")

    drive(FeatlasApp(tiny), script)


def test_q_in_the_command_line_ends_the_program(tiny):
    app, _ = after(tiny, *typed("q"))
    assert app.return_code == 0


def test_stepping_past_the_newest_comes_back_to_what_was_being_typed():
    recall = Recall(["a", "b"])
    assert [recall.step("x", -1), recall.step("b", -1), recall.step("a", -1)] == ["b", "a", "a"]
    assert [recall.step("a", 1), recall.step("b", 1), recall.step("x", 1)] == ["b", "x", "x"]
    recall.add("a")
    assert recall.texts == ["b", "a"]


def test_the_palette_finds_a_command_and_runs_it(tiny):
    async def script(app, pilot):
        await press(app, pilot, "ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        await press(app, pilot, "text:sort by skew, largest")
        await pilot.pause(0.4)
        await press(app, pilot, "enter")
        await settle(app, pilot)
        assert "skew ↓" in dump(app)
        await press(app, pilot, "ctrl+p", "text:json")  # the name of the command
        await pilot.pause(0.4)
        await press(app, pilot, "enter")
        await settle(app, pilot)
        assert json.loads(app.clipboard)["SAE"] == "A"

    drive(FeatlasApp(tiny), script)


# filters, order


def test_filters_of_the_past_come_back_with_the_arrow_keys(tiny):
    async def script(app, pilot):
        await press(app, pilot, "slash", "text:dead", "enter", "escape")
        await press(app, pilot, "slash", "text:dog", "enter", "escape")
        await press(app, pilot, "slash", "up", "up", "enter")
        assert "filter: dead" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_a_click_on_a_title_sorts_every_list_and_another_reverses(full):
    async def script(app, pilot):
        for key, title in (("1", "max"), ("2", "margin"), ("5", "features"), ("6", "score"), ("7", "value")):
            await press(app, pilot, key)
            at = dump(app).splitlines()[1].index(f" {title}") + 1
            shown = []
            for _ in range(2):
                await pilot.click(VTable.__name__ + f"#{app.desk.stage.front.table.id}", offset=(at, 0))
                await settle(app, pilot)
                shown.append(dump(app).splitlines()[1].partition(f" {title}")[2][:1])
            assert sorted(shown) == ["▲", "▼"]

    drive(FeatlasApp(full), script)


# history, marks


def test_the_brackets_walk_through_what_was_looked_at(tiny):
    async def script(app, pilot):
        await press(app, pilot, "j", "j", "enter", *typed("goto B:3"), *typed("sae A"), "2")
        ways = ["little/one › features", "features › B:3", "features › A:1", "2 SAEs › features"]
        for key, places in (("left_square_bracket", ways), ("right_square_bracket", ways[-2::-1])):
            for place in places:
                await press(app, pilot, key)
                assert f"tiny.duckdb › {place}" in dump(app)
        await press(app, pilot, "right_square_bracket")
        assert "› pairs ›" in dump(app)
        await press(app, pilot, "right_square_bracket")
        assert "this is the latest view" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_space_marks_and_the_star_shows_the_marked_only(tiny):
    app, shown = after(tiny, "space", "space", "asterisk")
    assert app.desk.marks == {("little/one", 0), ("little/two", 0)}
    assert "2 of 10" in shown
    assert "A*" in shown
    assert "10 · density" in after(tiny, "space", "asterisk", "asterisk")[1]
    assert after(tiny, "space", "k", "space")[0].desk.marks == set()


def test_r_jumps_and_n_finds_the_word_of_the_filter(tiny):
    assert "row" in after(tiny, "r")[1]
    assert "no text to look for" in after(tiny, "n")[1]

    async def script(app, pilot):
        await press(app, pilot, "slash", "text:monday", "enter", "n")
        assert app.query_one("#detail")._hit >= 0
        await press(app, pilot, "N")

    drive(FeatlasApp(tiny), script, size=(120, 16))


def test_plus_gives_the_table_the_whole_screen_and_takes_it_back(tiny):
    assert "fires on" not in after(tiny, "plus")[1]
    assert "fires on" in after(tiny, "plus", "plus")[1]


# copying, export


def test_c_copies_the_row_and_where_there_is_no_clipboard_a_file_is_named(tiny, tmp_path):
    app, shown = after(tiny, "c", state=tmp_path / "kept" / "s.json", size=(200, 36))
    assert app.clipboard.startswith("A\t0\t4.0e-01")
    copied = tmp_path / "kept" / "copied.txt"
    assert str(copied) in shown
    assert copied.read_text(encoding="utf-8") == app.clipboard


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_e_writes_what_is_shown_and_names_the_command_that_does_the_same(tiny, tmp_path, suffix, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = f"w shown.{suffix}"
    shown = []

    async def script(app, pilot):
        await press(app, pilot, "a", *typed("filter -dead"), *typed("sort -id"))
        await press(app, pilot, "e", "ctrl+u", f"text:{line}", "enter")
        await until(app, pilot, "wrote shown")
        shown.append(dump(app).splitlines()[-2])
        await press(app, pilot, "f12")
        shown.append(dump(app))

    drive(FeatlasApp(tiny), script, size=(200, 36))
    assert "ls features A --filter '-dead sort:-feature_id' -o shown" in shown[0]
    assert "last export: featlas --db" in shown[1]
    written = (tmp_path / f"shown.{suffix}").read_bytes()
    if suffix == "csv":
        rows = list(csv.DictReader(written.decode().splitlines()))
        assert [row["feature_id"] for row in rows] == ["3", "2", "1", "0"]
    words = ["ls", "features", "A", "--filter", "-dead sort:-feature_id", "-o", f"again.{suffix}"]
    assert run(["--db", str(tiny), *words]) == 0
    assert (tmp_path / f"again.{suffix}").read_bytes() == written


def test_a_file_that_cannot_be_written_is_one_line(tiny, tmp_path):
    assert "there is no folder" in after(tiny, *typed(f"w {tmp_path}/none/x.csv"), size=(200, 36))[1]
    assert "does not say its format" in after(tiny, *typed(f"w {tmp_path}/x.doc"), size=(200, 36))[1]


def test_help_finds_keys_and_f12_names_the_last_error_and_the_versions(tiny):
    found = after(tiny, "question_mark", "text:mark")[1]
    assert "only the marked ones" in found
    assert "pair with its best" not in found
    app, shown = after(tiny, *typed("filter re:/(?=x)/"), *typed("report"), "f12")
    assert "invalid perl operator" in app.clipboard
    assert "colours: " in app.clipboard
    assert "invalid perl operator" in shown
    assert "duckdb" in shown
    assert "TERM=" in shown
