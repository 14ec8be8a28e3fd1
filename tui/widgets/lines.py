"""Widgets that show lines of spans: a scrolling pane and a one-line bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from atlas.render.spans import Line, Span, fit, line_width
from tui.kit.browser import browser_of
from tui.kit.keys import bindings

Fitted = Callable[[Size], Sequence[Line]]
"""Lines for a pane of some size."""


class Lines(ScrollView, can_focus=False):
    """Some lines, fitted to the size of the pane, scrolled if there are more than fit."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._fitted: Fitted = lambda size: []
        self._lines: Sequence[Line] = []
        self._hit = -1

    def show(self, fitted: Fitted, *, stay: bool = False) -> None:
        """Show something else, from its first line, or from the line that is at the top if it is only more of it."""
        self._fitted, self._hit = fitted, -1
        if not stay:
            self.scroll_to(y=0, animate=False, immediate=True)
        self._fit()

    def text(self) -> str:
        return "\n".join("".join(span.text for span in line).rstrip() for line in self._lines)

    def find(self, words: Sequence[str], step: int) -> bool:
        """Scroll to the next (1) or previous (-1) line that contains one of some words; false if none does."""
        texts = self.text().lower().split("\n")
        hits = [row for row, text in enumerate(texts) if any(word.lower() in text for word in words)]
        if not hits:
            return False
        ahead = [row for row in hits if (row - self._hit) * step > 0]
        self._hit = (min if step > 0 else max)(ahead or hits)
        self.scroll_to(y=self._hit, animate=False, immediate=True)
        self.refresh()
        return True

    def on_resize(self) -> None:
        """Another size, or a scroll bar came or went: fit again."""
        self._fit()

    def _fit(self) -> None:
        if not self.size.width:  # behind another view
            return
        room = self.outer_size - (self.styles.gutter.width, self.styles.gutter.height)
        lines = self._fitted(room)
        if len(lines) > room.height:  # Textual tells of its scroll bar too late
            lines = self._fitted(room - (self.styles.scrollbar_size_vertical, 0))
        if len(lines) != len(self._lines):
            self.virtual_size = Size(0, len(lines))
        self._lines = lines
        self.refresh()

    def render_line(self, y: int) -> Strip:
        row = y + self.scroll_offset.y
        line = self._lines[row] if row < len(self._lines) else []
        return browser_of(self).styler.strip(line, self.size.width, self.rich_style)


class Pane(Lines, can_focus=True):
    """Lines with the focus; scrolls by pages."""

    BINDINGS = bindings("pane")


class Bar(Widget, can_focus=False):
    """One line with a left and a right end; the left one gives way."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._left: Line = []
        self._right: Line = []

    def show(self, left: Line, right: Line | None = None) -> None:
        if (left, right or []) != (self._left, self._right):
            self._left, self._right = left, right or []
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        cells = self.size.width
        right = fit(self._right, min(cells, line_width(self._right)))
        gap = [Span(" ")] if right else []
        line = [*fit(self._left, max(0, cells - line_width(right) - len(gap))), *gap, *right]
        return browser_of(self).styler.strip(line, cells, self.rich_style)
