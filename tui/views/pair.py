"""Do these two features mean the same? Both side by side, shared contexts marked, and what judges the pair."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from atlas.queries.browse_pair import pair_detail
from atlas.queries.browse_records import PairDetail
from atlas.queries.pair_records import PairMore
from atlas.render.numbers import count
from atlas.render.pair import pair_lines
from atlas.render.spans import Line, Span
from tui.kit.browser import PairAt, PairKey
from tui.views.base.detail import DetailView
from tui.views.base.view import following

if TYPE_CHECKING:
    from atlas.db import Atlas


class PairView(DetailView, keys="pair"):
    """Two features beside each other; above each other on narrow screens."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._key: PairKey | None = None
        self._measure = "activation"
        self._at: PairAt = lambda row: None
        self._row, self._n_rows, self._swapped = 0, 0, False

    def open(self, at: PairAt, row: int, n_rows: int, *, measure: str = "activation") -> None:
        """Show row `row` of a list of pairs by a measure; n and N walk through it."""
        self._at, self._n_rows, self._swapped, self._measure = at, n_rows, False, measure
        self._show_row(row)

    def reload(self) -> None:
        if self._key is not None:
            self._ask(self._key)

    def _show_row(self, row: int) -> None:
        key = self._at(row)
        if key is not None:
            self._row = row
            self._ask((*key[2:], *key[:2]) if self._swapped else key)

    def _ask(self, key: PairKey) -> None:
        a, b = (self.catalogue.now(scan) or scan for scan in (key[0], key[2]))  # they may have been measured again
        key = (a, key[1], b, key[3])
        self._key, measure = key, self._measure
        self.read(lambda atlas: pair_detail(atlas, *key, measure=measure), self._show, group="pair")

    def _show(self, detail: PairDetail) -> None:
        old = self._detail
        same = old is not None and (old.a, old.b) == (detail.a, detail.b)
        self._detail = detail
        self._more = self._more if same else None  # what is shown stays until it has been read again
        self.draw(stay=same)
        self.read(partial(_read_more, detail), partial(self._take_more, detail), group="more")

    def _take_more(self, detail: PairDetail, more: PairMore) -> None:
        if detail is self._detail:
            self._more = more
            self.draw(stay=True)

    def draw(self, *, stay: bool = False) -> None:
        """Both features and what compares them."""
        detail, more, look = self._detail, self._more, replace(self._look, brackets=self.browser.styler.brackets)
        if detail is not None:
            self.pane.show(lambda size: pair_lines(detail, size.width, size.height, look, more=more), stay=stay)

    def action_step(self, rows: int) -> None:
        """Another pair of the list."""
        row = max(0, min(self._row + rows, self._n_rows - 1))
        if row != self._row:
            self._show_row(row)
        else:
            only = "this is the only pair of the list" if self._n_rows < 2 else "the list of pairs ends here"
            self.browser.flash(f"{only} – esc goes back, ] shows another candidate")

    def action_candidate(self, step: int) -> None:
        """Another stored partner of the left feature."""
        if self._detail is None or self._key is None or not self._detail.candidates:
            return
        ids = [candidate.feature_id for candidate in self._detail.candidates]
        a, feature_a, b, shown = self._key
        self._ask((a, feature_a, b, following(ids, shown, step)))

    def action_swap(self) -> None:
        """Left becomes right."""
        if self._key is not None:
            self._swapped = not self._swapped
            self._ask((*self._key[2:], *self._key[:2]))

    def action_next_measure(self) -> None:
        """Candidates by the next measure that is stored for these two SAEs."""
        measures = [item.measure for item in self._more.measures] if self._more else []
        if self._key is None or not measures:
            return
        self._measure = following(measures, self._measure)
        self._ask(self._key)

    def action_axis(self) -> None:
        self.use_look(axis=1.0 if self._look.axis is None else None)

    def place(self) -> tuple[Any, ...]:
        return self._key, self._at, self._row, self._n_rows, self._swapped, self._measure

    def return_to(self, place: tuple[Any, ...]) -> None:
        self._key, self._at, self._row, self._n_rows, self._swapped, self._measure = place
        self.reload()

    def crumbs(self) -> list[str]:
        detail = self._detail
        return ["pair", *([f"{detail.a.reference} ↔ {detail.b.reference}"] if detail else [])]

    def corner(self) -> Line:
        return [Span(f"{count(self._row + 1)} of {count(self._n_rows)}  ")] if self._n_rows > 1 else []

    def status(self) -> tuple[Line, Line]:
        mark = Span(" ● same token of the corpus in the stored contexts of both", tone="dim")
        return [mark], [Span(f"by {self._measure} ")]


def _read_more(detail: PairDetail, atlas: Atlas) -> PairMore:
    """Runs in the worker thread; reading activations loads what the first paint need not wait for."""
    from atlas.activations.joint import pair_more

    return pair_more(atlas, detail)
