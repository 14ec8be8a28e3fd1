"""Which keys work here?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from atlas.render.spans import Line, Span
from atlas.render.text import pad
from tui.feature import FeaturePane

_SHOWN = {
    "slash": "/",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "enter": "⏎",
}


class HelpScreen(ModalScreen[None]):
    """All keys of the view behind it; any of esc, ? and q closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss", "close", id="help.close")
    ]

    def __init__(self, title: str, keys: list[tuple[str, str]]) -> None:
        """Take (keys, what they do) in their order."""
        super().__init__()
        self._title, self._keys = title, keys

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(id="help-box"):
            yield FeaturePane(id="help-pane")

    def on_mount(self) -> None:
        """Fill it."""
        pane = self.query_one(FeaturePane)
        pane.show(lambda _: help_lines(self._title, self._keys))
        pane.focus()


def help_lines(title: str, keys: list[tuple[str, str]]) -> list[Line]:
    """One line a key."""
    head: list[Line] = [[Span(f" keys · {title}", tone="strong"), Span("   esc closes", tone="dim")], []]
    return [*head, *([Span(f"  {pad(key, 22)}", tone="accent"), Span(what)] for key, what in keys)]


def keys_of(nodes: Sequence[object]) -> list[tuple[str, str]]:
    """(keys, what they do) of some widgets, nearest first; only those that we named, not the ones of Textual."""
    kinds = [kind for node in nodes for kind in type(node).__mro__]
    bindings = [one for kind in kinds for one in kind.__dict__.get("BINDINGS", ())]
    named = {one.id: one for one in bindings if isinstance(one, Binding) and one.id}
    return [(readable(one.key), one.description) for one in named.values()]


def readable(keys: str) -> str:
    """`ctrl+d,pagedown` as it is read: `^d PgDn`."""
    names = (key.strip() for key in keys.split(","))
    return " ".join(_SHOWN.get(name, name.replace("ctrl+", "^")) for name in names)
