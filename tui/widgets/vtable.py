"""The one table for long lists: it knows how many rows there are and holds only the windows that were looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from atlas.render.columns import Column, row_cells
from atlas.render.spans import Line, Span
from atlas.render.text import clean, pad
from tui.kit.browser import browser_of
from tui.kit.keys import bindings

WINDOW = 128
"""Rows read at once."""

HELD = 24
"""Windows kept."""


class VTable(ScrollView, can_focus=True):
    """Rows come in windows of 128: the table says `Wanted`, its owner reads and calls `deliver`."""

    BINDINGS = bindings("table")

    @dataclass
    class Wanted(Message):
        """A window that is on the screen has not been read."""

        table: VTable

    class Moved(Message):
        """The cursor is on another row, or the rows are others."""

    @dataclass
    class Titled(Message):
        """A click on the title of a column."""

        sort: str
        """The order that the column shows."""

    @dataclass
    class Chosen(Message):
        """Enter, or a click on the row under the cursor."""

        row: int

    def __init__(self, columns: Sequence[Column], *, id: str) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._windows: OrderedDict[int, list[tuple[str, ...]]] = OrderedDict()
        self.n_rows = 0
        self.cursor = 0
        self.generation = 0
        """Counts changes of the list; windows of an older list are refused."""
        self.message = ""
        """What to say where there are no rows."""

    def reset(self, n_rows: int, *, cursor: int = 0, message: str = "") -> None:
        """Another list of rows."""
        self.generation += 1
        self._windows.clear()
        self.n_rows, self.message = n_rows, message
        self.virtual_size = Size(0, n_rows + 1)
        self.cursor = max(0, min(cursor, n_rows - 1))
        self._keep_visible()
        self.refresh()
        self.post_message(self.Moved())

    def grow(self, n_rows: int) -> None:
        """The same list, of which more is known: what was read stays."""
        self.n_rows = n_rows
        self.virtual_size = Size(0, n_rows + 1)
        self.refresh()

    def retitle(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self.refresh()

    def deliver(self, generation: int, window: int, rows: Sequence[Any]) -> None:
        """Take the records of a window that was wanted."""
        if generation != self.generation:
            return
        self._windows[window] = [row_cells(self._columns, row) for row in rows]
        while len(self._windows) > HELD:
            self._windows.popitem(last=False)
        self.refresh()

    def forget(self) -> None:
        """Read the rows again: the list is the same, what it says of them is not."""
        self._windows.clear()
        self.refresh()

    def text(self) -> str:
        window, place = divmod(self.cursor, WINDOW)
        rows = self._windows.get(window, [])
        return "\t".join(rows[place]) if place < len(rows) else ""

    def record(self) -> dict[str, str]:
        titles = [column.title.rstrip("▲▼") for column in self._columns]
        return dict(zip(titles, self.text().split("\t"), strict=False))

    def missing(self) -> int | None:
        """A window that the screen shows and that was not read; None if all are there."""
        if not self.n_rows:
            return None
        first = self.scroll_offset.y
        last = min(self.n_rows - 1, first + max(1, self.size.height - 1) - 1)
        return next((w for w in range(first // WINDOW, last // WINDOW + 1) if w not in self._windows), None)

    def action_move(self, rows: int) -> None:
        self.go_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        self.go_to(self.cursor + pages * max(1, self.size.height - 2))

    def action_top(self) -> None:
        self.go_to(0)

    def action_bottom(self) -> None:
        self.go_to(self.n_rows - 1)

    def action_choose(self) -> None:
        if self.n_rows:
            self.post_message(self.Chosen(self.cursor))

    def go_to(self, row: int) -> None:
        """Put the cursor on a row."""
        row = max(0, min(row, self.n_rows - 1))
        if row == self.cursor or not self.n_rows:
            return
        for changed in (self.cursor, row):
            self.refresh(Region(0, changed + 1 - self.scroll_offset.y, self.size.width, 1))
        self.cursor = row
        self._keep_visible()
        self.post_message(self.Moved())

    def on_click(self, event: Click) -> None:
        """Move to the clicked row; a click on the cursor opens it."""
        row = event.y - 1 + self.scroll_offset.y
        if event.y == 0:
            self._titled(event.x)
        if event.y < 1 or row >= self.n_rows:
            return
        if row == self.cursor:
            self.action_choose()
        self.go_to(row)

    def _titled(self, x: int) -> None:
        end = 1
        for column, width in self._layout(self.size.width):
            end += width + 1 if width else 0
            if x < end:
                if column.sort:
                    self.post_message(self.Titled(column.sort))
                return

    def on_resize(self, event: Resize) -> None:
        self._keep_visible()

    def _keep_visible(self) -> None:
        """Scroll as little as needed to show the cursor; the header takes one line."""
        shown = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        wanted = min(max(top, self.cursor - shown + 1), self.cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True, force=True)

    def render_line(self, y: int) -> Strip:
        """The header, or a row."""
        styler = browser_of(self).styler
        cells = self.size.width
        if y == 0:
            return styler.strip(self._header(cells), cells, self.rich_style)
        row = y - 1 + self.scroll_offset.y
        if row >= self.n_rows:
            said = [] if self.n_rows or y < 2 else self._said(cells)
            text = "".join(f" {line}" for line in said[y - 2 : y - 1])
            return styler.strip([Span(text)], cells, self.rich_style)
        at_cursor = row == self.cursor
        base = self.rich_style + styler.cursor if at_cursor else self.rich_style
        return styler.strip(self._row(row, cells, at_cursor=at_cursor), cells, base)

    def _said(self, cells: int) -> list[str]:
        return [part for line in self.message.splitlines() for part in wrap(clean(line), max(20, cells - 2)) or [""]]

    def _header(self, cells: int) -> Line:
        parts = [pad(c.title, width, right=c.right) for c, width in self._layout(cells) if width]
        return [Span(f" {' '.join(parts)}", tone="strong")]

    def _row(self, row: int, cells: int, *, at_cursor: bool) -> Line:
        """One row, or dots while it is being read."""
        window, place = divmod(row, WINDOW)
        held = self._windows.get(window)
        mark = "▸" if at_cursor else " "
        if held is None:
            self.post_message(self.Wanted(self))
            return [Span(f"{mark}·", tone="dim")]
        self._windows.move_to_end(window)
        values = held[place] if place < len(held) else ()
        layout = self._layout(cells)
        parts = [pad(v, width, right=c.right) for v, (c, width) in zip(values, layout, strict=False) if width]
        return [Span(f"{mark}{' '.join(parts)}")]

    def _layout(self, cells: int) -> list[tuple[Column, int]]:
        """Width of every column; 0 for those that find no room."""
        room = cells - 1
        shown = list(self._columns)
        while sum(c.cells + 1 for c in shown) > room and any(c.spare for c in shown):
            rarest = max(c.spare for c in shown)
            shown = [c for c in shown if c.spare != rarest]
        left = max(0, room - sum(c.cells + 1 for c in shown))
        shares = sum(c.grow for c in shown)
        return [(c, c.cells + (left * c.grow // shares if shares else 0) if c in shown else 0) for c in self._columns]
