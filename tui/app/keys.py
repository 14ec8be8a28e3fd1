"""Keys of one's own: the table `[keys]` of the configuration file, the id of a binding = "key,key"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from textual.binding import Binding

from atlas.errors import nearest
from atlas.render.text import clean

_SHOWN = {
    "slash": "/",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "plus": "+",
    "colon": ":",
    "asterisk": "*",
    "equals_sign": "=",
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "enter": "⏎",
}


def config_path() -> Path:
    """The configuration file of the user; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path("featlas", appauthor=False) / "config.toml"


def read_keys(path: Path) -> tuple[dict[str, str], str]:
    """The keys that a file asks for, and why they cannot be read; a missing file asks for none."""
    import tomllib

    try:
        keys = tomllib.loads(path.read_text(encoding="utf-8")).get("keys", {})
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        return {}, f"{path.name} cannot be read and is left aside: {path}: {clean(str(error))}"
    if not isinstance(keys, dict) or not all(isinstance(value, str) and value.strip() for value in keys.values()):
        return {}, f'{path}: [keys] takes lines such as "list.sort" = "s,f6"; all are left aside'
    return keys, ""


def trouble_with(keys: Mapping[str, str]) -> str:
    """An id that no binding has, or a key that two bindings of one view share since it was remapped; empty if none."""
    places = _places()
    known = {one.id: one for kinds in places for one in bindings_of(kinds)}
    unknown = [name for name in keys if name not in known]
    if unknown:
        near = nearest(unknown[0], [name for name in known if name])
        return f"[keys] names {clean(unknown[0])}, which is none" + (f"; did you mean {near}?" if near else "")
    for kinds in places:
        taken: dict[str, str] = {}
        for one in bindings_of(kinds):
            name = one.id or ""
            for key in each_key(keys.get(name, one.key)):
                other = taken.setdefault(key, name)
                if other != name and (name in keys or other in keys):
                    return f"the key {readable(key)} is both {other} and {name}"
    return ""


def bindings_of(kinds: Iterable[type]) -> list[Binding]:
    """Bindings that we named, of widgets nearest first: not the ones of Textual."""
    found = [one for kind in kinds for base in kind.__mro__ for one in base.__dict__.get("BINDINGS", ())]
    return list({one.id: one for one in found if isinstance(one, Binding) and one.id}.values())


def each_key(keys: str) -> list[str]:
    """`ctrl+d, ?` as Textual names them: ctrl+d and question_mark."""
    return [one.key for one in Binding.make_bindings([Binding(keys, "")])]


def replaced(kinds: Iterable[type], keys: Mapping[str, str]) -> dict[str, str]:
    """As it is read: each key that does something else now, with the one that took its place."""
    moved = [one for one in bindings_of(kinds) if one.id in keys]
    return {old: readable(keys[one.id or ""]).split()[0] for one in moved for old in readable(one.key).split()}


def _places() -> list[list[type]]:
    """Every view with what has the focus in it and the application around it; then what takes all keys for itself."""
    from tui.app.app import FeatlasApp
    from tui.app.commandline import CommandLine
    from tui.app.help import HelpScreen, NotesScreen
    from tui.app.views import VIEWS
    from tui.console.editor import SqlEditor
    from tui.views.feature import FeaturePane
    from tui.widgets.filterbox import FilterBox
    from tui.widgets.vtable import VTable

    panes = {"feature": FeaturePane, "pair": FeaturePane}
    views = [[panes.get(entry.name, VTable), entry.kind(), FeatlasApp] for entry in VIEWS]
    return [*views, *([kind] for kind in (CommandLine, FilterBox, SqlEditor, HelpScreen, NotesScreen))]


def readable(keys: str) -> str:
    """`ctrl+d,pagedown` as it is read: `^d PgDn`."""
    return " ".join(_SHOWN.get(name) or _plain(name) for name in each_key(keys))


def _plain(name: str) -> str:
    """`ctrl+d` as ^d, `f12` as F12."""
    return name.upper() if name[0] == "f" and name[1:].isdigit() else name.replace("ctrl+", "^")
