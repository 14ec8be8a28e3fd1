"""The table of views and the one in front: a new view is a file, a line here and its keys in tui/kit/keys.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from tui.kit.keys import BY_ID
from tui.views.base.view import View
from tui.views.browse import BrowseView


@dataclass(frozen=True, slots=True)
class Entry:
    """A view of the browser."""

    name: str
    """As `--view`, `:view` and the widget's id name it."""
    place: str
    """Module and class, imported when it is looked at for the first time."""
    held: str = ""
    """What it shows, where it shows nothing of its own: another view opens it, and it has no key."""

    @property
    def keys(self) -> str:
        return "" if self.held else BY_ID[f"app.{self.name}"].keys

    @property
    def about(self) -> str:
        return self.held or BY_ID[f"app.{self.name}"].about

    def made(self) -> View:
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)(id=self.name)


VIEWS = (
    Entry("overview", "tui.views.overview:OverviewView"),
    Entry("browse", "tui.views.browse:BrowseView"),
    Entry("pairs", "tui.views.pairs:PairsView"),
    Entry("matrix", "tui.views.matrix:MatrixView"),
    Entry("sql", "tui.console.view:ConsoleView"),
    Entry("concepts", "tui.views.concepts:ConceptsView"),
    Entry("scores", "tui.views.scores:ScoresView"),
    Entry("orphans", "tui.views.orphans:OrphansView"),
    Entry("feature", "tui.views.feature:FeatureView", held="the feature under the cursor"),
    Entry("pair", "tui.views.pair:PairView", held="two features side by side"),
)

BY_NAME = {entry.name: entry for entry in VIEWS}


class Stage:
    """One view in front; the others are made when they are first looked at."""

    def __init__(self, app: App[None]) -> None:
        self._app = app

    @staticmethod
    def compose() -> ComposeResult:
        with ContentSwitcher(initial="browse", id="views"):
            yield BY_NAME["browse"].made()

    @property
    def _switcher(self) -> ContentSwitcher:
        return self._app.query_one(ContentSwitcher)

    @property
    def front(self) -> View:
        return self._app.query_one(f"#{self._switcher.current}", View)

    @property
    def browse(self) -> BrowseView:
        return self._app.query_one(BrowseView)

    @property
    def made(self) -> list[View]:
        return [view for view in self._app.query(View) if view.is_made]

    def is_front(self, view: Widget) -> bool:
        return self._switcher.current == view.id

    def put_front(self, view: View) -> None:
        self._switcher.current = view.id
        view.enter()

    def with_view(self, name: str, then: Callable[[Any], None]) -> None:
        """Do something with a view; one that was never shown is made first."""
        view = self._app.query_one_optional(f"#{name}", View)
        if view is None:
            view = BY_NAME[name].made()
            view.display = False
            self._switcher.mount(view)
        view.once_made(then)
