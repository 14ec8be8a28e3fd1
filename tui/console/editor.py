"""Where SQL is typed: coloured if the grammar is installed, plain text otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from textual.message import Message
from textual.widgets import TextArea

from tui.kit.keys import bindings


class SqlEditor(TextArea):
    """Leaves ctrl+c to the console while a query runs, and tab to the screen."""

    BINDINGS = bindings("editor")

    @dataclass
    class Stop(Message):
        """Ctrl+c was pressed."""

        editor: SqlEditor

    def __init__(self, text: str, *, id: str) -> None:
        coloured = bool(find_spec("tree_sitter") and find_spec("tree_sitter_sql"))
        super().__init__(
            text,
            language="sql" if coloured else None,
            theme="css",
            soft_wrap=False,
            show_line_numbers=True,
            tab_behavior="focus",
            compact=True,
            id=id,
        )

    def action_stop(self) -> None:
        self.post_message(self.Stop(self))

    def put(self, text: str) -> None:
        """Replace the text; undo brings the old one back."""
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self.document.end)
