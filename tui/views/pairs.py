"""Which features of two SAEs belong together, and why were the other candidates dropped?"""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from atlas.queries.browse_records import Pairing, Scan
from atlas.render.feature_more import value_of
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.pairlist import SHOWN, PairList
from tui.views.base.pairs_reading import RULES, command_of
from tui.widgets.vtable import VTable

ROOMY = 140
"""Cells from which the status line has room for the sample and the reasons."""


class PairsView(PairList):
    """The list, its keys and its bars."""

    NAME = "pairs"
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

    def place(self) -> tuple[Any, ...]:
        """Sides, measure, rule, filter, order and what is shown."""
        return self.sides, self.measure, self.rule, self.text, self.sort, self.ascending, self.shown

    def return_to(self, place: tuple[Any, ...]) -> None:
        """Show the same list again."""
        place = (self._now(place[0]), *place[1:])
        if place != self.place() and place[0] is not None:
            self.sides, self.measure, self.rule, self.text, self.sort, self.ascending, self.shown = place
            self.box.value = self.text
            self.read_order(0)

    def command(self) -> list[str] | None:
        """`featlas pairs` with the same rule and thresholds; it has one order, no text, and not kept beside dropped."""
        one_order = self.sort == self.SORTS[0] and not self.ascending
        if self.sides is None or self._subset is None or self._words or self.shown == "all" or not one_order:
            return None
        return [*command_of(*self.sides, self._subset), *(["--dropped"] if self.shown == "dropped" else [])]

    def refusal(self) -> str:
        """What the command does not do."""
        return (
            "featlas pairs lists kept or dropped pairs by value, without words to look for – s and esc go back to that"
        )

    # keys -------------------------------------------------------------------------------------------------------

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        """Open the pair; n and N walk through the list."""
        self.browser.open_pair(self.keys(), message.row, self.table.n_rows, measure=self.measure)

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
        line: Line = [
            Span(f"{self._subset.match if self._subset else self.rule} by {clean(self.measure)}  ", tone="strong")
        ]
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
            left = [
                *_sample(self._pairing, self.sides[0]),
                *([Span(f" · dropped: {reasons}")] if self.size.width >= ROOMY else []),
            ]
        total = count(len(self._all))
        shown = f"{total} candidates" if self.shown == "all" else f"{count(self.table.n_rows)} of {total} {self.shown}"
        row = f" · row {count(self.table.cursor + 1)}" if self.table.n_rows else ""
        return left, [Span(f"{shown} · {self.sort} {'↑' if self.ascending else '↓'}{row} ")]


def _sample(pairing: Pairing, choosing: Scan) -> Line:
    """What the values were measured on, and what they would be by chance for the side that chooses."""
    best, chance = pairing.judged_from(choosing.sae)
    judged = f"median best {value_of(best)}, by chance {value_of(chance)}"
    return [Span(f" {judged} · {count(pairing.n_tokens)} tokens of {clean(pairing.corpus)}", tone="dim")]
