"""Which keys work here?"""

from __future__ import annotations

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
        pane.show(help_lines(self._title, self._keys))
        pane.focus()


def help_lines(title: str, keys: list[tuple[str, str]]) -> list[Line]:
    """One line a key."""
    head: list[Line] = [[Span(f" keys · {title}", tone="strong"), Span("   esc closes", tone="dim")], []]
    return [*head, *([Span(f"  {pad(key, 22)}", tone="accent"), Span(what)] for key, what in keys)]


def readable(keys: str) -> str:
    """`ctrl+d,pagedown` as it is read: `^d PgDn`."""
    names = (key.strip() for key in keys.split(","))
    return " ".join(_SHOWN.get(name, name.replace("ctrl+", "^")) for name in names)
