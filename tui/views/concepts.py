"""Which concepts does each SAE have features for, and how alike are they in another?"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from atlas.choices import CONCEPT_RULES
from atlas.queries import concepts as conceptlist
from atlas.queries.browse_records import Scan
from atlas.queries.concepts import ConceptDetail, ConceptRow
from atlas.render.concept import concept_lines
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.lazylist import LazyList
from tui.widgets.vtable import Column

if TYPE_CHECKING:
    from atlas.db import Atlas

EMPTY = "no concept in this atlas – run: featlas concepts add FILE"
_SORTED = {"concept": 0, "features": 2, "share": 3}


class ConceptsView(LazyList):
    """Concepts by scan; the pane has the keywords, here and in another SAE, with the scores of both."""

    NAME = "concepts"
    SORTS = conceptlist.CONCEPT_SORTS
    SORTED = _SORTED
    HINTS: ClassVar = (
        ("⏎", "features"),
        ("+", "pane"),
        ("a", "other SAE"),
        ("r", "rule"),
        ("/", "filter"),
        ("s", "sort"),
        ("y", "copy command"),
        ("p", "pairs"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "next_other", "beside the next SAE that it was compared with", id="concepts.other"),
        Binding("r", "rule", "what makes a feature belong: share, paper, word", id="concepts.rule"),
        Binding("p", "pairs", "matched pairs of both SAEs", id="concepts.pairs"),
    ]

    def __init__(self, *, id: str) -> None:
        """Nothing read yet."""
        super().__init__(id=id)
        self.rows: list[ConceptRow] = []
        self.rule = CONCEPT_RULES[0]
        self.detail: ConceptDetail | None = None
        self._other = 0

    def columns(self) -> list[Column]:
        """The columns; the one that sorts has an arrow."""
        columns = [
            Column("concept", 14, grow=1),
            Column("SAE", 4),
            Column("features", 9, right=True),
            Column("half", 6, right=True, spare=2),
            Column("words", 8, right=True, spare=1),
            Column("found", 20, grow=3),
        ]
        place, up = _SORTED[self.sort], self.ascending != (self.sort == "concept")
        columns[place] = replace(columns[place], title=columns[place].title + ("▲" if up else "▼"))
        return columns

    def read_order(self, cursor: int) -> None:
        """Ask for the concepts of all scans: a few lines each."""
        rows = partial(conceptlist.concept_rows, rule=self.rule, text=self.text, sort=self.sort, reverse=self.ascending)
        self.read(rows, partial(self._take, cursor), group="order")

    def _take(self, cursor: int, rows: list[ConceptRow]) -> None:
        """Fill the table."""
        self.rows = rows
        self.table.retitle(self.columns())
        nothing = f"no concept holds {clean(self.text)!r} – esc clears the filter" if self.text else EMPTY
        self.table.reset(len(rows), cursor=cursor, message=nothing)
        if not rows:
            self._show(None)

    def window_question(self, start: int, stop: int) -> Callable[[Atlas], list[ConceptRow]] | None:
        """The rows are held already."""
        part = self.rows[start:stop]
        return lambda atlas: part

    def cells(self, row: ConceptRow) -> tuple[str, ...]:
        """One line of the table."""
        return (
            clean(row.concept),
            row.alias,
            count(row.n_features),
            count(row.n_half),
            f"{len(row.found)}/{row.n_keywords}",
            clean(" ".join(row.found)),
        )

    # the concept under the cursor ---------------------------------------------------------------------------------

    def at_cursor(self) -> ConceptRow | None:
        """The concept and the scan of the row."""
        return self.rows[self.table.cursor] if self.table.cursor < len(self.rows) else None

    def beside(self) -> Scan | None:
        """The SAE that the pane counts beside: one that this SAE was compared with."""
        row = self.at_cursor()
        if row is None:
            return None
        known = [
            p for p in self.browser.pairings if row.sae in (p.sae_a, p.sae_b) and p.corpus_of(row.sae) == row.corpus
        ]
        names = list(dict.fromkeys(p.sae_b if p.sae_a == row.sae else p.sae_a for p in known if p.sae_a != p.sae_b))
        if not names:
            return None
        other = names[self._other % len(names)]
        pairing = next(p for p in known if other in (p.sae_a, p.sae_b))
        return self.browser.scan_of(other, pairing.corpus_of(other))

    def read_under_cursor(self) -> None:
        """Ask for the keywords and the scores."""
        row = self.at_cursor()
        if row is not None and self.browser.is_front(self):
            ask = partial(conceptlist.concept_detail, row=row, rule=self.rule, other=self.beside())
            self.read(ask, self._show, group="detail")

    def _show(self, detail: ConceptDetail | None) -> None:
        """Fill the pane."""
        self.detail = detail
        self.pane.show(lambda size: concept_lines(detail, size.width) if detail else [])

    # keys ---------------------------------------------------------------------------------------------------------

    def choose(self, row: int) -> None:
        """The features of the concept in the feature table."""
        chosen = self.rows[row]
        members = partial(conceptlist.concept_members, row=chosen, rule=self.rule)
        self.read(members, partial(self._browse, chosen), group="members")

    def _browse(self, row: ConceptRow, keys: list[tuple[int, int]]) -> None:
        """List them."""
        if keys:
            self.browser.browse_features(keys, f"{row.concept} in {row.alias}")
        else:
            self.browser.flash(f"{row.alias} has no feature of {clean(row.concept)} by the rule {self.rule}")

    def action_next_other(self) -> None:
        """Beside the next SAE."""
        self._other += 1
        self.read_under_cursor()

    def action_rule(self) -> None:
        """Another rule."""
        self.rule = CONCEPT_RULES[(CONCEPT_RULES.index(self.rule) + 1) % len(CONCEPT_RULES)]
        self.read_order(self.table.cursor)

    def action_pairs(self) -> None:
        """The matched pairs of the two SAEs."""
        row, other = self.at_cursor(), self.beside()
        if row is not None and other is not None:
            self.browser.open_pairs(row.sae, other.sae, row.corpus, other.corpus)

    # bars ---------------------------------------------------------------------------------------------------------

    def command(self) -> list[str] | None:
        """The command that prints the keywords, or the concept in one SAE."""
        row, other = self.at_cursor(), self.beside()
        if row is None:
            return None
        return [
            "concepts",
            "list",
            row.sae,
            *([other.sae] if other else []),
            "--concept",
            row.concept,
            "--rule",
            self.rule,
            "--corpus",
            row.corpus,
        ]

    def reference(self) -> str | None:
        """The same as one line."""
        words = self.command()
        return shlex.join(["featlas", *words]) if words else None

    def status(self) -> tuple[Line, Line]:
        """Rule to the left; how many and which row to the right."""
        how = f" rule {self.rule} · half: at least half of the strongest tokens are keywords"
        left = Span(f" filter: {clean(self.text)}", tone="accent") if self.text else Span(how, tone="dim")
        row = f" · row {count(self.table.cursor + 1)}" if self.rows else ""
        arrow = "↑" if self.ascending != (self.sort == "concept") else "↓"
        return [left], [Span(f"{count(len(self.rows))} · {self.sort} {arrow}{row} ")]
