"""A view around one long table: order, filter, windows, and something that follows the cursor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from atlas.errors import UnknownName
from atlas.render.columns import Column, is_rising, with_arrow
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.kit.store import Question
from tui.views.base.view import View, following
from tui.widgets.typed import FilterBox
from tui.widgets.vtable import WINDOW, VTable

DEBOUNCE = 0.03
"""Seconds the cursor must rest before what follows it is read."""


class ListView(View, keys="list"):
    """Keys and reading that the feature table and the pair list share."""

    SORTS: ClassVar[tuple[str, ...]]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.text, self.sort, self.ascending = "", self.SORTS[0], False
        self._reading = False

    @property
    def table(self) -> VTable:
        return self.query_one(VTable)

    @property
    def box(self) -> FilterBox:
        return self.query_one(FilterBox)

    @abstractmethod
    def read_order(self, cursor: int) -> None:
        """Ask for the ids in order and put the cursor on a row."""

    def window_question(self, start: int, stop: int) -> Question[Sequence[Any]] | None:
        """How to read some rows; None while there is no list."""
        part = self.rows[start:stop]
        return lambda atlas: part

    @abstractmethod
    def columns(self) -> Sequence[Column]:
        """Columns of the table."""

    @abstractmethod
    def read_under_cursor(self) -> None:
        """The cursor rests: ask for what follows it."""

    @abstractmethod
    def emptied(self) -> None:
        """The list is empty: nothing is under the cursor."""

    def titled(self) -> Sequence[Column]:
        return with_arrow(self.columns(), self.sort, up=self.rising)

    @property
    def rising(self) -> bool:
        return is_rising(self.columns(), self.sort, reverse=self.ascending)

    def fill(self, n_rows: int, cursor: int, message: str) -> None:
        """Another list; `message` says why it is empty."""
        self.table.retitle(self.titled())
        self.table.reset(n_rows, cursor=cursor, message=message)
        if not n_rows:
            self.emptied()

    def no_hit(self, noun: str, where: str = "") -> str:
        return f"no {noun} contains {clean(self.text)!r}{where} – esc clears the filter"

    def fill_window(self, table: VTable, window: int) -> None:
        """Read the window that the screen shows; one at a time, so that a held key leaves no queue."""
        question = None if self._reading else self.window_question(window * WINDOW, (window + 1) * WINDOW)
        if question is not None:
            self._reading = True
            then = partial(self._show_window, table.generation, window)
            self.read(question, then, group="window", exclusive=False)

    def _show_window(self, generation: int, window: int, rows: Sequence[Any]) -> None:
        """Hand the rows to the table; it asks again if more are missing."""
        self._reading = False
        self.table.deliver(generation, window, rows)

    def failed(self, group: str) -> None:
        if group == "window":
            self._reading = False

    def on_vtable_moved(self, message: VTable.Moved) -> None:
        """Read once the cursor rests."""
        self.after_rest(DEBOUNCE, self.read_under_cursor)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "filter" or not self.browser.typing

    def action_filter(self) -> None:
        self.box.open()

    def on_filter_box_typed(self, message: FilterBox.Typed) -> None:
        """Apply what was typed; while it cannot be read, the last list stays and the status line says why."""
        trouble = self.trouble_with(message.text)
        self.browser.flash(trouble)
        if not trouble and message.text != self.text:
            self.text = message.text
            self.read_order(0)

    def trouble_with(self, text: str) -> str:
        """Why a filter cannot be read; empty if it can."""
        return ""

    def on_input_submitted(self) -> None:
        self._leave_filter()

    def _leave_filter(self) -> None:
        self.box.leave()
        self.table.focus()

    def retreat(self) -> bool:
        """Esc leaves the filter line first, then clears the filter."""
        if self.box.has_focus:
            self._leave_filter()
            return True
        if not self.text:
            return False
        self.clear_filter()
        self.read_order(0)
        return True

    def use_filter(self, text: str) -> None:
        """Apply a filter that was not typed into its line."""
        trouble = self.trouble_with(text)
        self.browser.flash(trouble)
        if not trouble:
            self.box.value = self.text = text
            self.read_order(0)

    def clear_filter(self) -> None:
        """Forget the text; the caller reads the order."""
        self.box.value = self.text = ""

    def action_sort(self) -> None:
        self.sort = following(self.SORTS, self.sort)
        self.read_order(0)

    def use_sort(self, sort: str, *, reverse: bool | None = None) -> None:
        """An order by name; the same one again is turned round.

        Raises:
            UnknownName: There is no such order.
        """
        if sort not in self.sorts():
            raise UnknownName("order", sort, self.sorts())
        again = sort == self.sort
        self.ascending = reverse if reverse is not None else again and not self.ascending
        self.sort = sort
        self.read_order(0)

    def use_sort_named(self, sort: str, *, descending: bool) -> None:
        """An order by name and direction.

        Raises:
            UnknownName: There is no such order.
        """
        self.use_sort(sort, reverse=not descending)

    def sorts(self) -> tuple[str, ...]:
        return self.SORTS

    def on_vtable_titled(self, message: VTable.Titled) -> None:
        self.use_sort(message.sort)

    def action_reverse(self) -> None:
        self.ascending = not self.ascending
        self.read_order(0)

    def listed(self, about: Line, many: str, *, rising: bool | None = None, more: str = "") -> tuple[Line, Line]:
        """The status line: the filter, or else something about the list; how many, which order and which row."""
        left: Line = [Span(f" filter: {clean(self.text)}", tone="accent")] if self.text else about
        row = f" · row {count(self.table.cursor + 1)}" if self.table.n_rows else ""
        arrow = "↑" if (self.rising if rising is None else rising) else "↓"
        return left, [Span(f"{many} · {self.sorted_by} {arrow}{row}{more} ")]

    @property
    def sorted_by(self) -> str:
        return self.sort
