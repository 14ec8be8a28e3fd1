"""Keys of one's own: a table of the configuration file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.binding import Binding

from tests.support.tui_pilot import drive, dump, press
from tui.app.app import FeatlasApp
from tui.app.keys import _places, bindings_of, config_path, read_keys, readable, trouble_with


def test_every_key_of_every_view_has_a_name_of_its_own():
    for kinds in _places():
        bases = [base for kind in kinds for base in kind.__mro__ if base.__module__.startswith("tui.")]
        bindings = [one for base in bases for one in base.__dict__.get("BINDINGS", ())]
        assert all(isinstance(one, Binding) and one.id and one.description for one in bindings)
        names = [one.id for one in bindings]
        assert len(names) == len(set(names))


def test_the_page_on_the_browser_lists_every_key():
    page = Path(__file__).parents[2] / "docs" / "browser.md"
    told = dict(re.findall(r"^\| `(\w+\.\w+)` \| (.*?) \|", page.read_text(encoding="utf-8"), re.M))
    real = {one.id: one.key for kinds in _places() for one in bindings_of(kinds)}
    assert told == {name: " ".join(f"`{key}`" for key in readable(keys).split()) for name, keys in real.items()}


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
        assert app.front.id == "browse"
        await press(app, pilot, "P")
        assert app.front.id == "pairs"

    drive(app, script)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"list.sortt": "x"}, "[keys] names list.sortt, which is none; did you mean list.sort?"),
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
    assert "all are left aside" in read_keys(path)[1]
    path.write_text("[keys", encoding="utf-8")
    app = FeatlasApp(tiny)
    app.use_keys(*read_keys(path))

    async def script(app, pilot):
        assert "cannot be read and is left aside" in dump(app).splitlines()[-2]
        assert "▸A" in dump(app)

    drive(app, script)
