"""One record in a pane that scrolls, drawn as keys choose."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from textual.app import ComposeResult

from atlas.render.feature import Look
from tui.views.base.view import View
from tui.widgets.lines import Pane


class DetailView(View):
    """Holds the record, what is read after it, and the look."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._detail: Any = None
        self._more: Any = None
        self._look = Look()

    def compose(self) -> ComposeResult:
        yield Pane(id=f"{self.id}-pane")

    @property
    def pane(self) -> Pane:
        return self.query_one(Pane)

    def enter(self) -> None:
        self.pane.focus()

    @abstractmethod
    def draw(self, *, stay: bool = False) -> None:
        """Fill the pane; `stay` keeps the line that is at the top."""

    def use_look(self, **changes: Any) -> None:
        self._look = replace(self._look, **changes)
        self.draw(stay=True)

    def action_toggle(self, name: str) -> None:
        self.use_look(**{name: not getattr(self._look, name)})

    def reference(self) -> str | None:
        return self._detail.full_reference if self._detail else None
