"""A long list that is read when it comes to the front, with a pane below that follows the cursor."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.views.base.listview import ListView
from tui.views.feature import FeaturePane
from tui.widgets.filterbox import FilterBox
from tui.widgets.vtable import Column, VTable


class LazyList(ListView):
    """Table and pane; enter gives the pane the whole height, where the list does not open another view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus", "maximise", "the pane on the whole screen, and back", id="list.maximise"),
    ]

    def __init__(self, *, id: str) -> None:
        """Nothing read yet."""
        super().__init__(id=id)
        self._stale = True

    @abstractmethod
    def columns(self) -> list[Column]:
        """Columns of the table in the order that is shown."""

    def compose(self) -> ComposeResult:
        """The table, the pane below it, the filter line."""
        yield VTable(self.columns(), id=f"{self.id}-list")
        yield FeaturePane(id=f"{self.id}-pane")
        yield FilterBox(id=f"{self.id}-filter")

    @property
    def pane(self) -> FeaturePane:
        """What follows the cursor."""
        return self.query_one(FeaturePane)

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
        """The pane on the whole screen, and back."""
        self.toggle_class("-whole")
        (self.pane if self.has_class("-whole") else self.table).focus()

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        """Open the row."""
        self.choose(message.row)

    def choose(self, row: int) -> None:
        """The row under the cursor on the whole screen."""
        self.action_maximise()

    def retreat(self) -> bool:
        """Esc first gives the table its place back."""
        if self.has_class("-whole"):
            self.action_maximise()
            return True
        return super().retreat()

    def trouble_with(self, text: str) -> str:
        """Any text can be looked for."""
        return ""
