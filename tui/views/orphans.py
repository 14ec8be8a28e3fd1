"""Which features of one SAE have no counterpart in another, or in none of the others?"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from atlas.errors import AtlasError
from atlas.queries import browse
from atlas.queries import orphans as orphanlist
from atlas.queries.browse_records import FeatureDetail, Scan
from atlas.queries.orphans import OrphanOrder, OrphanRow, Orphans
from atlas.references import FeatureRef
from atlas.render.feature import Look, feature_lines
from atlas.render.numbers import correlation, count, share, strength
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.lazylist import LazyList
from tui.widgets.columns import words
from tui.widgets.vtable import Column

if TYPE_CHECKING:
    from atlas.db import Atlas

THRESHOLDS = (0.7, 0.9, 0.3, 0.5)
_SORTED = {"feature": 0, "fires": 2, "value": 5}


class OrphansView(LazyList):
    """Features without a counterpart; the pane shows the one under the cursor."""

    NAME = "orphans"
    SORTS = orphanlist.ORPHAN_SORTS
    SORTED = _SORTED
    HINTS: ClassVar = (
        ("⏎", "open"),
        ("a", "SAEs"),
        ("x", "swap"),
        ("u", "all others"),
        ("t", "threshold"),
        ("r", "rule"),
        ("/", "filter"),
        ("s", "sort"),
        ("y", "copy"),
        ("b", "browse"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "next_pairing", "next comparison", id="orphans.next"),
        Binding("x", "swap", "features of the other SAE", id="orphans.swap"),
        Binding("u", "others", "without a counterpart in this SAE, or in all it was compared with", id="orphans.all"),
        Binding("t", "threshold", "least value of a counterpart: .7, .9, .3, .5", id="orphans.threshold"),
        Binding("r", "rule", "what makes a counterpart", id="orphans.rule"),
        Binding("b", "browse", "browse them in the feature table", id="orphans.browse"),
    ]

    def __init__(self, *, id: str) -> None:
        """The first comparison by the top-1 rule."""
        super().__init__(id=id)
        self.asked: Orphans | None = None
        self.order: OrphanOrder | None = None
        self._place, self._swapped = 0, False
        self._beside: Scan | None = None

    def columns(self) -> list[Column]:
        """The columns; the one that sorts has an arrow."""
        columns = [
            Column("feat", 6, right=True),
            Column("density", 8, right=True),
            Column("fires", 8, right=True, spare=3),
            Column("max", 6, right=True, spare=4),
            Column("best", 7, right=True, spare=1),
            Column("value", 6, right=True),
            Column("because", 19, grow=2, spare=2),
            Column("tokens", 10, grow=1),
            Column("label", 6, grow=1),
        ]
        place, up = _SORTED[self.sort], self.ascending != (self.sort == "feature")
        columns[place] = replace(columns[place], title=columns[place].title + ("▲" if up else "▼"))
        return columns

    # the order ----------------------------------------------------------------------------------------------------

    def _choose(self) -> None:
        """Take the sides of a stored comparison; rule, threshold and mode stay."""
        known = [p for p in self.browser.pairings if p.is_bounded and p.sae_a != p.sae_b]
        if not known:
            self.asked = None
            return
        pairing = known[self._place % len(known)]
        sides = [self.browser.scan_of(sae, pairing.corpus_of(sae)) for sae in (pairing.sae_a, pairing.sae_b)]
        scan, other = reversed(sides) if self._swapped else sides
        before = self.asked
        if scan is not None and other is not None:
            alone = before is not None and before.other is None
            self._beside = other
            self.asked = Orphans(
                scan,
                None if alone else other,
                pairing.measure,
                before.rule if before else "top-1",
                before.threshold if before else THRESHOLDS[0],
            )

    def _now(self) -> Orphans | None:
        """What is asked for, of the scans as they are now; None if one is gone."""
        asked = self.asked
        scan = asked and self.browser.now(asked.scan)
        other = asked and asked.other and self.browser.now(asked.other)
        if asked is None or scan is None or (asked.other and other is None):
            return None
        self._beside = self._beside and self.browser.now(self._beside)
        return replace(asked, scan=scan, other=other)

    def read_order(self, cursor: int) -> None:
        """Ask for the ids in order."""
        self.asked = self._now()
        if self.asked is None:
            self._choose()
        if self.asked is None:
            self.table.reset(0, message=self._nothing())
            self._show(None)
            return
        question = partial(self._ask, self.asked, self.text, self.sort, self.ascending)
        self.read(question, partial(self._take, self.asked, cursor), group="order")

    @staticmethod
    def _ask(asked: Orphans, text: str, sort: str, ascending: bool, atlas: Atlas) -> OrphanOrder | AtlasError:
        """Runs in the worker thread; what is not stored is an answer too."""
        try:
            return orphanlist.orphan_order(atlas, asked, text=text, sort=sort, ascending=ascending)
        except AtlasError as error:
            return error

    def _take(self, asked: Orphans, cursor: int, found: OrphanOrder | AtlasError) -> None:
        """Fill the table."""
        self.order = found if isinstance(found, OrphanOrder) else None
        self.table.retitle(self.columns())
        trouble = found.what if isinstance(found, AtlasError) else self._nothing()
        self.table.reset(len(self.order) if self.order else 0, cursor=cursor, message=clean(trouble))
        if not self.order:
            self._show(None)
        if isinstance(found, AtlasError):
            hint: Line = [
                Span(" try: ", tone="dim"),
                Span(clean(found.hint or shlex.join(["featlas", *asked.command]))),
            ]
            self.pane.show(lambda _: [hint])

    def _nothing(self) -> str:
        """Why the list is empty and what to do."""
        if self.asked is None:
            return "no SAEs were compared in this atlas – run: featlas correlate A B"
        if self.text:
            return f"no orphan holds {clean(self.text)!r} – esc clears the filter"
        return f"every feature has a counterpart of {self.asked.threshold:g} or more – t asks for more"

    def window_question(self, start: int, stop: int) -> Callable[[Atlas], list[OrphanRow]] | None:
        """How to read some rows."""
        asked, order = self.asked, self.order
        if asked is None or order is None:
            return None
        return lambda atlas: orphanlist.orphan_window(atlas, asked, order, start, stop)

    def cells(self, row: OrphanRow) -> tuple[str, ...]:
        """One line of the table."""
        other = self.asked.other.alias if self.asked and self.asked.other else ""
        return (
            str(row.feature_id),
            share(row.density),
            count(row.n_fired),
            strength(row.max),
            "·" if row.partner is None else f"{other}:{row.partner}",
            correlation(row.value, digits=3),
            clean(row.because),
            words(row.top_tokens),
            clean(row.label or ""),
        )

    # the feature under the cursor ---------------------------------------------------------------------------------

    def at_cursor(self) -> tuple[Scan, int] | None:
        """Scan and number of the feature under the cursor."""
        if self.asked is None or self.order is None or self.table.cursor >= len(self.order):
            return None
        return self.asked.scan, int(self.order.features[self.table.cursor])

    def read_under_cursor(self) -> None:
        """Ask for everything about the feature under the cursor."""
        at = self.at_cursor()
        if at is not None and self.browser.is_front(self):
            self.read(lambda atlas: browse.feature_detail(atlas, *at), self._show, group="detail")

    def _show(self, detail: FeatureDetail | None) -> None:
        """Fill the pane."""
        brackets = self.browser.styler.brackets
        self.pane.show(lambda size: feature_lines(detail, size.width, Look(brackets=brackets)) if detail else [])

    def choose(self, row: int) -> None:
        """Open the feature."""
        at = self.at_cursor()
        if at is not None:
            self.browser.browse_scan(at[0], feature_id=at[1])
            self.browser.go("feature")

    # keys ---------------------------------------------------------------------------------------------------------

    def _change(self, asked: Orphans | None) -> None:
        """Ask for another list."""
        if asked is not None:
            self.asked = asked
            self.read_order(0)

    def action_next_pairing(self) -> None:
        """The next stored comparison."""
        self._place += 1
        self._choose()
        self._change(self.asked)

    def action_swap(self) -> None:
        """Features of the other SAE."""
        self._swapped = not self._swapped
        self._choose()
        self._change(self.asked)

    def action_others(self) -> None:
        """Against one SAE, or against all that it was compared with."""
        if self.asked is not None:
            self._change(replace(self.asked, other=self._beside if self.asked.other is None else None))

    def action_threshold(self) -> None:
        """Another least value."""
        if self.asked is not None:
            place = THRESHOLDS.index(self.asked.threshold)
            self._change(replace(self.asked, threshold=THRESHOLDS[(place + 1) % len(THRESHOLDS)]))

    def action_rule(self) -> None:
        """Another rule."""
        if self.asked is not None and self.asked.other is not None:
            rules = orphanlist.ORPHAN_RULES
            rule = rules[(rules.index(self.asked.rule) + 1) % len(rules)]
            self._change(replace(self.asked, rule=rule))

    def action_browse(self) -> None:
        """The list in the feature table."""
        if self.asked is not None and self.order:
            scan, other = self.asked.scan, self.asked.other
            keys = [(scan.scan_id, feature) for feature in self.order.features.tolist()]
            self.browser.browse_features(keys, f"{scan.alias} without {other.alias if other else 'counterpart'}")

    # bars ---------------------------------------------------------------------------------------------------------

    def command(self) -> list[str] | None:
        """The command that prints the list; it has one order and no filter."""
        as_printed = self.sort == self.SORTS[0] and not self.ascending and not self.text
        return list(self.asked.command) if self.asked is not None and as_printed else None

    def refusal(self) -> str:
        """What the command does not do."""
        return "featlas orphans lists all by how often they fire – s and esc go back to that; b browses these"

    def reference(self) -> str | None:
        """Reference of the feature under the cursor."""
        at = self.at_cursor()
        return str(FeatureRef(at[0].sae, at[1])) if at else None

    def crumbs(self) -> list[str]:
        """The two SAEs."""
        if self.asked is None:
            return ["orphans"]
        return ["orphans", f"{self.asked.scan.sae} not in {self.asked.other.sae if self.asked.other else 'any other'}"]

    def status(self) -> tuple[Line, Line]:
        """Rule and threshold to the left; how many of how many, and which row to the right."""
        asked = self.asked
        if asked is None:
            return [], []
        rule = f" {asked.how} · {clean(asked.scan.corpus)}"
        left = Span(f" filter: {clean(self.text)}", tone="accent") if self.text else Span(rule, tone="dim")
        row = f" · row {count(self.table.cursor + 1)}" if self.table.n_rows else ""
        many = f"{count(self.table.n_rows)} of {count(asked.scan.d_sae)}"
        return [left], [
            Span(f"{many} · {self.sort} {'↑' if self.ascending != (self.sort == 'feature') else '↓'}{row} ")
        ]
