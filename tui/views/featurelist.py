"""The list behind the feature table: its scope, its filter, its order, and the way back to where it stood."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from atlas.errors import UsageError
from atlas.filters.compile import Names, compile_filter
from atlas.filters.fields import SORTABLE
from atlas.filters.parser import parse_filter, without_sort
from atlas.filters.terms import Sort
from atlas.queries import browse, filtered
from atlas.queries.browse_records import FeatureRow, Scan
from atlas.references import FeatureRef
from atlas.render.columns import FEATURES, Column, with_arrow
from atlas.render.text import clean
from tui.kit.store import Question
from tui.views.base.listview import ListView
from tui.widgets.vtable import WINDOW

if TYPE_CHECKING:
    from atlas.db import Atlas

FIRST = 256
"""Rows of a long table that are ordered first, so that something shows at once."""

LONG = 200_000
"""Features from which an order is read in two steps."""


class Handed(NamedTuple):
    """A list that another view has made."""

    order: filtered.FeatureOrder
    about: str
    """What it holds, for the title."""
    scans: list[Scan]
    """Those whose numbers are in the order: a scan that is measured again gets another one."""


class BrowsePlace(NamedTuple):
    """State of the feature table."""

    scope: Scan | None
    """The one scan that is shown; None for all."""
    line: str
    """The filter."""
    sort: str
    """The order that the keys chose."""
    reverse: bool
    """It was turned round."""
    feature: tuple[int, int] | None
    """Scan and number of the feature under the cursor."""


class Read(NamedTuple):
    """A list with the rows around the cursor: each query more is a repaint more."""

    order: filtered.FeatureOrder
    window: int
    """Number of the window that the cursor is in."""
    rows: list[FeatureRow]


class FeatureList(ListView):
    """Features of one scan or of all, filtered and in order."""

    SORTS = filtered.SORTS

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.scope: Scan | None = None
        self.order: filtered.FeatureOrder | None = None
        self._wanted: tuple[int, int] | None = None
        self._list: Handed | None = None
        self._took = 0.0
        self._applied = ""

    def sorts(self) -> tuple[str, ...]:
        return tuple(SORTABLE)

    def reload(self) -> None:
        """Read again and stay on the row; scans that were measured again are still the ones that are shown."""
        self.scope = self.scope and self.catalogue.now(self.scope)
        handed = self._list
        now = self.catalogue.now
        order = handed and handed.order.renumbered({s.scan_id: new.scan_id for s in handed.scans if (new := now(s))})
        if handed and order:
            self.show_list(order, handed.about, cursor=self.table.cursor)
        else:
            self.read_order(self.table.cursor)

    def show_scan(
        self,
        scan: Scan | None,
        *,
        feature_id: int | None = None,
        line: str = "",
        wanted: tuple[int, int] | None = None,
    ) -> None:
        """Show the features of one scan, or of all.

        Args:
            scan: The scan; None for all.
            feature_id: Where the cursor goes in that scan.
            line: The filter.
            wanted: Scan and number of the feature where the cursor goes, if `feature_id` is None.
        """
        self.scope = scan
        self._wanted = (scan.scan_id, feature_id) if scan and feature_id is not None else wanted
        self.box.value = self.text = line
        self.read_order(0)

    def show_list(self, order: filtered.FeatureOrder, about: str, *, cursor: int = 0) -> None:
        """Show a list of features as it is, until esc, a filter, another order or another SAE."""
        self.drop("order")
        self.scope, self._wanted = None, None
        self.clear_filter()
        self._show_order(order, cursor, time.perf_counter())
        self._list = Handed(order, about, self.catalogue.scans)

    def retreat(self) -> bool:
        """Esc leaves a list that another view has made, after what a filter has to undo."""
        if self._list is None or self.text or self.box.has_focus:
            return super().retreat()
        self.read_order(0)
        return True

    def read_order(self, cursor: int) -> None:
        """Ask for the ids in order: of a long table the first rows, then all."""
        scope = [self.scope.scan_id] if self.scope else []
        known = sum(scan.d_sae for scan in self.catalogue.scans if not scope or scan.scan_id in scope)
        self.table.retitle(self.titled())
        order = partial(filtered.feature_order, scan_ids=scope, line=self.text, sort=self.sorting)
        order = partial(order, marks=frozenset(self.browser.marks), listed=self.browser.listed)
        started, wanted = time.perf_counter(), self._wanted

        def read(atlas: Atlas, most: int = filtered.ALL) -> Read:
            found = order(atlas, most=most)
            row = found.row_of(*wanted) if wanted else None
            window = max(0, min(cursor if row is None else row, len(found) - 1)) // WINDOW
            return Read(found, window, browse.feature_window(atlas, found, window * WINDOW, (window + 1) * WINDOW))

        def head(found: Read) -> None:
            self._show_read(found, cursor, started)
            if len(found.order) == FIRST:
                self.read(order, self._grow, group="order")

        if known > LONG and cursor < FIRST and wanted is None:
            self.read(partial(read, most=FIRST), head, group="order")
        else:
            self.read(read, lambda found: self._show_read(found, cursor, started), group="order")

    @property
    def sorting(self) -> Sort:
        """The order that is shown: the filter's own, else the one that the keys chose."""
        return parse_filter(self.text).sort or filtered.natural(self.sort, reverse=self.ascending)

    @property
    def sorted_by(self) -> str:
        return self.sorting.field

    def trouble_with(self, text: str) -> str:
        """Why a filter cannot be read, or what it names that is not here."""
        try:
            compile_filter(parse_filter(text), self._names(), sort=self.sorting)
        except UsageError as error:
            return error.what
        return ""

    def _names(self) -> Names:
        scans = self.catalogue.scans
        return Names(
            saes=self.catalogue.names,
            models=list(dict.fromkeys(scan.model for scan in scans)),
            corpora=list(dict.fromkeys(scan.corpus for scan in scans)),
            marks=frozenset(self.browser.marks),
            listed=self.browser.listed,
        )

    def sql(self) -> str | None:
        """The query of the list, with its values in it; a list that another view has made has none."""
        if self._list is not None:
            return None
        query = compile_filter(parse_filter(self.text), self._names(), sort=self.sorting, places=True)
        return query.written_out([self.scope.scan_id] if self.scope else [])

    def _show_read(self, found: Read, cursor: int, started: float) -> None:
        self._show_order(found.order, cursor, started)
        self.table.deliver(self.table.generation, found.window, found.rows)

    def _grow(self, order: filtered.FeatureOrder) -> None:
        self.order = order
        self.table.grow(len(order))

    def _show_order(self, order: filtered.FeatureOrder, cursor: int, started: float) -> None:
        self._list, self._applied = None, self.text
        self.order, self._took = order, time.perf_counter() - started
        if self._wanted is not None and (row := order.row_of(*self._wanted)) is not None:
            cursor = row
        self._wanted = None
        self.fill(len(order), cursor, self._nothing())

    def failed(self, group: str) -> None:
        super().failed(group)
        if group == "order":
            self.text = self._applied

    def _nothing(self) -> str:
        if self.text:
            return f"no feature matches {clean(self.text)} – esc clears the filter"
        return self.catalogue.nothing_here()

    def window_question(self, start: int, stop: int) -> Question[list[FeatureRow]] | None:
        order = self.order
        return None if order is None else lambda atlas: browse.feature_window(atlas, order, start, stop)

    def use_sort_named(self, sort: str, *, descending: bool) -> None:
        """An order by name and direction; one in the filter gives way."""
        if parse_filter(self.text).sort:
            self.box.value = self.text = without_sort(self.text)
        self.use_sort(sort, reverse=filtered.natural(sort).descending != descending)

    def columns(self) -> Sequence[Column]:
        """The columns, a star at what is marked; the one that sorts is always shown."""
        first = replace(FEATURES[0], cell=self._alias)
        sort = self.sorted_by
        return [replace(one, spare=0) if one.sort == sort else one for one in (first, *FEATURES[1:])]

    def titled(self) -> Sequence[Column]:
        return with_arrow(self.columns(), self.sorted_by, up=not self.sorting.descending)

    def _alias(self, row: FeatureRow) -> str:
        scan = self.catalogue.numbered(row.scan_id)
        marked = scan is not None and (scan.sae, row.feature_id) in self.browser.marks
        return f"{row.alias}*" if marked else row.alias

    def at_cursor(self) -> tuple[Scan, int] | None:
        """Scan and number of the feature under the cursor."""
        row, order = self.table.cursor, self.order
        if order is None or row >= len(order):
            return None
        scan = self.catalogue.numbered(int(order.scan_ids[row]))
        return (scan, int(order.feature_ids[row])) if scan else None

    def reference(self) -> str | None:
        at = self.at_cursor()
        return str(FeatureRef(at[0].sae, at[1])) if at else None

    def command(self) -> list[str] | None:
        """`featlas ls features` with the same scope, filter and order.

        Raises:
            UsageError: The filter names what only the browser knows.
        """
        if self._list is not None:
            return None
        marks = self._names().marks if self.browser.remembers else None
        parsed, known = parse_filter(self.text), replace(self._names(), listed=None, marks=marks)
        compile_filter(parsed, known, sort=self.sorting)
        line = self.text if parsed.sort else f"{self.text} sort:{self.sorting}".strip()
        scope = self.scope
        if scope and any(scan.sae == scope.sae and scan.corpus != scope.corpus for scan in self.catalogue.scans):
            corpus = scope.corpus.replace("\\", r"\\").replace('"', r"\"")
            some = without_sort(self.text)
            line = " ".join([f'corpus:"{corpus}"', *([f"({some})"] if some else []), f"sort:{self.sorting}"])
        return ["ls", "features", *([scope.alias] if scope else []), "--filter", line]

    def refusal(self) -> str:
        return "no command lists what another view has made – export it there"

    def place(self) -> BrowsePlace:
        at = self.at_cursor()
        wanted = self._wanted or ((at[0].scan_id, at[1]) if at else None)
        return BrowsePlace(self.scope, self.text, self.sort, self.ascending, wanted)

    def return_to(self, place: BrowsePlace) -> None:
        """Show the same list, with the cursor on the same feature."""
        place = place._replace(scope=place.scope and self.catalogue.now(place.scope))
        changed = place[:4] != self.place()[:4]
        self.scope, self.text, self.sort, self.ascending, self._wanted = place
        self.box.value = self.text
        row = self.order.row_of(*place.feature) if self.order and place.feature else None
        if changed or row is None:
            self.read_order(0)
        else:
            self._wanted = None
            self.table.go_to(row)
