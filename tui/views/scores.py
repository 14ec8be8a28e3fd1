"""Which scores are stored, what judges each, and how is it repeated?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from atlas.queries import scorelist
from atlas.queries.scorelist import ScoreRecord, ScoreRow
from atlas.render.grid import probability
from atlas.render.numbers import correlation, count
from atlas.render.score import score_lines
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.lazylist import LazyList
from tui.widgets.vtable import Column

if TYPE_CHECKING:
    from atlas.db import Atlas

EMPTY = "no score in this atlas – run: featlas metric svcca A B"
_SORTED = {"newest": 0, "n": 3, "value": 4, "z": 6, "p": 7}


class ScoresView(LazyList):
    """The stored scores; the pane shows the whole record of one."""

    NAME = "scores"
    SORTS = scorelist.SCORE_SORTS
    SORTED = _SORTED
    HINTS: ClassVar = (
        ("⏎", "whole record"),
        ("/", "filter"),
        ("s", "sort"),
        ("p", "pairs"),
        ("y", "copy command"),
        ("S", "reverse"),
        ("3", "matrix"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pairs", "matched pairs of both SAEs", id="scores.pairs"),
    ]

    def __init__(self, *, id: str) -> None:
        """Nothing read yet."""
        super().__init__(id=id)
        self.order: list[int] = []
        self.record: ScoreRecord | None = None

    def columns(self) -> list[Column]:
        """The columns; the one that sorts has an arrow."""
        columns = [
            Column("no.", 5, right=True, spare=4),
            Column("metric", 14),
            Column("SAEs", 6),
            Column("n", 6, right=True),
            Column("score", 6, right=True),
            Column("null", 6, right=True),
            Column("z", 6, right=True, spare=3),
            Column("p", 8, right=True),
            Column("adj. p", 8, right=True, spare=1),
            Column("rows", 7, spare=6),
            Column("null of", 7, spare=5),
            Column("pairs", 10, grow=1),
        ]
        place, up = _SORTED[self.sort], self.ascending != (self.sort == "p")
        columns[place] = replace(columns[place], title=columns[place].title + ("▲" if up else "▼"))
        return columns

    def read_order(self, cursor: int) -> None:
        """Ask for the numbers in order."""
        order = partial(scorelist.score_order, text=self.text, sort=self.sort, ascending=self.ascending)
        self.read(order, partial(self._take, cursor), group="order")

    def _take(self, cursor: int, order: list[int]) -> None:
        """Fill the table."""
        self.order = order
        self.table.retitle(self.columns())
        nothing = f"no score holds {clean(self.text)!r} – esc clears the filter" if self.text else EMPTY
        self.table.reset(len(order), cursor=cursor, message=nothing)
        if not order:
            self._show(None)

    def window_question(self, start: int, stop: int) -> Callable[[Atlas], Sequence[ScoreRow]] | None:  # type: ignore[override]
        """How to read some rows."""
        ids = self.order[start:stop]
        return partial(scorelist.score_window, scores=ids)

    def cells(self, row: ScoreRow) -> tuple[str, ...]:
        """One line of the table."""
        return (
            str(row.score_id),
            clean(row.metric),
            f"{row.alias_a} {row.alias_b}",
            count(row.n),
            correlation(row.value, digits=3),
            correlation(row.null_mean, digits=3),
            "–" if row.z is None else f"{row.z:.1f}",
            probability(row.p_value),
            probability(row.p_adjusted),
            clean(row.space),
            clean(row.null_kind),
            clean(row.subset),
        )

    def read_under_cursor(self) -> None:
        """Ask for the whole record."""
        if self.table.cursor < len(self.order) and self.browser.is_front(self):
            ask = partial(scorelist.score_record, score_id=self.order[self.table.cursor])
            self.read(ask, self._show, group="record")

    def _show(self, record: ScoreRecord | None) -> None:
        """Fill the pane."""
        self.record = record
        self.pane.show(lambda size: score_lines(record, size.width) if record else [])

    def action_pairs(self) -> None:
        """The matched pairs of the two SAEs."""
        self._with_record(self._open_pairs)

    def _open_pairs(self, record: ScoreRecord) -> None:
        """The matched pairs of the two SAEs of a score."""
        values = record.values
        self.browser.open_pairs(values["sae_a"], values["sae_b"], values["corpus"], values["corpus_b"])

    def _with_record(self, then: Callable[[ScoreRecord], None]) -> None:
        """Do something with the score under the cursor, which may have come there before its record was read."""
        if self.table.cursor >= len(self.order):
            return
        score_id = self.order[self.table.cursor]
        if self.record is not None and self.record.values["score_id"] == score_id:
            then(self.record)
        else:
            self.read(partial(scorelist.score_record, score_id=score_id), then, group="wanted")

    def command(self) -> list[str] | None:
        """The command that prints the scores that are shown."""
        if self.text or self.ascending or self.sort != self.SORTS[0]:
            return ["sql", self.sql()]
        return ["scores"]

    def sql(self) -> str:
        """The same as a query."""
        return scorelist.score_sql(self.order, text=self.text, sort=self.sort, ascending=self.ascending)

    def reference(self) -> str | None:
        """The command that computes the score again."""
        return (self.record.again or self.record.made_by) if self.record else None

    def with_reference(self, then: Callable[[str | None], None]) -> None:
        """The same of the score under the cursor."""
        self._with_record(lambda record: then(record.again or record.made_by))

    def status(self) -> tuple[Line, Line]:
        """Filter to the left; how many, which order and which row to the right."""
        left = [Span(f" filter: {clean(self.text)}", tone="accent")] if self.text else []
        row = f" · row {count(self.table.cursor + 1)}" if self.table.n_rows else ""
        arrow = "↑" if self.ascending != (self.sort == "p") else "↓"
        return left, [Span(f"{count(self.table.n_rows)} scores · {self.sort} {arrow}{row} ")]
