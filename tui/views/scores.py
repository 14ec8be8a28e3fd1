"""Which scores are stored, what judges each, and how is it repeated?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from atlas.queries import scorelist
from atlas.queries.scorelist import ScoreRecord, ScoreRow
from atlas.render.columns import SCORES, Column
from atlas.render.numbers import count
from atlas.render.score import score_lines
from atlas.render.spans import Line
from tui.kit.store import Question
from tui.views.base.lazylist import LazyList

EMPTY = "no score in this atlas – run: featlas metric svcca A B"


class ScoresView(LazyList, keys="scores"):
    """The stored scores; the pane shows the whole record of one."""

    SORTS = scorelist.SCORE_SORTS

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.order: list[int] = []

    def columns(self) -> Sequence[Column]:
        return SCORES

    def read_order(self, cursor: int) -> None:
        order = partial(scorelist.score_order, text=self.text, sort=self.sort, ascending=self.ascending)
        self.read(order, partial(self._take, cursor), group="order")

    def _take(self, cursor: int, order: list[int]) -> None:
        self.order = order
        self.fill(len(order), cursor, self.no_hit("score") if self.text else EMPTY)

    def window_question(self, start: int, stop: int) -> Question[Sequence[ScoreRow]] | None:  # type: ignore[override]
        ids = self.order[start:stop]
        return partial(scorelist.score_window, scores=ids)

    def read_under_cursor(self) -> None:
        if self.table.cursor < len(self.order) and self.browser.is_front(self):
            ask = partial(scorelist.score_record, score_id=self.order[self.table.cursor])
            self.read(ask, self.show, group="record")

    def lines(self, detail: ScoreRecord, width: int) -> list[Line]:
        return score_lines(detail, width)

    def action_pairs(self) -> None:
        self._with_record(self._open_pairs)

    def _open_pairs(self, record: ScoreRecord) -> None:
        values = record.values
        self.browser.ways.open_pairs(values["sae_a"], values["sae_b"], values["corpus"], values["corpus_b"])

    def _with_record(self, then: Callable[[ScoreRecord], None]) -> None:
        """Do something with the score under the cursor, which may have come there before its record was read."""
        if self.table.cursor >= len(self.order):
            return
        score_id = self.order[self.table.cursor]
        if self.detail is not None and self.detail.values["score_id"] == score_id:
            then(self.detail)
        else:
            self.read(partial(scorelist.score_record, score_id=score_id), then, group="wanted")

    def command(self) -> list[str] | None:
        if self.text or self.ascending or self.sort != self.SORTS[0]:
            return ["sql", self.sql()]
        return ["scores"]

    def sql(self) -> str:
        return scorelist.score_sql(self.order, text=self.text, sort=self.sort, ascending=self.ascending)

    def reference(self) -> str | None:
        return (self.detail.again or self.detail.made_by) if self.detail else None

    def with_reference(self, then: Callable[[str | None], None]) -> None:
        self._with_record(lambda record: then(record.again or record.made_by))

    def status(self) -> tuple[Line, Line]:
        return self.listed([], f"{count(self.table.n_rows)} scores")
