"""A view around one long table: order, filter, windows, and something that follows the cursor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer

from atlas.errors import UnknownName
from tui.views.base.view import View
from tui.widgets.filterbox import FilterBox
from tui.widgets.vtable import WINDOW, VTable

if TYPE_CHECKING:
    from atlas.db import Atlas

DEBOUNCE = 0.03
"""Seconds the cursor must rest before what follows it is read."""


class ListView(View):
    """Keys and reading that the feature table and the pair list share."""

    SORTS: ClassVar[tuple[str, ...]]
    SORTED: ClassVar[dict[str, int]] = {}
    """Orders that a column shows, each with the place of the column."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter by text", id="list.filter", priority=True),
        Binding("s", "sort", "next sort order", id="list.sort"),
        Binding("S", "reverse", "reverse the order", id="list.reverse"),
    ]

    def __init__(self, *, id: str) -> None:
        """No filter, the first order."""
        super().__init__(id=id)
        self.text, self.sort, self.ascending = "", self.SORTS[0], False
        self._reading = False
        self._timer: Timer | None = None

    @property
    def table(self) -> VTable:
        """The long table."""
        return self.query_one(VTable)

    @property
    def box(self) -> FilterBox:
        """Where the filter is typed."""
        return self.query_one(FilterBox)

    @abstractmethod
    def read_order(self, cursor: int) -> None:
        """Ask for the ids in order and put the cursor on a row."""

    @abstractmethod
    def window_question(self, start: int, stop: int) -> Callable[[Atlas], list[Any]] | None:
        """How to read some rows; None while there is no list."""

    @abstractmethod
    def cells(self, row: Any) -> tuple[str, ...]:
        """One line of the table."""

    @abstractmethod
    def read_under_cursor(self) -> None:
        """The cursor rests: ask for what follows it."""

    # windows ----------------------------------------------------------------------------------------------------

    def on_vtable_wanted(self, message: VTable.Wanted) -> None:
        """Read the window that the screen shows; one at a time, so that a held key leaves no queue."""
        window = self.table.missing()
        if window is None or self._reading:
            return
        question = self.window_question(window * WINDOW, (window + 1) * WINDOW)
        if question is not None:
            self._reading = True
            then = partial(self._show_window, self.table.generation, window)
            self.read(question, then, group="window", exclusive=False)

    def _show_window(self, generation: int, window: int, rows: list[Any]) -> None:
        """Hand the rows to the table; it asks again if more are missing."""
        self._reading = False
        self.table.deliver(generation, window, [self.cells(row) for row in rows])

    def failed(self, group: str) -> None:
        """No window is being read any more."""
        if group == "window":
            self._reading = False

    # the cursor -------------------------------------------------------------------------------------------------

    def on_vtable_moved(self, message: VTable.Moved) -> None:
        """Read once the cursor rests."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE, self.read_under_cursor)
        self.browser.refresh_bars()

    # the filter -------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where text is typed, a slash is a slash."""
        return action != "filter" or not self.browser.typing

    def action_filter(self) -> None:
        """Type a filter."""
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
        """Enter keeps the filter."""
        self._leave_filter()

    def _leave_filter(self) -> None:
        """Back to the table."""
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

    # the order --------------------------------------------------------------------------------------------------

    def action_sort(self) -> None:
        """The next order."""
        place = self.SORTS.index(self.sort) + 1 if self.sort in self.SORTS else 0
        self.sort = self.SORTS[place % len(self.SORTS)]
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
        """All orders."""
        return self.SORTS

    def sort_of(self, column: int) -> str | None:
        """The order that the title of a column chooses; None if it chooses none."""
        return next((sort for sort, place in self.SORTED.items() if place == column), None)

    def on_vtable_titled(self, message: VTable.Titled) -> None:
        """Sort by the column whose title was clicked."""
        sort = self.sort_of(message.column)
        if sort is not None:
            self.use_sort(sort)

    def action_reverse(self) -> None:
        """The same order backwards."""
        self.ascending = not self.ascending
        self.read_order(0)
