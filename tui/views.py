"""The table of views: to add one, write its file and add one line here."""

from __future__ import annotations

from dataclasses import dataclass

from tui.browse import BrowseView
from tui.concepts import ConceptsView
from tui.console import ConsoleView
from tui.feature import FeatureView
from tui.matrix import MatrixView
from tui.orphans import OrphansView
from tui.overview import OverviewView
from tui.pair import PairView
from tui.pairs import PairsView
from tui.scores import ScoresView
from tui.view import View


@dataclass(frozen=True, slots=True)
class Entry:
    """A view of the browser."""

    name: str
    """As `--view`, `:view` and the widget's id name it."""

    keys: str
    """Keys that bring it to the front, as Textual writes them; empty if it is opened from another view only."""

    about: str
    """What it shows, as help and palette say it."""

    view: type[View]


VIEWS = (
    Entry("overview", "o,0", "SAEs and comparisons", OverviewView),
    Entry("browse", "1", "browse features", BrowseView),
    Entry("pairs", "2", "matched pairs", PairsView),
    Entry("matrix", "3", "scores of many pairs of SAEs", MatrixView),
    Entry("sql", "4", "SQL over the views", ConsoleView),
    Entry("concepts", "5", "concepts and their features", ConceptsView),
    Entry("scores", "6", "stored scores", ScoresView),
    Entry("orphans", "7", "features without a counterpart", OrphansView),
    Entry("feature", "", "the feature under the cursor", FeatureView),
    Entry("pair", "", "two features side by side", PairView),
)
"""Keys 1 to 9 are for views: 3 matrix, 4 sql, 5 concepts, 6 scores, 7 orphans."""
