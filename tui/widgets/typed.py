"""Lines that are typed into, each hidden until its key, with what was typed before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from atlas.filters.parser import is_unfinished
from tui.kit.keys import bindings

DEBOUNCE = 0.04
"""Seconds without a key before the filter is applied."""

PATIENCE = 0.4
"""The same while the last word may become the name of a field."""

COMMANDS = "goto A:1081 · sort -max · filter max>8 · view pairs · w FILE · help"
TEXT = "text in a top token or label – enter keeps it, esc leaves"
"""What to type."""


class Recall:
    """Texts of the past, the newest last; stepping past the newest comes back to what was being typed."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = list(texts)
        self._place: int | None = None
        self._typed = ""

    def add(self, text: str) -> None:
        self._place = None
        if text.strip():
            self.texts = [*(past for past in self.texts if past != text), text]

    def step(self, shown: str, step: int) -> str:
        """An earlier text (-1) or a later one (1)."""
        if self._place is None or shown != self._at(self._place):
            self._place, self._typed = len(self.texts), shown
        self._place = max(0, min(self._place + step, len(self.texts)))
        return self._at(self._place)

    def _at(self, place: int) -> str:
        """The text of a place; after the last one comes what was being typed."""
        return self.texts[place] if place < len(self.texts) else self._typed


class TypedLine(Input):
    """Hidden until it is opened; up and down step through what was typed before."""

    def __init__(self, *, id: str, placeholder: str) -> None:
        super().__init__(id=id, placeholder=placeholder, compact=True)
        self.recall = Recall()

    def open(self, text: str | None = None) -> None:
        """Show the line, with another text if one is given, and type into it."""
        if text is not None:
            self.put(text)
        self.add_class("-open")
        self.screen.set_focus(self)  # at once: the next keys may be here already

    def put(self, text: str) -> None:
        self.value = text
        self.cursor_position = len(text)

    def action_recall(self, step: int) -> None:
        self.put(self.recall.step(self.value, step))


class CommandLine(TypedLine):
    """The line behind `:`; Enter runs, esc leaves."""

    BINDINGS = bindings("command line")

    @dataclass
    class Entered(Message):
        """A command to run; empty if the line was left."""

        text: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, placeholder=COMMANDS)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._leave(event.value.strip())

    def action_leave(self) -> None:
        self._leave("")

    def _leave(self, text: str) -> None:
        self.recall.add(text)
        self.remove_class("-open")
        self.post_message(self.Entered(text))


class FilterBox(TypedLine):
    """The line of a filter, behind `/`: it applies while typing, Enter and Esc leave it."""

    BINDINGS = bindings("filter line")

    @dataclass
    class Typed(Message):
        """Another text to filter by."""

        text: str

    def __init__(self, *, id: str, placeholder: str = TEXT) -> None:
        super().__init__(id=id, placeholder=placeholder)
        self._timer: Timer | None = None

    def watch_value(self, value: str) -> None:
        """Apply a moment after the last key."""
        if self._timer is not None:
            self._timer.stop()
        if self.is_mounted and self.has_focus:
            self._timer = self.set_timer(PATIENCE if is_unfinished(value) else DEBOUNCE, self._apply)

    def leave(self) -> None:
        """Hide the line; what was typed stays applied."""
        if self._timer is not None:
            self._timer.stop()
        self.recall.add(self.value)
        self._apply()
        self.remove_class("-open")

    def _apply(self) -> None:
        self.post_message(self.Typed(self.value))
