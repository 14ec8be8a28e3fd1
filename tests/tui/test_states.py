"""What the browser says when something is missing, locked, small or hostile."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time

from click.testing import CliRunner

from atlas.cli import run
from atlas.cli.kit.group import Session
from atlas.db import open_atlas
from atlas.db.handover import notice_path
from tests.support.tui_pilot import drive, dump, press, screen_after, settle
from tui.app.app import FeatlasApp
from tui.cli import tui

HOLD = "import sys, time; from atlas.db import open_atlas; a = open_atlas(sys.argv[1], write=True); print('held', flush=True); time.sleep(60)"


async def until(app, pilot, text: str, *, gone: bool = False, seconds: float = 6) -> None:
    """Wait for a text to appear, or to be gone."""
    deadline = time.monotonic() + seconds
    while (text in dump(app)) == gone:
        assert time.monotonic() < deadline, dump(app)
        await asyncio.sleep(0.1)
        await settle(app, pilot)


def test_an_empty_atlas_says_what_to_type(tmp_path):
    path = tmp_path / "empty.duckdb"
    open_atlas(path, create=True).close()

    async def script(app, pilot):
        assert "featlas demo" in dump(app)
        await press(app, pilot, "enter", "p", "y", "s", "a", "escape", "G")
        await press(app, pilot, "o")
        assert "no SAE here yet" in dump(app)
        await press(app, pilot, "2", "enter", "x", "d", "a")
        assert "featlas correlate A B" in dump(app)

    drive(FeatlasApp(path), script)


def test_an_atlas_whose_saes_were_never_measured_says_so(tiny):
    with open_atlas(tiny, write=True) as atlas:
        for table in ("pair", "pairing", "scan"):
            atlas.con.execute(f"delete from {table}")
    for keys in ((), ("o",)):
        assert "featlas ingest --help" in screen_after(tiny, *keys)


def test_an_atlas_without_pairs_names_the_command_for_its_own_saes(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("delete from pair")
        atlas.con.execute("delete from pairing")

    async def script(app, pilot):
        assert "matches   none stored" in dump(app)
        await press(app, pilot, "p")
        assert "featlas correlate A" in dump(app)
        await press(app, pilot, "2")
        assert "featlas correlate A B" in dump(app)
        await press(app, pilot, "o")
        assert "kept no activations: A B   featlas ingest" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_a_missing_database_is_one_sentence_and_the_browser_stays_usable(tmp_path):
    shown = screen_after(tmp_path / "none.duckdb", "j", "enter", "escape", "2", "o", "1", size=(80, 24))
    assert "there is no atlas at" in shown
    assert "Traceback" not in shown


def test_a_database_that_appears_later_is_opened(tiny, tmp_path):
    path = tmp_path / "later.duckdb"

    async def script(app, pilot):
        assert "there is no atlas" in dump(app)
        tiny.rename(path)
        await until(app, pilot, "little/one")

    drive(FeatlasApp(path), script)


def test_a_locked_database_names_its_holder_and_opens_when_it_is_free(tiny):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tiny)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        async def script(app, pilot):
            assert f"(PID {holder.pid})" in dump(app)
            holder.kill()
            holder.wait()
            await until(app, pilot, "fires on 40 of 100 tokens")

        drive(FeatlasApp(tiny), script, size=(160, 36))


def test_a_writer_that_asks_gets_the_file_and_the_browser_comes_back(tiny):
    async def script(app, pilot):
        await press(app, pilot, "j", "j")
        notice = {"pid": os.getpid(), "command": "featlas ingest", "since": 0}
        notice_path(tiny).write_text(json.dumps(notice), encoding="utf-8")
        await until(app, pilot, f"is closed while PID {os.getpid()} writes")
        with subprocess.Popen([sys.executable, "-c", HOLD, str(tiny)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "held\n"
            writer.kill()
        notice_path(tiny).unlink(missing_ok=True)
        await until(app, pilot, "it reopens by itself", gone=True)
        assert "row 3" in dump(app)
        assert app.desk.store.state.kind == "open"

    drive(FeatlasApp(tiny), script)


def test_a_small_terminal_says_how_much_is_needed_and_recovers(tiny):
    async def script(app, pilot):
        assert dump(app).split("\n")[0] == "featlas needs 60 x 15; this terminal has 50 x 12."
        assert "density" not in dump(app)
        await pilot.resize_terminal(80, 24)
        await settle(app, pilot)
        assert "density" in dump(app)

    drive(FeatlasApp(tiny), script, size=(50, 12))


def test_a_smaller_window_keeps_the_cursor_on_the_screen(tiny):
    async def script(app, pilot):
        await press(app, pilot, "G")
        await pilot.resize_terminal(70, 15)
        await settle(app, pilot)
        assert "▸" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_tokens_that_look_like_markup_or_escape_codes_are_text(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("update vocab set text = '[bold red]' where token_id = 2")
        atlas.con.execute("update vocab set text = '[/]' where token_id = 6")
        atlas.con.execute("update vocab set text = chr(27) || '[31m' || chr(7) || chr(155) || 'x' where token_id = 1")
        atlas.con.execute("update feature_stat set top_tokens = ['[/b]', chr(27) || ']0;t'] where feature_id = 1")
        atlas.con.execute("insert into feature_label values (1, 0, 'me', '[link=x]' || chr(27) || 'c')")
        atlas.con.execute("update sae set name = '[i]' || chr(27) || '/two' where sae_id = 2")

    async def script(app, pilot):
        for keys in ((), ("enter",), ("escape", "2", "d", "d"), ("enter",), ("o",)):
            await press(app, pilot, *keys)
            shown = dump(app)
            assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown.replace("\n", ""))
            if keys in ((), ("enter",)):
                assert "[bold red]" in shown
        assert "[i]·/two" in dump(app)

    drive(FeatlasApp(tiny), script)


def test_without_a_terminal_the_command_points_to_show(tiny):
    result = CliRunner().invoke(tui, [], obj=Session(db=tiny))
    assert result.exception is not None
    assert "featlas show" in str(result.exception)
    assert run(["--db", str(tiny), "tui"]) == 2


def test_names_of_files_and_measures_cannot_speak_to_the_terminal(tiny, tmp_path):
    with open_atlas(tiny, write=True) as atlas:
        atlas.con.execute("update pairing set measure = chr(27) || ']0;m'")
    missing = screen_after(tmp_path / "a\x1b[31mb.duckdb", "2", size=(160, 24))
    assert "there is no atlas at" in missing
    for shown in (missing, screen_after(tiny, "2"), screen_after(tiny, "o")):
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown.replace("\n", ""))
