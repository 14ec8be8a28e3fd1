"""Which features of one SAE have no counterpart in another, or in none of the others?"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from atlas.errors import AtlasError
from atlas.queries import browse
from atlas.queries import orphans as orphanlist
from atlas.queries.browse_records import FeatureDetail, Scan
from atlas.queries.orphans import OrphanOrder, OrphanRow, Orphans
from atlas.references import FeatureRef
from atlas.render.columns import Column, orphan_columns
from atlas.render.feature import Look, feature_lines
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.kit.store import Question
from tui.views.base.lazylist import LazyList
from tui.views.base.view import following

if TYPE_CHECKING:
    from atlas.db import Atlas

THRESHOLDS = (0.7, 0.9, 0.3, 0.5)


class OrphansView(LazyList, keys="orphans"):
    """Features without a counterpart; the pane shows the one under the cursor."""

    SORTS = orphanlist.ORPHAN_SORTS

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.asked: Orphans | None = None
        self.order: OrphanOrder | None = None
        self._place, self._swapped = 0, False
        self._beside: Scan | None = None

    def columns(self) -> Sequence[Column]:
        return orphan_columns(self.asked.other.alias if self.asked and self.asked.other else "")

    def _choose(self) -> None:
        """Take the SAEs of a stored comparison; rule, threshold and mode stay."""
        known = [p for p in self.catalogue.pairings if p.is_bounded and p.sae_a != p.sae_b]
        if not known:
            self.asked = None
            return
        pairing = known[self._place % len(known)]
        saes = [self.catalogue.scan_of(sae, pairing.corpus_of(sae)) for sae in (pairing.sae_a, pairing.sae_b)]
        scan, other = reversed(saes) if self._swapped else saes
        before = self.asked
        if scan is not None and other is not None:
            all_others = before is not None and before.other is None
            self._beside = other
            self.asked = Orphans(
                scan,
                None if all_others else other,
                pairing.measure,
                before.rule if before else "top-1",
                before.threshold if before else THRESHOLDS[0],
            )

    def _now(self) -> Orphans | None:
        """What is asked for, of the scans as they are now; None if one is gone."""
        asked = self.asked
        scan = asked and self.catalogue.now(asked.scan)
        other = asked and asked.other and self.catalogue.now(asked.other)
        if asked is None or scan is None or (asked.other and other is None):
            return None
        self._beside = self._beside and self.catalogue.now(self._beside)
        return replace(asked, scan=scan, other=other)

    def read_order(self, cursor: int) -> None:
        """Ask for the ids in order."""
        self.asked = self._now()
        if self.asked is None:
            self._choose()
        if self.asked is None:
            self.fill(0, 0, self._nothing())
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
        self.order = found if isinstance(found, OrphanOrder) else None
        trouble = found.what if isinstance(found, AtlasError) else self._nothing()
        self.fill(len(self.order) if self.order else 0, cursor, clean(trouble))
        if isinstance(found, AtlasError):
            hint = clean(found.hint or shlex.join(["featlas", *asked.command]))
            self.pane.show(lambda _: [[Span(" try: ", tone="dim"), Span(hint)]])

    def _nothing(self) -> str:
        if self.asked is None:
            return "no SAEs were compared in this atlas – run: featlas correlate A B"
        if self.text:
            return self.no_hit("orphan")
        return f"every feature has a counterpart of {self.asked.threshold:g} or more – t asks for more"

    def window_question(self, start: int, stop: int) -> Question[list[OrphanRow]] | None:
        """How to read some rows."""
        asked, order = self.asked, self.order
        if asked is None or order is None:
            return None
        return lambda atlas: orphanlist.orphan_window(atlas, asked, order, start, stop)

    def at_cursor(self) -> tuple[Scan, int] | None:
        if self.asked is None or self.order is None or self.table.cursor >= len(self.order):
            return None
        return self.asked.scan, int(self.order.features[self.table.cursor])

    def read_under_cursor(self) -> None:
        at = self.at_cursor()
        if at is not None and self.browser.is_front(self):
            self.read(lambda atlas: browse.feature_detail(atlas, *at), self.show, group="detail")

    def lines(self, detail: FeatureDetail, width: int) -> list[Line]:
        return feature_lines(detail, width, Look(brackets=self.browser.styler.brackets))

    def choose(self, row: int) -> None:
        """Open the feature."""
        at = self.at_cursor()
        if at is not None:
            self.browser.ways.browse_scan(at[0], feature_id=at[1])
            self.browser.ways.go("feature")

    def _change(self, asked: Orphans | None) -> None:
        if asked is not None:
            self.asked = asked
            self.read_order(0)

    def action_next_pairing(self) -> None:
        self._place += 1
        self._choose()
        self._change(self.asked)

    def action_swap(self) -> None:
        self._swapped = not self._swapped
        self._choose()
        self._change(self.asked)

    def action_others(self) -> None:
        if self.asked is not None:
            self._change(replace(self.asked, other=self._beside if self.asked.other is None else None))

    def action_threshold(self) -> None:
        if self.asked is not None:
            self._change(replace(self.asked, threshold=following(THRESHOLDS, self.asked.threshold)))

    def action_rule(self) -> None:
        if self.asked is not None and self.asked.other is not None:
            self._change(replace(self.asked, rule=following(orphanlist.ORPHAN_RULES, self.asked.rule)))

    def action_browse(self) -> None:
        """The list in the feature table."""
        if self.asked is not None and self.order:
            scan, other = self.asked.scan, self.asked.other
            keys = [(scan.scan_id, feature) for feature in self.order.features.tolist()]
            self.browser.ways.browse_features(keys, f"{scan.alias} without {other.alias if other else 'counterpart'}")

    def command(self) -> list[str] | None:
        """The command that prints the list; it has one order and no filter."""
        as_printed = self.sort == self.SORTS[0] and not self.ascending and not self.text
        return list(self.asked.command) if self.asked is not None and as_printed else None

    def refusal(self) -> str:
        return "featlas orphans lists all by how often they fire – s and esc go back to that; b browses these"

    def reference(self) -> str | None:
        at = self.at_cursor()
        return str(FeatureRef(at[0].sae, at[1])) if at else None

    def crumbs(self) -> list[str]:
        if self.asked is None:
            return ["orphans"]
        return ["orphans", f"{self.asked.scan.sae} not in {self.asked.other.sae if self.asked.other else 'any other'}"]

    def status(self) -> tuple[Line, Line]:
        """Rule and threshold to the left; how many of how many, and which row to the right."""
        asked = self.asked
        if asked is None:
            return [], []
        rule = f" {asked.how} · {clean(asked.scan.corpus)}"
        many = f"{count(self.table.n_rows)} of {count(asked.scan.d_sae)}"
        return self.listed([Span(rule, tone="dim")], many)
