"""Custom keys: a table of the configuration file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.tui_pilot import drive, dump, press
from tui.app.app import FeatlasApp
from tui.app.help import HelpScreen, NotesScreen
from tui.app.keys import config_path, read_keys, trouble_with
from tui.app.views import VIEWS
from tui.console.view import SqlEditor
from tui.kit.keys import BY_ID, HINTS, KEYS, TOGETHER, each_key, keys_of, readable
from tui.widgets.lines import Pane
from tui.widgets.typed import CommandLine, FilterBox
from tui.widgets.vtable import VTable


def test_every_widget_and_view_declares_the_keys_of_the_table_and_no_others():
    kinds = [type(entry.made()) for entry in VIEWS]
    kinds += [FeatlasApp, VTable, Pane, CommandLine, FilterBox, SqlEditor, HelpScreen, NotesScreen]
    ours = {base for kind in kinds for base in kind.__mro__ if base.__module__.startswith("tui.")}
    declared = [one for base in ours for one in base.__dict__.get("BINDINGS", ())]
    assert sorted(declared, key=str) == sorted((key.binding for keys in KEYS.values() for key in keys), key=str)


def test_the_help_of_a_view_lists_the_keys_that_work_together_there():
    for entry in VIEWS:
        places = next(places for places in TOGETHER if places[0] == entry.name)
        focused = VTable if "table" in places else Pane if "pane" in places else object
        told = {about for _, about in keys_of([focused, type(entry.made()), FeatlasApp], {})}
        assert told == {key.about for place in places for key in KEYS[place]}


def test_no_key_means_two_things_in_one_view_unless_the_nearer_one_wins():
    for places in TOGETHER:
        for place in places:
            keys = [key for one in KEYS[place] for key in each_key(one.keys)]
            assert len(keys) == len(set(keys)), place


def test_every_hint_names_keys_of_the_table_that_work_there():
    for entry in VIEWS:
        view = entry.made()
        places = next(places for places in TOGETHER if places[0] == entry.name)
        here = {key.id for place in places for key in KEYS[place]}
        hints = (*view.HINTS, *(HINTS["editor"] if entry.name == "sql" else ()))
        assert {name for ids, _ in hints for name in ids.split()} <= here
        assert hints


def test_the_page_on_the_browser_lists_every_key():
    page = Path(__file__).parents[2] / "docs" / "browser.md"
    told = dict(re.findall(r"^\| `(\w+\.\w+)` \| (.*?) \|", page.read_text(encoding="utf-8"), re.M))
    real = {name: readable(key.keys) for name, key in BY_ID.items()}
    assert told == {name: " ".join(f"`{key}`" for key in keys.split()) for name, keys in real.items()}


def test_a_key_of_ones_own_takes_the_place_of_the_other_in_use_help_and_hints(tiny):
    app = FeatlasApp(tiny)
    app.use_keys({"list.sort": "x,f6", "app.pairs": "P", "app.help": "f3"})

    async def script(app, pilot):
        assert " x sort" in dump(app).splitlines()[-1]
        await press(app, pilot, "s")
        assert "density▼" in dump(app)
        await press(app, pilot, "x")
        assert "max▼" in dump(app)
        await press(app, pilot, "f3", "text:next sort")
        assert "x F6" in dump(app)
        await press(app, pilot, "escape", "2")
        assert app.desk.stage.front.id == "browse"
        await press(app, pilot, "P")
        assert app.desk.stage.front.id == "pairs"

    drive(app, script)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"list.sortt": "x"}, "[keys] names list.sortt, which does not exist; did you mean list.sort?"),
        ({"list.sort": "space"}, "the key space is both list.sort and browse.mark"),
        ({"list.sort": "?"}, "the key ? is both list.sort and app.help"),
        ({"list.sort": "S", "list.reverse": "s"}, ""),
        ({"sql.run": "f8"}, ""),
    ],
)
def test_a_name_that_is_none_and_a_key_for_two_things_are_told(keys, said):
    assert trouble_with(keys) in (said, said.replace("list.sort and browse.mark", "browse.mark and list.sort"))


def test_what_is_wrong_with_the_file_is_one_line_at_the_start(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = config_path()
    assert read_keys(path) == ({}, "")
    path.parent.mkdir()
    path.write_text('[keys]\n"list.sort" = "x"\n', encoding="utf-8")
    assert read_keys(path) == ({"list.sort": "x"}, "")
    path.write_text("[keys]\nlist.sort = 3\n", encoding="utf-8")
    assert "all are ignored" in read_keys(path)[1]
    path.write_text("[keys", encoding="utf-8")
    app = FeatlasApp(tiny)
    app.use_keys(*read_keys(path))

    async def script(app, pilot):
        assert "cannot be read and is ignored" in dump(app).splitlines()[-2]
        assert "▸A" in dump(app)

    drive(app, script)
