"""What the browser remembers from one day to the next, and how it holds and lets go of the file."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

import tui.app.tending
from atlas.catalog.remembered import Remembered, load, save
from atlas.cli import run
from atlas.references import parse_reference
from tests.support.tui_pilot import drive, dump, press
from tests.tui.test_shell import after, typed
from tests.tui.test_states import until
from tui.app.app import FeatlasApp

# what is remembered


def test_the_browser_comes_back_as_it_was_left(tiny, tmp_path):
    state = tmp_path / "state.json"
    after(tiny, "a", *typed("filter density<.5"), *typed("sort -id"), "j", "space", "2", state=state)
    kept, note = load(state)
    assert note == ""
    assert (kept.view, kept.filter, kept.sort, kept.sae) == ("pairs", "density<.5", "feature_id", "little/one")
    app, shown = after(tiny, "1", state=state)
    assert app.desk.marks == {("little/one", 3)}
    assert "filter: density<.5" in shown
    assert "feature_id ↓ · row 3" in shown
    assert "little/one › features" in shown
    assert "filter:" not in after(tiny)[1]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"marks": [["x"]]}', '{"filters": [1]}', '{"sort": 3}', "[" * 9999])
def test_a_state_that_cannot_be_read_is_left_aside_with_a_note(tmp_path, text):
    path = tmp_path / "state.json"
    path.write_text(text, encoding="utf-8")
    kept, note = load(path)
    assert kept == Remembered()
    assert str(path) in note


def test_a_state_of_another_atlas_does_no_harm(tiny, tmp_path):
    state = tmp_path / "state.json"
    odd = Remembered(view="gone", filter="sae:Q", sort="gone", sae="gone", cursor="gone:7", marks=(("gone", 1),))
    assert save(state, odd)
    shown = after(tiny, state=state)[1]
    assert "▸A" in shown
    assert "no SAE named 'Q'" in shown


def test_a_state_that_cannot_be_written_is_nobodys_trouble(tiny):
    assert not save(Path("/proc/none/state.json"), Remembered())
    assert after(tiny, "j", state=Path("/proc/none/state.json"))[0].return_code == 0


def test_two_browsers_of_one_atlas_keep_each_other_s_marks(tiny, tmp_path):
    state = tmp_path / "state.json"
    save(state, Remembered(marks=(("little/one", 1), ("little/one", 2))))

    async def script(app, pilot):
        save(state, Remembered(marks=(("little/one", 1), ("little/one", 2), ("little/two", 3))))
        await press(app, pilot, "space")
        app.desk.marks ^= {("little/one", 2)}
        app.exit()

    drive(FeatlasApp(tiny, state=state), script)
    assert load(state)[0].marks == (("little/one", 0), ("little/one", 1), ("little/two", 3))


def test_links_from_the_command_line_lead_to_the_view_and_the_list(tiny):
    assert "› pairs ›" in after(tiny, view="pairs")[1]
    assert "filter: dead" in after(tiny, line="dead")[1]
    both = after(tiny, start=parse_reference("B:1"), line="density<.5")[1]
    assert "› features › B:1" in both


def test_esc_after_a_link_leads_to_the_list_that_holds_it(tiny):
    async def feature(app, pilot):
        await press(app, pilot, "escape")
        assert "little/two › features" in dump(app).splitlines()[0]
        assert app.desk.stage.front.reference() == "little/two:3"

    async def pair(app, pilot):
        await press(app, pilot, "n")
        assert "this is the only pair of the list" in dump(app)
        await press(app, pilot, "h")
        assert "› pairs › little/one ↔ little/two" in dump(app)
        assert "only pair" not in dump(app)
        await press(app, pilot, "escape")
        assert "little/one › features" in dump(app).splitlines()[0]

    drive(FeatlasApp(tiny, start=parse_reference("B:3")), feature)
    drive(FeatlasApp(tiny, start=parse_reference("A:0=B:1")), pair)


def test_a_mark_is_kept_although_the_program_is_killed_a_moment_later(tiny, tmp_path):
    state = tmp_path / "state.json"

    async def script(app, pilot):
        await press(app, pilot, "space")
        deadline = time.monotonic() + 5
        while load(state)[0].marks != (("little/one", 0),):
            assert time.monotonic() < deadline
            await pilot.pause(0.1)
        tiny.unlink()
        await until(app, pilot, "tiny.duckdb was deleted")

    drive(FeatlasApp(tiny, state=state), script)


def test_the_marks_are_known_to_the_command(tiny, tmp_path, monkeypatch, capsys):
    from atlas.catalog.remembered import state_path

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    save(state_path(tiny), Remembered(marks=(("little/two", 2),)))
    assert run(["--db", str(tiny), "ls", "features", "marked", "--format", "json"]) == 0
    assert [row["feature_id"] for row in json.loads(capsys.readouterr().out)["rows"]] == [2]


# the file


def test_release_closes_the_file_and_a_key_opens_it_again(tiny):
    async def script(app, pilot):
        await press(app, pilot, *typed("release"))
        assert app.desk.store.state.kind == "resting"
        assert run(["-q", "--db", str(tiny), "sql", "--write", "create table t (x int)"]) == 0
        await press(app, pilot, "j")
        await until(app, pilot, "is closed", gone=True)
        assert app.desk.store.state.kind == "open"
        assert "row 2" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_the_file_is_let_go_of_when_nobody_is_here(tiny, monkeypatch):
    monkeypatch.setattr(tui.app.tending, "IDLE", 0.3)

    async def script(app, pilot):
        await until(app, pilot, "is closed after")
        assert app.desk.store.state.kind == "resting"

    drive(FeatlasApp(tiny), script)


def test_a_file_that_was_replaced_is_read_again(tiny, tmp_path):
    other = Path(shutil.copy(tiny, tmp_path / "other.duckdb"))
    assert run(["-q", "--db", str(other), "sql", "--write", "update sae set name = 'newer' where sae_id = 1"]) == 0

    async def script(app, pilot):
        os.replace(other, tiny)
        await until(app, pilot, "was replaced by another file")
        await press(app, pilot, "a")
        assert "newer › features" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_a_question_that_takes_long_shows_the_time_and_esc_ends_it(tiny):
    async def script(app, pilot):
        slow = "select count(*) from range(100000000) a, range(1000000) b where a.range * b.range % 7 = 3"
        app.desk.stage.front.read(lambda atlas: atlas.rows(slow), lambda _: None, group="slow")
        deadline = time.monotonic() + 5
        while " s  " not in dump(app).splitlines()[0]:
            assert time.monotonic() < deadline
            await pilot.pause(0.05)
        await pilot.press("escape")
        await until(app, pilot, "cancelled")
        assert app.desk.store.busy_for() == 0

    drive(FeatlasApp(tiny), script)
