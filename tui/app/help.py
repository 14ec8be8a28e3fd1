"""Which keys work here, and what went wrong: boxes over the view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from atlas.render.spans import Line, Span
from atlas.render.text import clean, pad
from tui.app.keys import bindings_of, readable
from tui.views.feature import FeaturePane


class NotesScreen(ModalScreen[None]):
    """Some lines in a box; any of esc, q and enter closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,f1,f12", "dismiss", "close", id="notes.close")]

    def __init__(self, title: str, notes: Sequence[str]) -> None:
        """Take lines that are clean."""
        super().__init__()
        self._title, self._notes = title, notes

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(id="help-box"):
            yield FeaturePane(id="help-pane")

    def on_mount(self) -> None:
        """Fill it."""
        pane = self.query_one(FeaturePane)
        head: list[Line] = [[Span(f" {self._title}", tone="strong"), Span("   esc closes", tone="dim")], []]
        pane.show(lambda size: [*head, *([Span(f" {part}")] for part in wrapped(self._notes, size.width - 2))])
        pane.focus()


def wrapped(notes: Sequence[str], cells: int) -> list[str]:
    """Lines cut at spaces so that each fits; an empty one stays."""
    return [part for note in notes for part in (wrap(note, max(20, cells), subsequent_indent="  ") or [""])]


class HelpScreen(ModalScreen[None]):
    """All keys of the view behind it, found by what is typed; esc, enter and F1 close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1", "dismiss", "close", id="help.close"),
        Binding("pagedown,ctrl+d,down", "scroll(1)", "scroll down", id="help.down"),
        Binding("pageup,ctrl+u,up", "scroll(-1)", "scroll up", id="help.up"),
    ]

    def __init__(self, title: str, keys: list[tuple[str, str]]) -> None:
        """Take (keys, what they do) in their order."""
        super().__init__()
        self._title, self._keys = title, keys

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical(id="help-box"):
            yield Input(placeholder="type to find a key or what it does", compact=True, id="help-find")
            yield FeaturePane(id="help-pane")

    def on_mount(self) -> None:
        """Fill it."""
        self._fill("")
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Only the keys that hold what was typed."""
        self._fill(event.value)

    def on_input_submitted(self) -> None:
        """Close."""
        self.dismiss()

    def action_scroll(self, pages: int) -> None:
        """Scroll the keys."""
        pane = self.query_one(FeaturePane)
        pane.scroll_relative(y=pages * max(1, pane.size.height - 2), animate=False, immediate=True)

    def _fill(self, wanted: str) -> None:
        """Show the keys that hold a text."""
        held = [(key, what) for key, what in self._keys if wanted.lower() in f"{key} {what}".lower()]
        self.query_one(FeaturePane).show(lambda _: help_lines(self._title, held))


def help_lines(title: str, keys: list[tuple[str, str]]) -> list[Line]:
    """One line a key."""
    head: list[Line] = [[Span(f" keys · {clean(title)}", tone="strong"), Span("   esc closes", tone="dim")], []]
    return [*head, *([Span(f"  {pad(key, 22)}", tone="accent"), Span(what)] for key, what in keys)]


def keys_of(nodes: Sequence[object], keys: Mapping[str, str]) -> list[tuple[str, str]]:
    """(keys, what they do) of some widgets, nearest first; `keys` has those that were remapped."""
    named = bindings_of(type(node) for node in nodes)
    return [(readable(keys.get(one.id or "", one.key)), one.description) for one in named]
