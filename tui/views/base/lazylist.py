"""A long list that is read when it comes to the front, with a pane below that follows the cursor."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from textual.app import ComposeResult

from atlas.render.spans import Line
from tui.views.base.listview import ListView
from tui.widgets.lines import Pane
from tui.widgets.typed import FilterBox
from tui.widgets.vtable import VTable


class LazyList(ListView, keys="list with a pane"):
    """Table and pane; enter gives the pane the whole height, where the list does not open another view."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._stale = True
        self.detail: Any = None
        """What was read about the row under the cursor."""

    def compose(self) -> ComposeResult:
        yield VTable(self.titled(), id=f"{self.id}-list")
        yield Pane(id=f"{self.id}-pane")
        yield FilterBox(id=f"{self.id}-filter")

    @abstractmethod
    def lines(self, detail: Any, width: int) -> list[Line]:
        """What the pane shows of what was read about the row under the cursor."""

    def show(self, detail: Any) -> None:
        self.detail = detail
        self.pane.show(lambda size: [] if detail is None else self.lines(detail, size.width))

    def emptied(self) -> None:
        self.show(None)

    @property
    def pane(self) -> Pane:
        return self.query_one(Pane)

    def enter(self) -> None:
        """Focus the table; read what changed while another view was in front."""
        (self.pane if self.has_class("-whole") else self.table).focus()
        if self._stale:
            self._stale = False
            self.read_order(self.table.cursor)

    def reload(self) -> None:
        """The atlas was opened or may have changed: read now, or when the view comes to the front."""
        self._stale = not self.browser.is_front(self)
        if not self._stale:
            self.read_order(self.table.cursor)

    def action_maximise(self) -> None:
        self.toggle_class("-whole")
        (self.pane if self.has_class("-whole") else self.table).focus()

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        self.choose(message.row)

    def choose(self, row: int) -> None:
        self.action_maximise()

    def retreat(self) -> bool:
        """Esc first gives the table its place back."""
        if self.has_class("-whole"):
            self.action_maximise()
            return True
        return super().retreat()
