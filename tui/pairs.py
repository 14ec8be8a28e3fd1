"""Which features of two SAEs belong together, and why were the other candidates dropped?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from atlas.db import Atlas
from atlas.queries import browse
from atlas.queries.browse_records import PairDetail, Pairing, PairRow, Scan
from atlas.render.feature import preview_line
from atlas.render.numbers import correlation, count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.columns import pair_cells, pair_columns
from tui.filterbox import FilterBox
from tui.lines import Bar
from tui.listview import ListView
from tui.vtable import VTable

SHOWN = ("kept", "dropped", "all")


class PairsView(ListView):
    """Best partners of two SAEs with the verdict of the filters; two lines below compare the contexts."""

    NAME = "pairs"
    SORTS = browse.PAIR_SORTS
    HINTS: ClassVar = (
        ("⏎", "open"),
        ("/", "filter"),
        ("d", "dropped"),
        ("x", "swap"),
        ("a", "SAEs"),
        ("s", "sort"),
        ("y", "copy"),
        ("1", "browse"),
        ("S", "reverse"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "show_next", "kept, dropped or all candidates", id="pairs.dropped"),
        Binding("x", "swap", "swap sides: the other SAE chooses", id="pairs.swap"),
        Binding("a", "next_pairing", "next comparison", id="pairs.next"),
    ]

    def __init__(self, *, id: str) -> None:
        """The first comparison, kept pairs, best first."""
        super().__init__(id=id)
        self.shown = "kept"
        self.sides: tuple[Scan, Scan] | None = None
        self.order: browse.PairOrder | None = None
        self._all: browse.PairOrder | None = None
        self._pairing: Pairing | None = None

    def compose(self) -> ComposeResult:
        """The table, and a line for each side."""
        yield VTable(pair_columns("A", "B", "value", ascending=False, verdict=False), id="pair-list")
        yield Bar(id="preview-a")
        yield Bar(id="preview-b")
        yield FilterBox(id="pair-filter")

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

    def _choose(self, place: int) -> bool:
        """Take the sides of a stored comparison."""
        comparisons = [p for p in self.browser.pairings if p.measure == "activation"]
        if not comparisons:
            return False
        self._pairing = comparisons[place % len(comparisons)]
        a, b = (self.browser.scan_of(sae, self._pairing.corpus) for sae in (self._pairing.sae_a, self._pairing.sae_b))
        self.sides = (a, b) if a and b else None
        return self.sides is not None

    def show_sides(self, a: Scan, b: Scan) -> None:
        """The pairs of two scans, chosen from the side of the first."""
        self._pairing = next((p for p in self.browser.pairings if p.between(a.sae, b.sae)), None)
        self.sides = (a, b)
        self.clear_filter()
        self.read_order(0)

    def read_order(self, cursor: int) -> None:
        """Ask for the candidates with their verdict."""
        if self.sides is None:
            return
        a, b = self.sides
        order = partial(browse.pair_order, a=a, b=b, text=self.text, sort=self.sort, ascending=self.ascending)
        self.read(order, partial(self._take, cursor), group="order")

    def _take(self, cursor: int, found: browse.PairOrder) -> None:
        """Hold all candidates; show those that are wanted."""
        self._all = found
        self._show_order(cursor)

    def _show_order(self, cursor: int) -> None:
        """Fill the table with kept, dropped or all candidates."""
        if self._all is None or self.sides is None:
            return
        (a, b), kept = self.sides, self._all.kept
        verdict = self.shown != "kept"
        self.table.retitle(pair_columns(a.alias, b.alias, self.sort, ascending=self.ascending, verdict=verdict))
        wanted = {"kept": kept, "dropped": ~kept, "all": kept | True}[self.shown]
        self.order = self._all.where(wanted)
        self.table.reset(len(self.order), cursor=cursor, message=self._nothing())
        if not len(self.order):
            self._preview(None)

    def _nothing(self) -> str:
        """Why the list is empty and what to do."""
        scans = self.browser.scans
        if self.sides is None:
            names = f"{scans[0].alias} {scans[1].alias}" if len(scans) > 1 else "A B"
            return f"no pairs in this atlas – run: featlas correlate {names}"
        if self.text:
            return f"no pair holds {clean(self.text)!r} in its top tokens – esc clears the filter"
        if self.shown == "kept":
            return "no pair passes the filters – d shows the dropped ones"
        return f"no pair is {self.shown} – d shows others"

    def window_question(self, start: int, stop: int) -> Callable[[Atlas], list[PairRow]] | None:
        """How to read some rows."""
        order, sides = self.order, self.sides
        if order is None or sides is None:
            return None
        return lambda atlas: browse.pair_window(atlas, *sides, order, start, stop)

    def cells(self, row: PairRow) -> tuple[str, ...]:
        """One line of the table."""
        return pair_cells(row)

    # the pair under the cursor ------------------------------------------------------------------------------------

    def read_under_cursor(self) -> None:
        """Ask for both features with one context each."""
        key = self.key_at(self.table.cursor)
        if key is not None and self.browser.is_front(self):
            self.read(lambda atlas: browse.pair_detail(atlas, *key, n_contexts=1), self._preview, group="preview")

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
        self.browser.open_pair(self.key_at, message.row, self.table.n_rows)

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
        """The next stored comparison."""
        if self._pairing is not None and self._choose(self.browser.pairings.index(self._pairing) + 1):
            self.read_order(0)

    # bars -------------------------------------------------------------------------------------------------------

    def crumbs(self) -> list[str]:
        """The two SAEs."""
        if self.sides is None:
            return ["pairs"]
        a, b = self.sides
        return ["pairs", f"{a.sae} ↔ {b.sae}"]

    def corner(self) -> Line:
        """Which comparison of how many."""
        if self._pairing is None:
            return []
        many = self.browser.pairings
        return [Span(f"{many.index(self._pairing) + 1} of {len(many)}  ", tone="dim")] if self._pairing in many else []

    def status(self) -> tuple[Line, Line]:
        """Chance level and sample to the left; how many, which order and which row to the right."""
        pairing = self._pairing
        if pairing is None or self._all is None:
            return [], []
        left = [Span(f" filter: {clean(self.text)}", tone="accent")] if self.text else _sample(pairing)
        total = count(len(self._all))
        shown = f"{total} candidates" if self.shown == "all" else f"{count(self.table.n_rows)} of {total} {self.shown}"
        row = f" · row {count(self.table.cursor + 1)}" if self.table.n_rows else ""
        return left, [Span(f"{shown} · {self.sort} {'↑' if self.ascending else '↓'}{row} ")]


def _sample(pairing: Pairing) -> Line:
    """What the values were measured on, and what they would be by chance."""
    best, chance = (correlation(value, digits=3) for value in (pairing.median_best, pairing.chance))
    judged = f"median best {best}, by chance {chance}"
    return [Span(f" {judged} · {count(pairing.n_tokens)} tokens of {clean(pairing.corpus)}", tone="dim")]
