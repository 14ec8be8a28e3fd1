"""What is this feature? The pane of the feature table on the whole screen, with all that is stored of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from atlas.queries.browse_feature import contexts_of, feature_more, with_neighbours
from atlas.queries.browse_records import Context, FeatureDetail
from atlas.queries.feature_records import ContextKind, FeatureMore
from atlas.render.feature import feature_lines, heading
from atlas.render.feature_more import more_lines
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.detail import DetailView
from tui.views.browse import BrowseView

if TYPE_CHECKING:
    from atlas.db import Atlas

SHADED = " shade: share of the maximum "
OWN = " shade: share of the context's strongest "
MARKED = " ⟦peak⟧ · bold: more than 3/7 of the maximum · underlined: more than 1/7"
REST = 0.15
"""Seconds a feature must stay before its neighbours are looked for: that reads all decoder rows of its SAE."""


class FeatureView(DetailView, keys="feature"):
    """One feature; j and k walk through the table it came from."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._contexts: dict[ContextKind, list[Context]] = {}
        self._described = False

    def on_mount(self) -> None:
        self._features.followers.append(self.show)
        self.show(self._features.detail)

    @property
    def _features(self) -> BrowseView:
        return self.app.query_one(BrowseView)

    def enter(self) -> None:
        super().enter()
        self._complete()

    def show(self, detail: FeatureDetail | None) -> None:
        """Another feature."""
        self._detail, self._more = detail, None
        self._contexts = {"top": detail.contexts} if detail else {}
        self.draw()
        if self.browser.is_front(self):
            self._complete()

    def _complete(self) -> None:
        """Ask for what is missing: contexts of the chosen kind, the numbers; once the cursor rests, the neighbours."""
        detail = self._detail
        if detail is None:
            return
        key, kind = (detail.scan, detail.feature.feature_id), self._look.kind
        if kind not in self._contexts:
            then = partial(self._take_contexts, detail, kind)
            self.read(lambda atlas: contexts_of(atlas, *key, kind), then, group="contexts")
        if self._more is None:
            self.read(lambda atlas: feature_more(atlas, *key), partial(self._take_more, detail), group="more")

    def _take_contexts(self, detail: FeatureDetail, kind: ContextKind, contexts: list[Context]) -> None:
        if detail is self._detail:
            self._contexts[kind] = contexts
            self.draw(stay=True)

    def _take_more(self, detail: FeatureDetail, more: FeatureMore) -> None:
        if detail is not self._detail:
            return
        self._more = more
        self.draw(stay=True)
        if more.neighbours is None:
            self.after_rest(REST, self._ask_neighbours)

    def _ask_neighbours(self) -> None:
        """The feature stays on the screen: one pass over the decoder."""
        detail, more = self._detail, self._more
        if detail is not None and more is not None and self.browser.is_front(self):

            def question(atlas: Atlas) -> FeatureMore:
                return with_neighbours(atlas, detail.scan, detail.feature.feature_id, more)

            self.read(question, partial(self._take_more, detail), group="more")

    def draw(self, *, stay: bool = False) -> None:
        """The feature, or all its numbers with their meaning."""
        detail, more, pane = self._detail, self._more, self.pane
        look = replace(self._look, brackets=self.browser.styler.brackets)
        self.browser.refresh_bars()
        if detail is None:
            pane.show(lambda size: [])
        elif self._described and more is not None:
            head = heading(detail.scan, detail.feature)
            pane.show(lambda size: [head, *more_lines(detail, more, size.width)], stay=stay)
        else:
            shown = replace(detail, contexts=self._contexts.get(look.kind, []))
            pane.show(lambda size: feature_lines(shown, size.width, look, more=more), stay=stay)

    def action_step(self, rows: int) -> None:
        self._features.table.action_move(rows)

    def action_pair(self) -> None:
        self._features.action_pair()

    def action_kind(self, kind: ContextKind) -> None:
        self._look, self._described = replace(self._look, kind=kind), False
        self._complete()
        self.draw()

    def action_toggle(self, name: str) -> None:
        self._described = False
        super().action_toggle(name)

    def action_describe(self) -> None:
        self._described = not self._described
        self.draw()

    def retreat(self) -> bool:
        """Esc goes from the numbers to the feature first."""
        if not self._described:
            return False
        self.action_describe()
        return True

    def crumbs(self) -> list[str]:
        return ["features", *([self._detail.reference] if self._detail else [])]

    def corner(self) -> Line:
        table = self._features.table
        return [Span(f"{count(table.cursor + 1)} of {count(table.n_rows)}  ")] if table.n_rows else []

    def status(self) -> tuple[Line, Line]:
        """What the shades mean, and the sample."""
        styler, detail = self.browser.styler, self._detail
        shades = [Span(f" {level} ", level=level) for level in (1, 3, 5, 7)] if styler.colour else []
        words = (OWN if self._look.own_scale else SHADED) if styler.colour else MARKED
        sample = f"{clean(detail.scan.corpus)} · {count(detail.scan.n_tokens)} tokens " if detail else ""
        return [Span(words, tone="dim"), *shades], [Span(sample)]
