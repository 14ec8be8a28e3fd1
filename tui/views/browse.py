"""Which features are there? A table in windows, and beside it the feature under the cursor."""

from __future__ import annotations

import random
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from atlas.filters.parser import parse_filter
from atlas.queries import browse
from atlas.queries.browse_records import FeatureDetail, Scan
from atlas.render.feature import Look, feature_lines, preview_line
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.featurelist import FeatureList
from tui.widgets.columns import columns_for, switcher
from tui.widgets.filterbox import FilterBox
from tui.widgets.lines import Bar, Lines
from tui.widgets.vtable import VTable

HOW = "max>8 density<1% tok~day -dead match:B>.5 sort:-match – enter keeps it, esc leaves"
"""What a filter looks like."""


class BrowseView(FeatureList):
    """The feature table. Detail follows the cursor."""

    NAME = "features"
    HINTS: ClassVar = (
        ("⏎", "open"),
        ("/", "filter"),
        ("s", "sort"),
        ("p", "pair"),
        ("a", "SAE"),
        (":", "command"),
        ("space", "mark"),
        ("y", "copy"),
        ("e", "export"),
        ("2", "pairs"),
        ("o", "SAEs"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "next_sae", "next SAE, then all", id="browse.sae"),
        Binding("p", "pair", "pair with its best partner", id="browse.pair"),
        Binding("space", "mark", "mark, or take the mark away", id="browse.mark"),
        Binding("asterisk", "marked", "only the marked ones", id="browse.marked"),
        Binding("r", "random", "a feature by chance", id="browse.random"),
        Binding("m", "matrix", "cell of this SAE in the matrix", id="browse.matrix"),
        Binding("v", "coding", "shade by colour, or underline and bold", id="browse.coding"),
        Binding("tab", "scroll_pane(1)", "scroll the pane beside the table", id="browse.pane_down"),
        Binding("shift+tab", "scroll_pane(-1)", "scroll it back", id="browse.pane_up"),
        Binding("n", "hit(1)", "next hit of the filter in the pane", id="browse.next_hit"),
        Binding("N", "hit(-1)", "previous hit", id="browse.previous_hit"),
    ]

    def __init__(self, *, id: str) -> None:
        """No feature was read yet."""
        super().__init__(id=id)
        self.detail: FeatureDetail | None = None

    def compose(self) -> ComposeResult:
        """Table and pane; on narrow screens one line of preview instead of the pane."""
        yield VTable(columns_for(self.sorting), id="features")
        yield Lines(id="detail")
        yield Bar(id="preview")
        yield FilterBox(id="filter", placeholder=HOW)

    def enter(self) -> None:
        """Focus the table and draw what was read while it was hidden."""
        self.table.focus()
        self.call_after_refresh(self.draw_detail)

    # the feature under the cursor ---------------------------------------------------------------------------------

    def read_under_cursor(self) -> None:
        """Ask for everything about the feature under the cursor."""
        at = self.at_cursor()
        if at is None:
            return
        scan, feature_id = at
        self.read(lambda atlas: browse.feature_detail(atlas, scan, feature_id), self._show_detail, group="detail")

    def emptied(self) -> None:
        """Nothing to show beside the table."""
        self._show_detail(None)

    def _show_detail(self, detail: FeatureDetail | None) -> None:
        """Fill the pane, the preview and the feature view."""
        self.detail = detail
        self.draw_detail()
        if (whole := self.browser.feature_view) is not None:
            whole.show(detail)

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

    # keys -------------------------------------------------------------------------------------------------------

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        """Open the feature on the whole screen."""
        self.browser.go("feature")

    def action_next_sae(self) -> None:
        """One SAE after the other, then all."""
        choices: list[Scan | None] = [None, *self.browser.scans]
        place = choices.index(self.scope) if self.scope in choices else 0
        self.scope = choices[(place + 1) % len(choices)]
        self.read_order(0)

    def action_mark(self) -> None:
        """Mark the feature, or take its mark away, and go on to the next."""
        at = self.at_cursor()
        if at is not None:
            self.browser.toggle_mark(at[0].sae, at[1])
            self.table.forget()
            self.table.action_move(1)

    def action_marked(self) -> None:
        """Only the marked features, or all again."""
        self.use_filter("" if self.text == "marked" else "marked")

    def action_random(self) -> None:
        """The cursor jumps."""
        if self.table.n_rows:
            self.table.go_to(random.randrange(self.table.n_rows))

    def action_matrix(self) -> None:
        """The matrix, with the cursor on the SAE of this feature."""
        at = self.at_cursor()
        if at is not None:
            self.browser.go("matrix")
            self.browser.with_view("matrix", lambda matrix: matrix.show_sae(at[0].sae))

    def action_coding(self) -> None:
        """The other way to show activation."""
        self.browser.toggle_coding()
        self.draw_detail()

    def action_scroll_pane(self, pages: int) -> None:
        """Scroll the pane, if there is one."""
        pane = self.query_one("#detail", Lines)
        if pane.size.width:
            pane.scroll_relative(y=pages * max(1, pane.size.height - 1), animate=False)
        else:
            self.browser.flash("no pane beside the table in this width – ⏎ opens the feature")

    def action_hit(self, step: int) -> None:
        """Scroll the pane to the next line that holds what the filter looks for."""
        words = parse_filter(self.text).words
        pane = self.query_one("#detail", Lines)
        if not words:
            self.browser.flash("the filter looks for no text – / tok~day")
        elif not pane.find([clean(word) for word in words], step):
            self.browser.flash(f"nothing here holds {' or '.join(map(clean, words))}")

    def action_pair(self) -> None:
        """The feature under the cursor beside its best partner, however quickly the cursor came there."""
        at = self.at_cursor()
        if at is None:
            return
        if self.detail and (self.detail.scan, self.detail.feature.feature_id) == at:
            self.browser.pair_of(self.detail)
        else:
            self.read(lambda atlas: browse.feature_detail(atlas, *at), self.browser.pair_of, group="pair")

    # bars -------------------------------------------------------------------------------------------------------

    def crumbs(self) -> list[str]:
        """The scope."""
        if self._list is not None:
            return ["features", self._list.about]
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
