"""Features that a line of the filter language lets through: their ids in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas.errors import UsageError
from atlas.filters.compile import Compiled, Names, compile_filter
from atlas.filters.parser import parse_filter
from atlas.filters.terms import Sort

if TYPE_CHECKING:
    import numpy as np

    from atlas.db import Atlas

SORTS = ("density", "max", "mean_active", "match", "feature_id")
"""Orders of the feature table that a key steps through; any field of a filter may be one."""

UPWARDS = ("feature_id", "label", "token", "sae", "layer")
"""Orders that begin with the smallest; the others begin with the largest."""

ALL = 2**31 - 1

Features = frozenset[tuple[str, int]]
"""Some features, each by the full name of its SAE and its number."""


@dataclass(frozen=True, slots=True)
class FeatureOrder:
    """The features of a table in their order; row i is (scan_ids[i], feature_ids[i])."""

    scan_ids: np.ndarray
    feature_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.scan_ids)

    def row_of(self, scan_id: int, feature_id: int) -> int | None:
        """Where a feature stands; None if it is not there."""
        rows = ((self.scan_ids == scan_id) & (self.feature_ids == feature_id)).nonzero()[0]
        return int(rows[0]) if len(rows) else None

    def renumbered(self, scan_ids: Mapping[int, int]) -> FeatureOrder:
        """The same list where scans have got other numbers; features of scans that are not named are left out."""
        import numpy as np

        held = np.isin(self.scan_ids, list(scan_ids))
        numbers = [scan_ids[scan] for scan in self.scan_ids[held].tolist()]
        return FeatureOrder(np.array(numbers, dtype=self.scan_ids.dtype), self.feature_ids[held])


def natural(sort: str, *, reverse: bool = False) -> Sort:
    """The order by a field, beginning where one wants to look first."""
    return Sort(sort, descending=(sort not in UPWARDS) != reverse)


def compiled(
    atlas: Atlas,
    line: str,
    *,
    sort: Sort,
    marks: Features | None = None,
    listed: Features | None = None,
    places: bool = False,
) -> Compiled:
    """The query of a filter on this atlas.

    Args:
        atlas: Open for reading.
        line: In the filter language; empty for all features.
        sort: The order where the line asks for none.
        marks: What the browser has marked; None where nothing can be marked.
        listed: What another view of the browser handed over.
        places: Add a column `place`, the number of the row in the order.

    Raises:
        UsageError: The line cannot be read, or names what the atlas does not hold.
    """
    parsed = parse_filter(line)
    names = Names(
        saes=[(name, alias) for name, alias in atlas.fetch("catalog/sae_names")],
        models=[name for name, *_ in atlas.fetch("catalog/model_names")],
        corpora=[name for name, *_ in atlas.fetch("catalog/corpus_names")],
        marks=marks,
        listed=listed,
    )
    return compile_filter(parsed, names, sort=sort, places=places)


def feature_order(
    atlas: Atlas,
    scan_ids: Sequence[int] = (),
    *,
    line: str = "",
    sort: Sort | None = None,
    most: int = ALL,
    marks: Features | None = None,
    listed: Features | None = None,
) -> FeatureOrder:
    """Ids of features in order.

    Args:
        atlas: Open for reading.
        scan_ids: Scans to take them from; all if empty.
        line: In the filter language.
        sort: The order where the line asks for none; the densest first if None.
        most: Stop after so many.
        marks: What the browser has marked.
        listed: What another view of the browser handed over.

    Raises:
        UsageError: The line cannot be read, or names what the atlas does not hold.
    """
    import duckdb

    from atlas.db import first_line

    query = compiled(atlas, line, sort=sort or natural("density"), marks=marks, listed=listed)
    try:
        found = atlas.columns(query.sql, **query.params, scans=list(scan_ids), most=most)
    except duckdb.InvalidInputException as error:  # a regular expression of Python that DuckDB does not know
        raise UsageError(f"the filter {line!r} does not work", why=first_line(error)) from error
    return FeatureOrder(found["scan_id"], found["feature_id"])
