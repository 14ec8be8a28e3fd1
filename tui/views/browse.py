"""Which features are there? A table in windows, and beside it the feature under the cursor."""

from __future__ import annotations

import random
from collections.abc import Callable

from textual.app import ComposeResult

from atlas.filters.parser import parse_filter
from atlas.queries import browse
from atlas.queries.browse_records import FeatureDetail, Scan
from atlas.render.feature import Look, feature_lines, preview_line
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.view import following
from tui.views.featurelist import FeatureList
from tui.widgets.lines import Bar, Lines
from tui.widgets.typed import FilterBox
from tui.widgets.vtable import VTable

HOW = "max>8 density<1% tok~day -dead match:B>.5 sort:-match – enter keeps it, esc leaves"
"""What a filter looks like."""


class BrowseView(FeatureList, keys="browse"):
    """The feature table. Detail follows the cursor."""

    NAME = "features"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.detail: FeatureDetail | None = None
        self.followers: list[Callable[[FeatureDetail | None], None]] = []
        """Views that show the feature under the cursor as well."""

    def compose(self) -> ComposeResult:
        """Table and pane; on narrow screens one line of preview instead of the pane."""
        yield VTable(self.titled(), id="features")
        yield Lines(id="detail")
        yield Bar(id="preview")
        yield FilterBox(id="filter", placeholder=HOW)

    def enter(self) -> None:
        self.table.focus()
        self.call_after_refresh(self.draw_detail)

    def read_under_cursor(self) -> None:
        """Ask for everything about the feature under the cursor."""
        at = self.at_cursor()
        if at is None:
            return
        scan, feature_id = at
        self.read(lambda atlas: browse.feature_detail(atlas, scan, feature_id), self._show_detail, group="detail")

    def emptied(self) -> None:
        self._show_detail(None)

    def _show_detail(self, detail: FeatureDetail | None) -> None:
        self.detail = detail
        self.draw_detail()
        for show in self.followers:
            show(detail)

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
        self.call_after_refresh(self.draw_detail)

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        self.browser.ways.go("feature")

    def action_next_sae(self) -> None:
        choices: list[Scan | None] = [None, *self.catalogue.scans]
        self.scope = following(choices, self.scope if self.scope in choices else None)
        self.read_order(0)

    def action_mark(self) -> None:
        """Mark or unmark the feature, and move to the next."""
        at = self.at_cursor()
        if at is not None:
            self.browser.marks ^= {(at[0].sae, at[1])}
            self.table.forget()
            self.table.action_move(1)

    def action_marked(self) -> None:
        self.use_filter("" if self.text == "marked" else "marked")

    def action_random(self) -> None:
        if self.table.n_rows:
            self.table.go_to(random.randrange(self.table.n_rows))

    def action_matrix(self) -> None:
        """The matrix, with the cursor on the SAE of this feature."""
        at = self.at_cursor()
        if at is not None:
            self.browser.ways.go("matrix")
            self.browser.with_view("matrix", lambda matrix: matrix.show_sae(at[0].sae))

    def action_coding(self) -> None:
        self.browser.toggle_coding()
        self.draw_detail()

    def action_scroll_pane(self, pages: int) -> None:
        """Scroll the pane, if there is one."""
        pane = self.query_one("#detail", Lines)
        if pane.size.width:
            self.scroll_pages(pane, pages)
        else:
            self.browser.flash("no pane beside the table in this width – ⏎ opens the feature")

    def action_hit(self, step: int) -> None:
        """Scroll the pane to the next line that contains what the filter looks for."""
        words = parse_filter(self.text).words
        pane = self.query_one("#detail", Lines)
        if not words:
            self.browser.flash("the filter has no text to look for – / tok~day")
        elif not pane.find([clean(word) for word in words], step):
            self.browser.flash(f"no line here contains {' or '.join(map(clean, words))}")

    def action_pair(self) -> None:
        """The feature under the cursor beside its best partner, however quickly the cursor came there."""
        at = self.at_cursor()
        if at is None:
            return
        if self.detail and (self.detail.scan, self.detail.feature.feature_id) == at:
            self.browser.ways.pair_of(self.detail)
        else:
            self.read(lambda atlas: browse.feature_detail(atlas, *at), self.browser.ways.pair_of, group="pair")

    def crumbs(self) -> list[str]:
        if self._list is not None:
            return ["features", self._list.about]
        return [self.scope.sae if self.scope else f"{len(self.catalogue.scans)} SAEs", "features"]

    def corner(self) -> Line:
        return switcher([scan.alias for scan in self.catalogue.scans], self.scope.alias if self.scope else None)

    def status(self) -> tuple[Line, Line]:
        """Filter and sample to the left; how many, which order and which row to the right."""
        n, total = self.table.n_rows, sum(s.d_sae for s in self.catalogue.scans if self.scope in (None, s))
        at = self.at_cursor()
        sample = f" {clean(at[0].corpus)} · {count(at[0].n_tokens)} tokens" if at else ""
        many = f"{count(n)} of {count(total)}" if n != total else count(n)
        took = f" · {1000 * self._took:.0f} ms"
        return self.listed([Span(sample, tone="dim")], many, rising=not self.sorting.descending, more=took)


def switcher(aliases: list[str], chosen: str | None) -> Line:
    """`A│B│C` with the chosen one marked; only that one where there are too many."""
    aliases = list(dict.fromkeys(aliases))
    if len(aliases) > 12:
        return [Span(f"[{chosen}]" if chosen else "all", tone="strong"), Span(f" of {len(aliases)}  ", tone="dim")]
    line: Line = []
    for alias in aliases:
        line += [Span("│", tone="dim")] if line else []
        line.append(Span(f"[{alias}]" if alias == chosen else alias, tone="strong" if alias == chosen else "dim"))
    return [*line, Span("  ")]
