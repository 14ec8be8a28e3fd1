"""The line behind `:`, with its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from tui.widgets.recall import Recall


class CommandLine(Input):
    """Hidden until `:`; Enter runs, esc leaves, up and down step through what was typed before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", id="command.leave"),
        Binding("up", "recall(-1)", "an earlier command", id="command.earlier"),
        Binding("down", "recall(1)", "a later command", id="command.later"),
    ]

    @dataclass
    class Entered(Message):
        """A command to run; empty if the line was left."""

        text: str

    def __init__(self, *, id: str) -> None:
        """Nothing typed."""
        super().__init__(
            id=id, placeholder="goto A:1081 · sort -max · filter max>8 · view pairs · w FILE · help", compact=True
        )
        self.recall = Recall()

    def open(self, text: str = "") -> None:
        """Show the line and type into it."""
        self.value = text
        self.cursor_position = len(text)
        self.add_class("-open")
        self.screen.set_focus(self)  # at once: the next keys may be here already

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Run it."""
        event.stop()
        self._leave(event.value.strip())

    def action_leave(self) -> None:
        """Run nothing."""
        self._leave("")

    def action_recall(self, step: int) -> None:
        """Another command of the past."""
        self.value = self.recall.step(self.value, step)
        self.cursor_position = len(self.value)

    def _leave(self, text: str) -> None:
        """Hide the line and say what was typed."""
        self.recall.add(text)
        self.remove_class("-open")
        self.post_message(self.Entered(text))
