"""Which features of two SAEs belong together, and why were the other candidates dropped?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.app import ComposeResult

from atlas.choices import PAIR_SORTS, options_of, typed
from atlas.errors import AtlasError
from atlas.filters.pair_filter import PAIR_FILTER
from atlas.queries.browse_pair import pair_detail
from atlas.queries.browse_records import PairDetail, Pairing, PairRow, Scan
from atlas.references import FeatureRef, PairRef
from atlas.render.columns import Column, pair_columns
from atlas.render.feature import preview_line
from atlas.render.numbers import count, value_of
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.kit.browser import PairAt, PairKey
from tui.kit.store import Question
from tui.views.base.listview import ListView
from tui.views.base.view import following
from tui.widgets.lines import Bar
from tui.widgets.typed import FilterBox
from tui.widgets.vtable import VTable

if TYPE_CHECKING:
    from atlas.db import Atlas
    from atlas.filters.subset import Subset
    from atlas.queries.pairs import PairOrder

SHOWN = ("kept", "dropped", "all")

ROOMY = 140
"""Cells from which the status line has room for the sample and the reasons."""

RULES = ("best", "mutual", "one-to-one", "singletons", "assignment", "greedy")
"""Rules that `r` goes through."""


class Found(NamedTuple):
    """What was found."""

    subset: Subset | None
    words: str
    """Looked for in the tokens."""
    order: PairOrder | None
    problem: str
    """Why there is nothing; empty if there is."""


def read_pairs(
    atlas: Atlas, *, saes: tuple[Scan, Scan], rule: str, measure: str, line: str, sort: str, ascending: bool
) -> Found:
    """The pairs that a filter line selects, with the verdict on each; or why there are none."""
    from atlas.filters.pair_filter import parse_pair_filter
    from atlas.filters.subset import Subset
    from atlas.queries.pairs import pair_order

    try:
        subset, words = parse_pair_filter(line, Subset(match=rule, measure=measure))
        found = pair_order(atlas, *saes, subset, text=words, sort=sort, ascending=ascending)
    except AtlasError as error:
        said = "\n".join(line for line in (error.what, error.why, error.hint) if line)
        for scan in sorted(saes, key=lambda scan: -len(scan.sae)):
            said = said.replace(scan.sae, scan.alias)
        return Found(None, "", None, said)
    return Found(subset, words, found, "")


class PairsView(ListView, keys="pairs"):
    """Partners of two SAEs with the verdict of the filters; two lines below compare the contexts."""

    SORTS = PAIR_SORTS

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.shown, self.rule, self.measure = "kept", "best", "activation"
        self.saes: tuple[Scan, Scan] | None = None
        self.order: PairOrder | None = None
        self._all: PairOrder | None = None
        self._subset: Subset | None = None
        self._reasons: list[tuple[str, int]] = []
        self._problem = self._words = ""

    def compose(self) -> ComposeResult:
        """The table, and a line for each SAE."""
        yield VTable(self.titled(), id="pair-list")
        yield Bar(id="preview-a")
        yield Bar(id="preview-b")
        yield FilterBox(id="pair-filter", placeholder=PAIR_FILTER)

    def enter(self) -> None:
        self.table.focus()
        if self._all is None:
            self.reload()

    def reload(self) -> None:
        """Read the list again and stay on the row."""
        self.saes = self._now(self.saes)
        if self.saes is None and not self._choose_next():
            self.table.reset(0, message=self._nothing())
        elif self.browser.is_front(self):
            self.read_order(self.table.cursor)

    def _now(self, saes: tuple[Scan, Scan] | None) -> tuple[Scan, Scan] | None:
        """Both scans as they are now; None if one is gone."""
        a, b = (self.catalogue.now(scan) for scan in saes) if saes else (None, None)
        return (a, b) if a and b else None

    def _choose_next(self) -> bool:
        """Take the SAEs of the stored comparison after the one that is shown; false if there is none."""
        compared = self.catalogue.compared()
        if compared:
            self.saes = following(compared, self.saes)
            if self.measure not in self._measures():
                self.measure = self._measures()[0]
        return bool(compared)

    def _pairings(self) -> list[Pairing]:
        return self.catalogue.pairings_between(*self.saes) if self.saes else []

    def _measures(self) -> list[str]:
        return [p.measure for p in self._pairings()]

    @property
    def _pairing(self) -> Pairing | None:
        return next((p for p in self._pairings() if p.measure == self.measure), None)

    def show_saes(self, a: Scan, b: Scan) -> None:
        self.saes = (a, b)
        self.clear_filter()
        self.read_order(0)

    def read_order(self, cursor: int) -> None:
        """Ask for the candidates with their verdict."""
        if self.saes is None:
            return
        question = partial(read_pairs, saes=self.saes, rule=self.rule, measure=self.measure, line=self.text)
        question = partial(question, sort=self.sort, ascending=self.ascending)
        self.read(question, partial(self._take, cursor), group="order")

    def _take(self, cursor: int, found: Found) -> None:
        self._subset, self._words, self._all, self._problem = found
        self._reasons = self._all.reasons() if self._all else []
        self._show_order(cursor)

    def _show_order(self, cursor: int) -> None:
        if self.saes is None:
            return
        self.order = self._all and self._all.those(self.shown)
        n_rows = len(self.order) if self.order is not None else 0
        self.fill(n_rows, cursor, self._nothing())

    def emptied(self) -> None:
        self._preview(None)

    def columns(self) -> Sequence[Column]:
        a, b = (scan.alias for scan in self.saes) if self.saes else ("A", "B")
        return pair_columns(a, b, self.measure, verdict=self.shown != "kept")

    def _nothing(self) -> str:
        scans = self.catalogue.scans
        if self._problem:
            return self._problem
        if self.saes is None:
            names = f"{scans[0].alias} {scans[1].alias}" if len(scans) > 1 else "A B"
            return f"no pairs in this atlas – run: featlas correlate {names}"
        if self.text and not (self._all and len(self._all)):
            return self.no_hit("pair", " in its top tokens")
        if self.shown == "kept":
            return "no pair passes the filters – d shows the dropped ones"
        return f"no pair is {self.shown} – d shows others"

    def window_question(self, start: int, stop: int) -> Question[list[PairRow]] | None:
        """How to read some rows."""
        order, saes, subset = self.order, self.saes, self._subset
        if order is None or saes is None or subset is None:
            return None
        return partial(_read_window, *saes, subset, order, start, stop)

    def read_under_cursor(self) -> None:
        key = self.key_at(self.table.cursor)
        if key is not None and self.browser.is_front(self):
            self.read(lambda atlas: pair_detail(atlas, *key, n_contexts=1), self._preview, group="preview")

    def _preview(self, detail: PairDetail | None) -> None:
        for name, one in (("#preview-a", detail and detail.a), ("#preview-b", detail and detail.b)):
            line = preview_line(one, self.size.width, brackets=self.browser.styler.brackets) if one else []
            self.query_one(name, Bar).show(line)

    def key_at(self, row: int) -> PairKey | None:
        return self.keys()(row)

    def keys(self) -> PairAt:
        """The pairs of the rows as they are now, also after the list has changed."""
        order, saes = self.order, self.saes

        def key_at(row: int) -> PairKey | None:
            if order is None or saes is None or not 0 <= row < len(order):
                return None
            return saes[0], int(order.features_a[row]), saes[1], int(order.features_b[row])

        return key_at

    def reference(self) -> str | None:
        """The pair under the cursor."""
        key = self.key_at(self.table.cursor)
        if key is None:
            return None
        return str(PairRef(FeatureRef(key[0].sae, key[1]), FeatureRef(key[2].sae, key[3])))

    def place(self) -> tuple[Any, ...]:
        return self.saes, self.measure, self.rule, self.text, self.sort, self.ascending, self.shown

    def return_to(self, place: tuple[Any, ...]) -> None:
        """Show the same list again."""
        place = (self._now(place[0]), *place[1:])
        if place != self.place() and place[0] is not None:
            self.saes, self.measure, self.rule, self.text, self.sort, self.ascending, self.shown = place
            self.box.value = self.text
            self.read_order(0)

    def command(self) -> list[str] | None:
        """`featlas pairs` with the same rule and thresholds; it has one order, no text, and not kept beside dropped."""
        one_order = self.sort == self.SORTS[0] and not self.ascending
        if self.saes is None or self._subset is None or self._words or self.shown == "all" or not one_order:
            return None
        return [*command_of(*self.saes, self._subset), *(["--dropped"] if self.shown == "dropped" else [])]

    def refusal(self) -> str:
        lists = "featlas pairs lists kept or dropped pairs by value, without words to look for"
        return f"{lists} – s and esc go back to that"

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        self.browser.ways.open_pair(self.keys(), message.row, self.table.n_rows, measure=self.measure)

    def action_show_next(self) -> None:
        self.shown = following(SHOWN, self.shown)
        self._show_order(0)

    def action_swap(self) -> None:
        if self.saes is not None:
            self.saes = (self.saes[1], self.saes[0])
            self.read_order(0)

    def action_next_pairing(self) -> None:
        if self.saes is not None and self._choose_next():
            self.read_order(0)

    def action_next_measure(self) -> None:
        """The next stored measure of these two."""
        measures = self._measures()
        if measures:
            self.measure = following(measures, self.measure)
            self.read_order(0)

    def action_next_rule(self) -> None:
        self.rule = following(RULES, self.rule)
        self.read_order(0)

    def crumbs(self) -> list[str]:
        """The two SAEs."""
        if self.saes is None:
            return ["pairs"]
        a, b = self.saes
        return ["pairs", f"{a.sae} ↔ {b.sae}"]

    def corner(self) -> Line:
        """Measure and rule, and which comparison of how many."""
        if self.saes is None:
            return []
        compared = self.catalogue.compared()
        line: Line = [
            Span(f"{self._subset.match if self._subset else self.rule} by {clean(self.measure)}  ", tone="strong")
        ]
        if self.saes in compared:
            line.append(Span(f"{compared.index(self.saes) + 1} of {len(compared)}  ", tone="dim"))
        return line

    def status(self) -> tuple[Line, Line]:
        """Chance level and sample, or the reasons, to the left; how many, which order and which row to the right."""
        if self._all is None or self.saes is None:
            return [], []
        reasons = f" dropped: {' · '.join(f'{count(n)} {name}' for name, n in self._reasons) or 'none'}"
        left: Line = []
        if self.shown != "kept":
            left = [Span(reasons)]
        elif self._pairing:
            roomy = self.size.width >= ROOMY
            left = [*_sample(self._pairing, self.saes[0]), *([Span(f" ·{reasons}")] if roomy else [])]
        total = count(len(self._all))
        shown = f"{total} candidates" if self.shown == "all" else f"{count(self.table.n_rows)} of {total} {self.shown}"
        return self.listed(left, shown, rising=self.ascending)


def _read_window(
    a: Scan, b: Scan, subset: Subset, order: PairOrder, start: int, stop: int, atlas: Atlas
) -> list[PairRow]:
    """Runs in the worker thread; what it loads the first paint need not wait for."""
    from atlas.queries.pairs import pair_window

    return pair_window(atlas, a, b, subset, order, start, stop)


def command_of(a: Scan, b: Scan, subset: Subset) -> list[str]:
    """The words after `featlas` that list the same pairs."""
    chosen = typed(options_of(type(subset)), asdict(subset), always=("match", "measure"))
    return ["pairs", a.alias, b.alias, "--corpus", a.corpus, *chosen]


def _sample(pairing: Pairing, choosing: Scan) -> Line:
    best, chance = pairing.judged_from(choosing.sae)
    judged = f"median best {value_of(best)}, by chance {value_of(chance)}"
    return [Span(f" {judged} · {count(pairing.n_tokens)} tokens of {clean(pairing.corpus)}", tone="dim")]
