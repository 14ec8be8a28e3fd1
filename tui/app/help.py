"""Which keys work here, and what went wrong: boxes over the view."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from atlas.render.spans import Line, Span
from atlas.render.text import clean, pad
from tui.kit.keys import bindings
from tui.widgets.lines import Pane


class NotesScreen(ModalScreen[None]):
    """Some lines in a box; any of esc, q and enter closes it."""

    BINDINGS = bindings("notes")

    def __init__(self, title: str, notes: Sequence[str]) -> None:
        super().__init__()
        self._title, self._notes = title, notes

    def compose(self) -> ComposeResult:
        with Vertical(id="help-box"):
            yield Pane(id="help-pane")

    def on_mount(self) -> None:
        """Fill it."""
        pane = self.query_one(Pane)
        head: list[Line] = [[Span(f" {self._title}", tone="strong"), Span("   esc closes", tone="dim")], []]
        pane.show(lambda size: [*head, *([Span(f" {part}")] for part in wrapped(self._notes, size.width - 2))])
        pane.focus()


def wrapped(notes: Sequence[str], cells: int) -> list[str]:
    return [part for note in notes for part in (wrap(note, max(20, cells), subsequent_indent="  ") or [""])]


class HelpScreen(ModalScreen[None]):
    """All keys of the view behind it, found by what is typed; esc, enter and F1 close it."""

    BINDINGS = bindings("help")

    def __init__(self, title: str, keys: list[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._keys = title, keys

    def compose(self) -> ComposeResult:
        with Vertical(id="help-box"):
            yield Input(placeholder="type to find a key or what it does", compact=True, id="help-find")
            yield Pane(id="help-pane")

    def on_mount(self) -> None:
        self._fill("")
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def on_input_submitted(self) -> None:
        self.dismiss()

    def action_scroll(self, pages: int) -> None:
        pane = self.query_one(Pane)
        pane.scroll_relative(y=pages * max(1, pane.size.height - 2), animate=False, immediate=True)

    def _fill(self, wanted: str) -> None:
        held = [(key, what) for key, what in self._keys if wanted.lower() in f"{key} {what}".lower()]
        self.query_one(Pane).show(lambda _: help_lines(self._title, held))


def help_lines(title: str, keys: list[tuple[str, str]]) -> list[Line]:
    head: list[Line] = [[Span(f" keys · {clean(title)}", tone="strong"), Span("   esc closes", tone="dim")], []]
    return [*head, *([Span(f"  {pad(key, 22)}", tone="accent"), Span(what)] for key, what in keys)]
