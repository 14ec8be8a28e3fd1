"""Which concepts does each SAE have features for, and how alike are they in another?"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from atlas.choices import CONCEPT_RULES
from atlas.queries import concepts as conceptlist
from atlas.queries.browse_records import Scan
from atlas.queries.concepts import ConceptDetail, ConceptRow
from atlas.render.columns import CONCEPTS, Column
from atlas.render.concept import concept_lines
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.lazylist import LazyList
from tui.views.base.view import following

if TYPE_CHECKING:
    pass

EMPTY = "no concept in this atlas – run: featlas concepts add FILE"


class ConceptsView(LazyList, keys="concepts"):
    """Concepts by scan; the pane has the keywords, here and in another SAE, with the scores of both."""

    SORTS = conceptlist.CONCEPT_SORTS

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.rule = CONCEPT_RULES[0]
        self._other = 0

    def columns(self) -> Sequence[Column]:
        return CONCEPTS

    def read_order(self, cursor: int) -> None:
        rows = partial(conceptlist.concept_rows, rule=self.rule, text=self.text, sort=self.sort, reverse=self.ascending)
        self.read(rows, partial(self._take, cursor), group="order")

    def _take(self, cursor: int, rows: list[ConceptRow]) -> None:
        self.rows = rows
        self.fill(len(rows), cursor, self.no_hit("concept") if self.text else EMPTY)

    def at_cursor(self) -> ConceptRow | None:
        return self.rows[self.table.cursor] if self.table.cursor < len(self.rows) else None

    def beside(self) -> Scan | None:
        """The SAE that the pane counts beside: one that this SAE was compared with."""
        row = self.at_cursor()
        if row is None:
            return None
        known = [
            p for p in self.catalogue.pairings if row.sae in (p.sae_a, p.sae_b) and p.corpus_of(row.sae) == row.corpus
        ]
        names = list(dict.fromkeys(p.sae_b if p.sae_a == row.sae else p.sae_a for p in known if p.sae_a != p.sae_b))
        if not names:
            return None
        other = names[self._other % len(names)]
        pairing = next(p for p in known if other in (p.sae_a, p.sae_b))
        return self.catalogue.scan_of(other, pairing.corpus_of(other))

    def read_under_cursor(self) -> None:
        """Ask for the keywords and the scores."""
        row = self.at_cursor()
        if row is not None and self.browser.is_front(self):
            ask = partial(conceptlist.concept_detail, row=row, rule=self.rule, other=self.beside())
            self.read(ask, self.show, group="detail")

    def lines(self, detail: ConceptDetail, width: int) -> list[Line]:
        return concept_lines(detail, width)

    def choose(self, row: int) -> None:
        chosen = self.rows[row]
        members = partial(conceptlist.concept_members, row=chosen, rule=self.rule)
        self.read(members, partial(self._browse, chosen), group="members")

    def _browse(self, row: ConceptRow, keys: list[tuple[int, int]]) -> None:
        if keys:
            self.browser.ways.browse_features(keys, f"{row.concept} in {row.alias}")
        else:
            self.browser.flash(f"{row.alias} has no feature of {clean(row.concept)} by the rule {self.rule}")

    def action_next_other(self) -> None:
        self._other += 1
        self.read_under_cursor()

    def action_rule(self) -> None:
        self.rule = following(CONCEPT_RULES, self.rule)
        self.read_order(self.table.cursor)

    def action_pairs(self) -> None:
        row, other = self.at_cursor(), self.beside()
        if row is not None and other is not None:
            self.browser.ways.open_pairs(row.sae, other.sae, row.corpus, other.corpus)

    def command(self) -> list[str] | None:
        """The command that prints the keywords, or the concept in one SAE."""
        row, other = self.at_cursor(), self.beside()
        if row is None:
            return None
        saes = [row.sae, *([other.sae] if other else [])]
        options = {"--concept": row.concept, "--rule": self.rule, "--corpus": row.corpus}
        return ["concepts", "list", *saes, *(word for option in options.items() for word in option)]

    def reference(self) -> str | None:
        words = self.command()
        return shlex.join(["featlas", *words]) if words else None

    def status(self) -> tuple[Line, Line]:
        how = f" rule {self.rule} · half: at least half of the strongest tokens are keywords"
        return self.listed([Span(how, tone="dim")], count(len(self.rows)))
