"""The table of views: to add one, write its file and add one line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.views.base.view import View


@dataclass(frozen=True, slots=True)
class Entry:
    """A view of the browser."""

    name: str
    """As `--view`, `:view` and the widget's id name it."""

    keys: str
    """Keys that bring it to the front, as Textual writes them; empty if it is opened from another view only."""

    about: str
    """What it shows, as help and palette say it."""

    place: str
    """Module and class, imported when it is looked at for the first time."""

    def kind(self) -> type[View]:
        """The class."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(module), name)

    def made(self) -> View:
        """The widget."""
        return self.kind()(id=self.name)


VIEWS = (
    Entry("overview", "o,0", "SAEs and comparisons", "tui.views.overview:OverviewView"),
    Entry("browse", "1", "browse features", "tui.views.browse:BrowseView"),
    Entry("pairs", "2", "matched pairs", "tui.views.pairs:PairsView"),
    Entry("matrix", "3", "scores of many pairs of SAEs", "tui.views.matrix:MatrixView"),
    Entry("sql", "4", "SQL over the views", "tui.console.view:ConsoleView"),
    Entry("concepts", "5", "concepts and their features", "tui.views.concepts:ConceptsView"),
    Entry("scores", "6", "stored scores", "tui.views.scores:ScoresView"),
    Entry("orphans", "7", "features without a counterpart", "tui.views.orphans:OrphansView"),
    Entry("feature", "", "the feature under the cursor", "tui.views.feature:FeatureView"),
    Entry("pair", "", "two features side by side", "tui.views.pair:PairView"),
)
"""Keys 1 to 9 are for views: 3 matrix, 4 sql, 5 concepts, 6 scores, 7 orphans."""

BY_NAME = {entry.name: entry for entry in VIEWS}
