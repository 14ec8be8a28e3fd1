"""Where the feature table stands, lists that were handed to it, and what is read for it in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from atlas.queries import browse
from atlas.queries.browse_records import FeatureRow, Scan
from atlas.queries.filtered import FeatureOrder
from tui.widgets.vtable import WINDOW

if TYPE_CHECKING:
    from atlas.db import Atlas


class Handed(NamedTuple):
    """A list that another view has made."""

    order: FeatureOrder
    about: str
    """What it holds, for the title."""
    scans: list[Scan]
    """Those whose numbers are in the order: a scan that is measured again gets another one."""


class BrowsePlace(NamedTuple):
    """Where the feature table stands."""

    scope: Scan | None
    """The one scan that is shown; None for all."""
    line: str
    """The filter."""
    sort: str
    """The order that the keys chose."""
    reverse: bool
    """It was turned round."""
    feature: tuple[int, int] | None
    """Scan and number of the feature under the cursor."""


class Read(NamedTuple):
    """A list as it was read, with the rows that show first."""

    order: FeatureOrder
    window: int
    """Number of the window that the cursor is in."""
    rows: list[FeatureRow]


def read_around(atlas: Atlas, order: FeatureOrder, cursor: int, wanted: tuple[int, int] | None) -> Read:
    """The rows around the cursor in one go with their order: each question more is a repaint more."""
    row = order.row_of(*wanted) if wanted else None
    window = max(0, min(cursor if row is None else row, len(order) - 1)) // WINDOW
    return Read(order, window, browse.feature_window(atlas, order, window * WINDOW, (window + 1) * WINDOW))
