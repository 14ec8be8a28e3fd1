"""Which features are there? A table in windows, and beside it the feature under the cursor."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from atlas.db import Atlas
from atlas.errors import UsageError
from atlas.filters.compile import Names, compile_filter
from atlas.filters.parser import parse_filter
from atlas.filters.terms import Sort
from atlas.queries import browse, filtered
from atlas.queries.browse_records import FeatureDetail, FeatureRow, Scan
from atlas.render.feature import Look, feature_lines, preview_line
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.columns import cells_of, columns_for, switcher
from tui.filterbox import FilterBox
from tui.lines import Bar, Lines
from tui.listview import ListView
from tui.vtable import VTable

FIRST = 256
"""Rows of a long table that are ordered first, so that something shows at once."""

LONG = 200_000
"""Features from which an order is read in two steps."""


class BrowseView(ListView):
    """The feature table. Detail follows the cursor."""

    NAME = "features"
    SORTS = filtered.SORTS
    HINTS: ClassVar = (
        ("⏎", "open"),
        ("/", "filter"),
        ("s", "sort"),
        ("p", "pair"),
        ("a", "SAE"),
        ("2", "pairs"),
        ("y", "copy"),
        ("S", "reverse"),
        ("o", "SAEs"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "next_sae", "next SAE, then all", id="browse.sae"),
        Binding("p", "pair", "pair with its best partner", id="browse.pair"),
    ]

    def __init__(self, *, id: str) -> None:
        """All features by density."""
        super().__init__(id=id)
        self.scope: Scan | None = None
        self.order: filtered.FeatureOrder | None = None
        self.detail: FeatureDetail | None = None
        self._go_to: int | None = None
        self._list: tuple[browse.FeatureOrder, str] | None = None
        self._took = 0.0
        self._applied = ""

    def compose(self) -> ComposeResult:
        """Table and pane; on narrow screens one line of preview instead of the pane."""
        yield VTable(columns_for(self.sorting), id="features")
        yield Lines(id="detail")
        yield Bar(id="preview")
        yield FilterBox(id="filter")

    def enter(self) -> None:
        """Focus the table and draw what was read while it was hidden."""
        self.table.focus()
        self.call_after_refresh(self.draw_detail)

    # the order --------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the order again and stay on the row."""
        self.read_order(self.table.cursor)

    def show_scan(self, scan: Scan | None, *, feature_id: int | None = None) -> None:
        """Show the features of one scan, or of all; with the cursor on one of them."""
        self.scope, self._go_to = scan, feature_id
        self.clear_filter()
        if feature_id is not None:
            self.sort, self.ascending = "feature_id", False
        self.read_order(0)

    def show_list(self, order: browse.FeatureOrder, about: str) -> None:
        """Show a list of features as it is, until esc, a filter, another order or another SAE."""
        self.scope, self._list = None, (order, about)
        self.clear_filter()
        self._show_order(order, 0, time.perf_counter())

    def retreat(self) -> bool:
        """Esc leaves a list that another view has made, after what a filter has to undo."""
        if self._list is None or self.text or self.box.has_focus:
            return super().retreat()
        self.read_order(0)
        return True

    def read_order(self, cursor: int) -> None:
        """Ask for the ids in order: of a long table the first rows, then all."""
        self._list = None
        scope = [self.scope.scan_id] if self.scope else []
        known = sum(scan.d_sae for scan in self.browser.scans if not scope or scan.scan_id in scope)
        self.table.retitle(columns_for(self.sorting))
        order = partial(filtered.feature_order, scan_ids=scope, line=self.text, sort=self.sorting)
        started = time.perf_counter()

        def whole(atlas: Atlas) -> filtered.FeatureOrder:
            if known > LONG and cursor < FIRST and self._go_to is None:
                head = order(atlas, most=FIRST)
                self.app.call_from_thread(self._show_order, head, cursor, started)
            return order(atlas)

        self.read(whole, lambda found: self._show_order(found, cursor, started), group="order")

    @property
    def sorting(self) -> Sort:
        """The order that is shown: the filter's own, else the one that the keys chose."""
        return parse_filter(self.text).sort or filtered.natural(self.sort, reverse=self.ascending)

    def trouble_with(self, text: str) -> str:
        """Why a filter cannot be read, or what it names that is not here."""
        scans = self.browser.scans
        names = Names(
            saes=list(dict.fromkeys((scan.sae, scan.alias) for scan in scans)),
            models=list(dict.fromkeys(scan.model for scan in scans)),
            corpora=list(dict.fromkeys(scan.corpus for scan in scans)),
            marks=frozenset(),
        )
        try:
            compile_filter(parse_filter(text), names, sort=self.sorting)
        except UsageError as error:
            return error.what
        return ""

    def _show_order(self, order: filtered.FeatureOrder, cursor: int, started: float) -> None:
        """Fill the table."""
        self._applied = self.text
        self.order, self._took = order, time.perf_counter() - started
        if self._go_to is not None:
            cursor, self._go_to = self._go_to, None
        self.table.reset(len(order), cursor=cursor, message=self._nothing())
        if not len(order):
            self._show_detail(None)

    def failed(self) -> None:
        """The list that is shown stays, and with it the filter that made it."""
        super().failed()
        self.text = self._applied

    def _nothing(self) -> str:
        """Why the table is empty and what to do."""
        if self.text:
            return f"no feature fits {clean(self.text)} – esc clears the filter"
        return "no features here yet – run: featlas demo, or ingest"

    def window_question(self, start: int, stop: int) -> Callable[[Atlas], list[FeatureRow]] | None:
        """How to read some rows."""
        order = self.order
        return None if order is None else lambda atlas: browse.feature_window(atlas, order, start, stop)

    def cells(self, row: FeatureRow) -> tuple[str, ...]:
        """One line of the table."""
        return cells_of(row)

    # the feature under the cursor ---------------------------------------------------------------------------------

    def read_under_cursor(self) -> None:
        """Ask for everything about the feature under the cursor."""
        at = self.at_cursor()
        if at is None:
            return
        scan, feature_id = at
        self.read(lambda atlas: browse.feature_detail(atlas, scan, feature_id), self._show_detail, group="detail")

    def _show_detail(self, detail: FeatureDetail | None) -> None:
        """Fill the pane, the preview and the feature view."""
        self.detail = detail
        self.draw_detail()
        self.browser.feature_view.show(detail)

    def draw_detail(self) -> None:
        """Fill pane and preview."""
        detail, brackets = self.detail, self.browser.styler.brackets
        pane, preview = self.query_one("#detail", Lines), self.query_one("#preview", Bar)
        if detail is None:
            pane.show(lambda _: [])
            preview.show([])
        else:
            pane.show(lambda size: feature_lines(detail, size.width, Look(brackets=brackets)))
            preview.show(preview_line(detail, max(40, self.size.width), brackets=brackets))

    def on_resize(self) -> None:
        """Another width: the preview is one line."""
        self.call_after_refresh(self.draw_detail)

    def at_cursor(self) -> tuple[Scan, int] | None:
        """Scan and number of the feature under the cursor."""
        row, order = self.table.cursor, self.order
        if order is None or row >= len(order):
            return None
        scan_id = int(order.scan_ids[row])
        scan = next((scan for scan in self.browser.scans if scan.scan_id == scan_id), None)
        return (scan, int(order.feature_ids[row])) if scan else None

    def reference(self) -> str | None:
        """Reference of the feature under the cursor."""
        at = self.at_cursor()
        return f"{at[0].sae}:{at[1]}" if at else None

    # keys -------------------------------------------------------------------------------------------------------

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        """Open the feature on the whole screen."""
        self.browser.go("feature")

    def action_next_sae(self) -> None:
        """One SAE after the other, then all."""
        choices: list[Scan | None] = [None, *self.browser.scans]
        held = [scan.scan_id if scan else None for scan in choices]
        place = held.index(self.scope.scan_id if self.scope else None) if self.scope else 0
        self.scope = choices[(place + 1) % len(choices)]
        self.read_order(0)

    def action_pair(self) -> None:
        """The feature beside its best partner."""
        if self.detail is not None:
            self.browser.pair_of(self.detail)

    # bars -------------------------------------------------------------------------------------------------------

    def crumbs(self) -> list[str]:
        """The scope."""
        if self._list is not None:
            return ["features", self._list[1]]
        return [self.scope.sae if self.scope else f"{len(self.browser.scans)} SAEs", "features"]

    def corner(self) -> Line:
        """The SAE switcher: which of them is shown."""
        return switcher([scan.alias for scan in self.browser.scans], self.scope.alias if self.scope else None)

    def status(self) -> tuple[Line, Line]:
        """Filter and sample to the left; how many, which order and which row to the right."""
        n, total = self.table.n_rows, sum(s.d_sae for s in self.browser.scans if self.scope in (None, s))
        order = self.sorting
        at = self.at_cursor()
        sample = f" {clean(at[0].corpus)} · {count(at[0].n_tokens)} tokens" if at else ""
        left = [Span(f" filter: {clean(self.text)}", tone="accent")] if self.text else [Span(sample, tone="dim")]
        many = f"{count(n)} of {count(total)}" if n != total else count(n)
        row = f" · row {count(self.table.cursor + 1)}" if n else ""
        return left, [
            Span(f"{many} · {order.field} {'↓' if order.descending else '↑'}{row} · {1000 * self._took:.0f} ms ")
        ]
