"""The line in which a filter is typed: it applies while typing, Enter and Esc leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from atlas.filters.parser import is_unfinished
from tui.widgets.recall import Recall

DEBOUNCE = 0.04
"""Seconds without a key before the filter is applied."""

PATIENCE = 0.4
"""The same while the last word may become the name of a field."""


class FilterBox(Input):
    """Hidden until `/`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(-1)", "an earlier filter", id="filter.earlier"),
        Binding("down", "recall(1)", "a later filter", id="filter.later"),
    ]

    @dataclass
    class Typed(Message):
        """Another text to filter by."""

        text: str

    def __init__(
        self, *, id: str, placeholder: str = "text in a top token or label – enter keeps it, esc leaves"
    ) -> None:
        """Nothing typed."""
        super().__init__(id=id, placeholder=placeholder, compact=True)
        self.recall = Recall()
        self._timer: Timer | None = None

    def watch_value(self, value: str) -> None:
        """Apply a moment after the last key."""
        if self._timer is not None:
            self._timer.stop()
        if self.is_mounted and self.has_focus:
            self._timer = self.set_timer(PATIENCE if is_unfinished(value) else DEBOUNCE, self._apply)

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-open")
        self.screen.set_focus(self)  # at once: the next keys may be here already

    def leave(self) -> None:
        """Hide the line; what was typed stays applied."""
        if self._timer is not None:
            self._timer.stop()
        self.recall.add(self.value)
        self._apply()
        self.remove_class("-open")

    def action_recall(self, step: int) -> None:
        """Another filter of the past."""
        self.value = self.recall.step(self.value, step)
        self.cursor_position = len(self.value)

    def _apply(self) -> None:
        """Tell the view."""
        self.post_message(self.Typed(self.value))
