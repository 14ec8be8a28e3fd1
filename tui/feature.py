"""What is this feature? The pane of the feature table on the whole screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from atlas.queries.browse_records import FeatureDetail
from atlas.render.feature import feature_lines
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.lines import Lines
from tui.view import View

SHADED = " shade: share of the maximum "
MARKED = " ⟦peak⟧ · bold: more than 3/7 of the maximum · underlined: more than 1/7"


class FeaturePane(Lines, can_focus=True):
    """The feature; scrolls by pages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+d,pagedown", "page_down", "scroll down", id="feature.page_down"),
        Binding("ctrl+u,pageup", "page_up", "scroll up", id="feature.page_up"),
        Binding("home,g", "scroll_home", "top", id="feature.top"),
        Binding("end,G", "scroll_end", "bottom", id="feature.bottom"),
    ]


class FeatureView(View):
    """One feature; j and k walk through the table it came from."""

    NAME = "feature"
    HINTS: ClassVar = (("j/k", "next/previous"), ("esc", "back"), ("p", "pair"), ("y", "copy"), ("^d/^u", "scroll"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down,n", "step(1)", "next feature of the table", id="feature.next"),
        Binding("k,up,N", "step(-1)", "previous feature", id="feature.previous"),
        Binding("p,enter", "pair", "pair with its best partner", id="feature.pair"),
        Binding("h,left,backspace", "app.back", "back", id="feature.back"),
    ]

    def __init__(self, *, id: str) -> None:
        """Nothing to show yet."""
        super().__init__(id=id)
        self._detail: FeatureDetail | None = None

    def compose(self) -> ComposeResult:
        """One pane."""
        yield FeaturePane(id="feature-pane")

    def enter(self) -> None:
        """Focus the pane."""
        self.query_one(FeaturePane).focus()

    def show(self, detail: FeatureDetail | None) -> None:
        """Another feature."""
        self._detail, brackets = detail, self.browser.styler.brackets
        self.query_one(FeaturePane).show(
            lambda size: feature_lines(detail, size.width, brackets=brackets) if detail else []
        )

    def action_step(self, rows: int) -> None:
        """Move the cursor of the table; the feature follows."""
        self.browser.browse_view.table.action_move(rows)

    def action_pair(self) -> None:
        """The feature beside its best partner."""
        if self._detail is not None:
            self.browser.pair_of(self._detail)

    def reference(self) -> str | None:
        """Its full name."""
        return self._detail.full_reference if self._detail else None

    def crumbs(self) -> list[str]:
        """The way here."""
        return ["features", *([self._detail.reference] if self._detail else [])]

    def corner(self) -> Line:
        """Place in the table."""
        table = self.browser.browse_view.table
        return [Span(f"{count(table.cursor + 1)} of {count(table.n_rows)}  ")] if table.n_rows else []

    def status(self) -> tuple[Line, Line]:
        """What the shades mean, and the sample."""
        styler, detail = self.browser.styler, self._detail
        shades = [Span(f" {level} ", level=level) for level in (1, 3, 5, 7)] if styler.colour else []
        words = SHADED if styler.colour else MARKED
        sample = f"{clean(detail.scan.corpus)} · {count(detail.scan.n_tokens)} tokens " if detail else ""
        return [Span(words, tone="dim"), *shades], [Span(sample)]
