"""Reading the pairs of two SAEs: which, in which order, in windows, and the two features under the cursor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from atlas.choices import PAIR_SORTS
from atlas.filters.pair_filter import PAIR_FILTER
from atlas.queries.browse_pair import pair_detail
from atlas.queries.browse_records import PairDetail, Pairing, PairRow, Scan
from atlas.references import FeatureRef, PairRef
from atlas.render.feature import preview_line
from atlas.render.text import clean
from tui.views.base.listview import ListView
from tui.views.base.pairs_reading import Asked, Found, compared_scans, pairings_between, read_pairs, read_window
from tui.widgets.columns import SORTED_PAIRS, pair_cells, pair_columns
from tui.widgets.filterbox import FilterBox
from tui.widgets.lines import Bar
from tui.widgets.vtable import VTable

if TYPE_CHECKING:
    from atlas.db import Atlas
    from atlas.filters.subset import Subset
    from atlas.queries.pairs import PairOrder

SHOWN = ("kept", "dropped", "all")


class PairList(ListView):
    """Partners of two SAEs with the verdict of the filters; two lines below compare the contexts."""

    SORTS = PAIR_SORTS
    SORTED = SORTED_PAIRS

    def __init__(self, *, id: str) -> None:
        """The first comparison, kept pairs, best first."""
        super().__init__(id=id)
        self.shown, self.rule, self.measure = "kept", "best", "activation"
        self.sides: tuple[Scan, Scan] | None = None
        self.order: PairOrder | None = None
        self._all: PairOrder | None = None
        self._subset: Subset | None = None
        self._reasons: list[tuple[str, int]] = []
        self._problem = self._words = ""

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
        self.sides = self._now(self.sides)
        if self.sides is None and not self._choose(0):
            self.table.reset(0, message=self._nothing())
        elif self.browser.is_front(self):
            self.read_order(self.table.cursor)

    def _now(self, sides: tuple[Scan, Scan] | None) -> tuple[Scan, Scan] | None:
        """Both scans as they are now; None if one is gone."""
        a, b = (self.browser.now(side) for side in sides) if sides else (None, None)
        return (a, b) if a and b else None

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

    def _take(self, cursor: int, found: Found) -> None:
        """Hold all candidates; show those that are wanted."""
        self._subset, self._words, self._all, self._problem = found
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
        return self.keys()(row)

    def keys(self) -> Callable[[int], tuple[Scan, int, Scan, int] | None]:
        """The pairs of the rows as they are now, whatever is listed later."""
        order, sides = self.order, self.sides

        def key_at(row: int) -> tuple[Scan, int, Scan, int] | None:
            if order is None or sides is None or not 0 <= row < len(order):
                return None
            return sides[0], int(order.features_a[row]), sides[1], int(order.features_b[row])

        return key_at

    def reference(self) -> str | None:
        """The pair under the cursor."""
        key = self.key_at(self.table.cursor)
        if key is None:
            return None
        return str(PairRef(FeatureRef(key[0].sae, key[1]), FeatureRef(key[2].sae, key[3])))
