"""What does the atlas say to this SQL? An editor above, the result in windows below."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from textual.app import ComposeResult
from textual.events import DescendantFocus
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from atlas.errors import AtlasError
from atlas.queries import console
from atlas.queries.console import CAP, ColumnAbout, Result, SqlError
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.console import rows as consolerows
from tui.console.rows import Listing, features_of
from tui.console.run import SqlRun
from tui.kit.keys import HINTS, Hints, bindings
from tui.kit.troubles import said
from tui.views.base.view import View
from tui.widgets.lines import Bar
from tui.widgets.vtable import VTable

FIRST = "select alias, sae, layer, d_sae from saes"  # first text of the editor
FIRST_MESSAGE = "F5 runs the SQL · F2 lists tables · tab goes to the result"
TICK = 0.1  # seconds between two looks at a running query


class SqlEditor(TextArea):
    """Leaves ctrl+c to the console while a query runs, and tab to the screen."""

    BINDINGS = bindings("editor")

    class Stop(Message):
        """Ctrl+c was pressed."""

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
        self.post_message(self.Stop())

    def put(self, text: str) -> None:
        """Replace the text; undo brings the old one back."""
        self.replace(text, (0, 0), self.document.end)
        self.move_cursor(self.document.end)


class ConsoleView(View, keys="sql"):
    """SQL over the views, read-only, with no way to another file."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._listing = Listing((), [], message=FIRST_MESSAGE)
        self.result: Result | None = None
        self.history: list[str] = []
        self._asked = ""
        self._first = 0
        self.running: SqlRun | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield SqlEditor(FIRST, id="sql-editor")
        yield Bar(id="sql-note")
        yield VTable((), id="sql-rows")

    @property
    def editor(self) -> SqlEditor:
        return self.query_one(SqlEditor)

    @property
    def table(self) -> VTable:
        return self.query_one(VTable)

    @property
    def _has_rows(self) -> bool:
        return self._listing.kind == "result" and bool(self._listing.rows)

    def hints(self) -> tuple[Hints, bool]:
        return (HINTS["editor"], True) if self.editor.has_focus else (self.HINTS, False)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self.browser.refresh_bars()

    def enter(self) -> None:
        self.table.message = self._listing.message
        (self.table if self._has_rows else self.editor).focus()

    def open(self, text: str) -> None:
        self.editor.put(text)
        self.editor.focus()

    def action_run(self) -> None:
        """Run what is in the editor; the screen stays usable."""
        text = self.editor.text
        if self.running:
            self._say("a query is already running – esc cancels it", tone="warn")
        elif not text.strip():
            self._say("nothing to run: type SQL – F2 lists the tables, ^r earlier SQL", tone="warn")
        else:
            self.history = [*(past for past in self.history if past != text), text]
            self.running = SqlRun(text)
            self._timer = self.set_interval(TICK, self._tick)
            self._say("")
            beside = partial(self.browser.store.ask_beside, stop=self.running.stop)
            self.read(self.running.answer, self._take, group="sql", ask=beside)

    def _tick(self) -> None:
        if self.running is not None:
            self.running.tick()
        self.browser.refresh_bars()

    def cancel(self) -> None:
        """End the query: it runs on a connection of its own."""
        self._stopped()

    def _stopped(self) -> bool:
        """Stop the query that runs; false if none does."""
        if self.running:
            self.running.stop()
        return self.running is not None

    def _done(self) -> None:
        self.running = None
        if self._timer is not None:
            self._timer.stop()

    def _take(self, found: Result | AtlasError) -> None:
        self._done()
        if isinstance(found, Result):
            self.result, self._first, self._asked = found, 0, self.history[-1]
            self._show_result(found)
            return
        self.result, self._asked = None, ""
        self._list(Listing((), [], message=said(found)))
        self._say(found.what, tone="warn")
        if isinstance(found, SqlError) and found.place is not None:
            self.editor.move_cursor(found.place)
        if self.browser.is_front(self):
            self.editor.focus()

    def failed(self, group: str) -> None:
        if group == "sql":
            self._done()

    def on_unmount(self) -> None:
        """The program ends: let no query hold it."""
        self.cancel()

    def on_sql_editor_stop(self, message: SqlEditor.Stop) -> None:
        """Ctrl+c in the editor: cancel, or copy what is selected."""
        if not self._stopped():
            self.app.copy_to_clipboard(self.editor.selected_text)
            self._say("copied" if self.editor.selected_text else "no query is running; tab, then q, quits")

    def action_stop(self) -> None:
        """Ctrl+c in the result: cancel, or quit as everywhere."""
        if not self._stopped():
            self.app.exit()

    def retreat(self) -> bool:
        """Esc cancels first, then goes from the editor, from history and from tables to the result."""
        if self._stopped():
            return True
        if self._listing.kind != "result":
            self._show_result(self.result)
            return True
        if self._has_rows and self.editor.has_focus:
            self.table.focus()
            return True
        return False

    def _list(self, listing: Listing) -> None:
        self._listing, self.rows = listing, listing.rows
        self.table.retitle(listing.columns)
        self.table.reset(len(listing.rows), message=listing.message)

    def _say(self, text: str, tone: Any = "dim") -> None:
        self.query_one("#sql-note", Bar).show([Span(f" {clean(text)}", tone=tone)])
        self.browser.refresh_bars()

    def _show_result(self, result: Result | None) -> None:
        if result is None:
            self._list(Listing((), [], message=FIRST_MESSAGE))
            return
        self._list(consolerows.result_listing(result, self._first))
        named = features_of(result, 0, self.catalogue.scans)
        self._say("⏎ opens the feature of a row, b browses them all" if named else "")

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        """Open the feature or the pair of a row; take SQL or a name into the editor."""
        row = self._listing.rows[message.row]
        if self._listing.kind == "history":
            self.open(row)
        elif self._listing.kind == "tables":
            self.editor.insert(row.column)
            self.editor.focus()
        elif self.result is not None:
            self._open_features(features_of(self.result, message.row, self.catalogue.scans))

    def _open_features(self, places: Sequence[tuple[Any, int]]) -> None:
        if len(places) == 1:
            self.browser.ways.open_feature(*places[0])
        elif places:
            self.browser.ways.open_pair(lambda row: (*places[0], *places[1]), 0, 1)
        else:
            self._say("no feature in this row: select sae and feature_id, or sae_a, feature_a, sae_b, feature_b")

    def action_browse(self) -> None:
        """The features of all rows as the list of the feature table."""
        if self._listing.kind != "result" or self.result is None:
            return
        keys = consolerows.all_features(self.result, self.catalogue.scans)
        if keys:
            self.browser.ways.browse_features(keys, "result of the SQL")
        else:
            self._say("no features in this result: select sae and feature_id")

    def action_tables(self) -> None:
        self.read(console.columns_about, self._take_tables, group="tables")

    def _take_tables(self, found: list[ColumnAbout]) -> None:
        self._offer(consolerows.tables_listing(found), "⏎ puts the name into the editor")

    def _offer(self, listing: Listing, what: str) -> None:
        self._list(listing)
        self._say(f"{what} · esc goes back to the result")
        self.table.focus()

    def action_history(self) -> None:
        self._offer(consolerows.history_listing(self.history), "⏎ takes it into the editor")

    def action_switch(self) -> None:
        (self.table if self.editor.has_focus else self.editor).focus()

    def action_shift(self, columns: int) -> None:
        """Start with another column."""
        if self._listing.kind == "result" and self.result is not None and self.result.columns:
            self._first = max(0, min(self._first + columns, len(self.result.columns) - 1))
            row = self.table.cursor
            self._list(consolerows.result_listing(self.result, self._first))
            self.table.go_to(row)

    def reference(self) -> str | None:
        if self.result is None or not self._has_rows:
            return None
        return consolerows.row_text(self.result, self.table.cursor, self.catalogue.scans)

    def copied_row(self) -> str:
        return consolerows.row_json(self.result, self.table.cursor) if self.result and self._has_rows else ""

    def copied(self) -> str:
        return self.editor.text if self.editor.has_focus else self.copied_row() or self.editor.text

    def command(self) -> list[str] | None:
        """The command that prints the whole result; a blank keeps a comment from being read as an option."""
        return ["sql", f" {self._asked}" if self._asked.startswith("-") else self._asked] if self._asked else None

    def sql(self) -> str | None:
        return self._asked or None

    def corner(self) -> Line:
        return [Span("file access off  ", tone="dim")]

    def status(self) -> tuple[Line, Line]:
        """The time while a query runs; rows and time after it."""
        if self.running:
            return self.running.line(), []
        result = self.result
        if result is None or self._listing.kind != "result":
            return [], []
        at = f"row {count(self.table.cursor + 1)} · " if result.rows else ""
        return consolerows.result_line(result, self._first), [Span(f"{at}cap {count(CAP)} ", tone="dim")]
