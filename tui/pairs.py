"""Which features of two SAEs belong together, and why were the other candidates dropped?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from atlas.db import Atlas
from atlas.queries.browse_pair import pair_detail
from atlas.queries.browse_records import PairDetail, Pairing, PairRow, Scan
from atlas.render.feature import preview_line
from atlas.render.feature_more import value_of
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from atlas.rules import PAIR_FILTER, PAIR_SORTS
from tui.columns import pair_cells, pair_columns
from tui.filterbox import FilterBox
from tui.lines import Bar
from tui.listview import ListView
from tui.pairs_reading import RULES, Asked, compared_scans, pairings_between, read_pairs, read_window
from tui.vtable import VTable

if TYPE_CHECKING:
    from atlas.pairlist import PairOrder
    from atlas.subsets import Subset

ROOMY = 140
"""Cells from which the status line has room for the sample and the reasons."""

SHOWN = ("kept", "dropped", "all")


class PairsView(ListView):
    """Partners of two SAEs with the verdict of the filters; two lines below compare the contexts."""

    NAME = "pairs"
    SORTS = PAIR_SORTS
    HINTS: ClassVar = (
        ("⏎", "open"),
        ("/", "filter"),
        ("d", "dropped"),
        ("x", "swap"),
        ("a", "SAEs"),
        ("b", "measure"),
        ("r", "rule"),
        ("s", "sort"),
        ("y", "copy"),
        ("1", "browse"),
        ("S", "reverse"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "show_next", "kept, dropped or all candidates", id="pairs.dropped"),
        Binding("x", "swap", "swap sides: the other SAE chooses", id="pairs.swap"),
        Binding("a", "next_pairing", "next two SAEs that were compared", id="pairs.next"),
        Binding("b", "next_measure", "next stored measure of these two", id="pairs.measure"),
        Binding("r", "next_rule", "next rule: best, mutual, one-to-one, assignment, greedy, …", id="pairs.rule"),
    ]

    def __init__(self, *, id: str) -> None:
        """The first comparison, kept pairs, best first."""
        super().__init__(id=id)
        self.shown, self.rule, self.measure = "kept", "best", "activation"
        self.sides: tuple[Scan, Scan] | None = None
        self.order: PairOrder | None = None
        self._all: PairOrder | None = None
        self._subset: Subset | None = None
        self._reasons: list[tuple[str, int]] = []
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The table, and a line for each side."""
        yield VTable(pair_columns("A", "B", "value", ascending=False, verdict=False), id="pair-list")
        yield Bar(id="preview-a")
        yield Bar(id="preview-b")
        box = FilterBox(id="pair-filter")
        box.placeholder = PAIR_FILTER
        yield box

    def enter(self) -> None:
        """Focus the table; read the list when it is looked at for the first time."""
        self.table.focus()
        if self._all is None:
            self.reload()

    # the order --------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the list again and stay on the row."""
        known = {scan.scan_id for scan in self.browser.scans}
        if self.sides and not known >= {scan.scan_id for scan in self.sides}:
            self.sides = None
        if self.sides is None and not self._choose(0):
            self.table.reset(0, message=self._nothing())
        elif self.browser.is_front(self):
            self.read_order(self.table.cursor)

    @property
    def _compared(self) -> list[tuple[Scan, Scan]]:
        """Two scans each that were compared by whatever measure, in order of arrival."""
        return compared_scans(self.browser.scans, self.browser.pairings)

    def _choose(self, place: int) -> bool:
        """Take the sides of a stored comparison."""
        compared = self._compared
        if not compared:
            return False
        self.sides = compared[place % len(compared)]
        if self.measure not in self._measures():
            self.measure = self._measures()[0]
        return True

    def _pairings(self) -> list[Pairing]:
        """Stored comparisons of the two sides, activation first."""
        return pairings_between(*self.sides, self.browser.pairings) if self.sides else []

    def _measures(self) -> list[str]:
        """Measures by which the two sides were compared."""
        return [p.measure for p in self._pairings()]

    @property
    def _pairing(self) -> Pairing | None:
        """The comparison that is shown."""
        return next((p for p in self._pairings() if p.measure == self.measure), None)

    def show_sides(self, a: Scan, b: Scan) -> None:
        """The pairs of two scans, chosen from the side of the first."""
        self.sides = (a, b)
        self.clear_filter()
        self.read_order(0)

    def read_order(self, cursor: int) -> None:
        """Ask for the candidates with their verdict."""
        if self.sides is None:
            return
        asked = Asked(*self.sides, self.measure, self.rule, self.text, self.sort, self.ascending)
        self.read(partial(read_pairs, asked), partial(self._take, cursor), group="order")

    def _take(self, cursor: int, found: tuple[Subset | None, PairOrder | None, str]) -> None:
        """Hold all candidates; show those that are wanted."""
        self._subset, self._all, self._problem = found
        self._reasons = self._all.reasons() if self._all else []
        self._show_order(cursor)

    def _show_order(self, cursor: int) -> None:
        """Fill the table with kept, dropped or all candidates."""
        if self.sides is None:
            return
        a, b = self.sides
        verdict = self.shown != "kept"
        self.table.retitle(
            pair_columns(a.alias, b.alias, self.sort, ascending=self.ascending, verdict=verdict, measure=self.measure)
        )
        self.order = self._all and self._all.those(self.shown)
        n_rows = len(self.order) if self.order is not None else 0
        self.table.reset(n_rows, cursor=cursor, message=self._nothing())
        if not n_rows:
            self._preview(None)

    def _nothing(self) -> str:
        """Why the list is empty and what to do."""
        scans = self.browser.scans
        if self._problem:
            return self._problem
        if self.sides is None:
            names = f"{scans[0].alias} {scans[1].alias}" if len(scans) > 1 else "A B"
            return f"no pairs in this atlas – run: featlas correlate {names}"
        if self.text and not (self._all and len(self._all)):
            return f"no pair holds {clean(self.text)!r} in its top tokens – esc clears the filter"
        if self.shown == "kept":
            return "no pair passes the filters – d shows the dropped ones"
        return f"no pair is {self.shown} – d shows others"

    def window_question(self, start: int, stop: int) -> Callable[[Atlas], list[PairRow]] | None:
        """How to read some rows."""
        order, sides, subset = self.order, self.sides, self._subset
        if order is None or sides is None or subset is None:
            return None
        return lambda atlas: read_window(atlas, *sides, subset, order, start, stop)

    def cells(self, row: PairRow) -> tuple[str, ...]:
        """One line of the table."""
        cells = pair_cells(row)
        return cells if self.shown != "kept" else cells[:-1]

    # the pair under the cursor ------------------------------------------------------------------------------------

    def read_under_cursor(self) -> None:
        """Ask for both features with one context each."""
        key = self.key_at(self.table.cursor)
        if key is not None and self.browser.is_front(self):
            self.read(lambda atlas: pair_detail(atlas, *key, n_contexts=1), self._preview, group="preview")

    def _preview(self, detail: PairDetail | None) -> None:
        """One line for each side."""
        for name, one in (("#preview-a", detail and detail.a), ("#preview-b", detail and detail.b)):
            line = preview_line(one, self.size.width, brackets=self.browser.styler.brackets) if one else []
            self.query_one(name, Bar).show(line)

    def key_at(self, row: int) -> tuple[Scan, int, Scan, int] | None:
        """The pair of a row."""
        if self.order is None or self.sides is None or not 0 <= row < len(self.order):
            return None
        a, b = self.sides
        return a, int(self.order.features_a[row]), b, int(self.order.features_b[row])

    def reference(self) -> str | None:
        """The pair under the cursor."""
        key = self.key_at(self.table.cursor)
        return f"{key[0].sae}:{key[1]}={key[2].sae}:{key[3]}" if key else None

    # keys -------------------------------------------------------------------------------------------------------

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        """Open the pair; n and N walk through the list."""
        self.browser.open_pair(self.key_at, message.row, self.table.n_rows, measure=self.measure)

    def action_show_next(self) -> None:
        """Kept, then dropped, then all."""
        self.shown = SHOWN[(SHOWN.index(self.shown) + 1) % len(SHOWN)]
        self._show_order(0)

    def action_swap(self) -> None:
        """The features of the other SAE choose."""
        if self.sides is not None:
            self.sides = (self.sides[1], self.sides[0])
            self.read_order(0)

    def action_next_pairing(self) -> None:
        """The next two SAEs."""
        compared = self._compared
        if self.sides is not None and compared:
            place = compared.index(self.sides) if self.sides in compared else -1
            self._choose(place + 1)
            self.read_order(0)

    def action_next_measure(self) -> None:
        """The next stored measure of these two."""
        measures = self._measures()
        if measures:
            place = measures.index(self.measure) if self.measure in measures else -1
            self.measure = measures[(place + 1) % len(measures)]
            self.read_order(0)

    def action_next_rule(self) -> None:
        """The next rule that chooses partners."""
        self.rule = RULES[(RULES.index(self.rule) + 1) % len(RULES)]
        self.read_order(0)

    # bars -------------------------------------------------------------------------------------------------------

    def crumbs(self) -> list[str]:
        """The two SAEs."""
        if self.sides is None:
            return ["pairs"]
        a, b = self.sides
        return ["pairs", f"{a.sae} ↔ {b.sae}"]

    def corner(self) -> Line:
        """Measure and rule, and which comparison of how many."""
        if self.sides is None:
            return []
        compared = self._compared
        line: Line = [Span(f"{self.rule} by {self.measure}  ", tone="strong")]
        if self.sides in compared:
            line.append(Span(f"{compared.index(self.sides) + 1} of {len(compared)}  ", tone="dim"))
        return line

    def status(self) -> tuple[Line, Line]:
        """Chance level and sample, or the reasons, to the left; how many, which order and which row to the right."""
        if self._all is None or self.sides is None:
            return [], []
        left: Line = []
        reasons = " · ".join(f"{count(n)} {name}" for name, n in self._reasons) or "none"
        if self.text:
            left = [Span(f" filter: {clean(self.text)}", tone="accent")]
        elif self.shown != "kept":
            left = [Span(f" dropped: {reasons}")]
        elif self._pairing:
            left = [*_sample(self._pairing), *([Span(f" · dropped: {reasons}")] if self.size.width >= ROOMY else [])]
        total = count(len(self._all))
        shown = f"{total} candidates" if self.shown == "all" else f"{count(self.table.n_rows)} of {total} {self.shown}"
        row = f" · row {count(self.table.cursor + 1)}" if self.table.n_rows else ""
        return left, [Span(f"{shown} · {self.sort} {'↑' if self.ascending else '↓'}{row} ")]


def _sample(pairing: Pairing) -> Line:
    """What the values were measured on, and what they would be by chance."""
    judged = f"median best {value_of(pairing.median_best)}, by chance {value_of(pairing.chance)}"
    return [Span(f" {judged} · {count(pairing.n_tokens)} tokens of {clean(pairing.corpus)}", tone="dim")]
