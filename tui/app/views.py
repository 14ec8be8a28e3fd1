"""The table of views: to add one, write its file and add one line here, and its keys to tui/kit/keys.py."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from tui.kit.keys import BY_ID
from tui.views.base.view import View


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
