"""The panes of the SQL console: an editor above, one line that says what came of it, rows below."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.events import DescendantFocus

from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.console.editor import SqlEditor
from tui.console.rows import Listing
from tui.views.base.view import Hints, View
from tui.widgets.lines import Bar
from tui.widgets.vtable import WINDOW, VTable

FIRST = "select alias, sae, layer, d_sae from saes"  # what stands in the editor at first
FIRST_MESSAGE = "F5 runs the SQL · F2 lists tables · tab goes to the result"


class ConsolePanes(View):
    """Which keys mean what depends on the pane: in the editor a letter is a letter."""

    HINTS: ClassVar[Hints] = (
        ("⏎", "open"),
        ("b", "browse"),
        ("tab", "editor"),
        ("F5", "run"),
        ("F2", "tables"),
        ("^r", "history"),
        ("esc", "back"),
        ("y", "copy"),
        ("e", "export"),
        ("< >", "columns"),
    )
    TYPING: ClassVar[Hints] = (
        ("F5", "run"),
        ("tab", "result"),
        ("esc", "out"),
        ("F2", "tables"),
        ("^r", "history"),
        ("F1", "help"),
    )

    def __init__(self, *, id: str) -> None:
        """No rows."""
        super().__init__(id=id)
        self._listing = Listing((), [], message=FIRST_MESSAGE)

    def compose(self) -> ComposeResult:
        """Editor, what came of it, rows."""
        yield SqlEditor(FIRST, id="sql-editor")
        yield Bar(id="sql-note")
        yield VTable((), id="sql-rows")

    @property
    def editor(self) -> SqlEditor:
        """Where SQL is typed."""
        return self.query_one(SqlEditor)

    @property
    def table(self) -> VTable:
        """Rows of the result, the history or the tables."""
        return self.query_one(VTable)

    @property
    def _has_rows(self) -> bool:
        """Whether a result with rows is listed."""
        return self._listing.kind == "result" and bool(self._listing.rows)

    def hints(self) -> tuple[Hints, Hints]:
        """Keys of the pane that has the focus."""
        return (self.TYPING, ()) if self.editor.has_focus else super().hints()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Other keys mean something."""
        self.browser.refresh_bars()

    def _list(self, listing: Listing) -> None:
        """Fill the table."""
        self._listing = listing
        self.table.retitle(listing.columns)
        self.table.reset(len(listing.rows), message=listing.message)

    def on_vtable_wanted(self, message: VTable.Wanted) -> None:
        """All rows are held: hand the window over."""
        table, window = message.table, message.table.missing()
        if window is not None:
            rows = self._listing.rows[window * WINDOW : (window + 1) * WINDOW]
            table.deliver(table.generation, window, [self._listing.cells(row) for row in rows])

    def on_vtable_moved(self, message: VTable.Moved) -> None:
        """The status line has the row."""
        self.browser.refresh_bars()

    def _say(self, text: str, tone: Any = "dim") -> None:
        """What came of the last key, between editor and rows."""
        self.query_one("#sql-note", Bar).show([Span(f" {clean(text)}", tone=tone)])
        self.browser.refresh_bars()

    def corner(self) -> Line:
        """What the console cannot do."""
        return [Span("file access off  ", tone="dim")]
