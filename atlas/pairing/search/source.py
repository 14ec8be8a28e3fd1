"""A matrix of values that is never held as a whole: rows are computed on demand.

Values are exact to float64 rounding. A source may also give faster, approximate rows with a proved bound on the
difference, which find candidates and never decide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GATHERED = 4_000_000
"""Maximum of numbers gathered at a time for the values of single pairs: 32 MB for each of the two."""


class Source:
    """Base of all sources: rows by id, single values, and approximate rows."""

    shape: tuple[int, int]
    """Rows n and columns m."""
    error: float = 0.0
    """No value of `screen` is further than this from the exact one."""
    defined: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None
    """(n,) rows and (m,) columns that have a value at all; the others must stay unmatched. None where all have."""

    def rows(self, start: int, stop: int) -> NDArray:
        """Rows [start, stop) as a (stop - start, m) float64 array."""
        return self.take(np.arange(start, stop))

    def take(self, ids: NDArray) -> NDArray:
        """The rows of some ids, ascending, as a (len(ids), m) float64 array that the caller may change."""
        raise NotImplementedError

    def screen(self, ids: NDArray) -> NDArray:
        """Rows within `error` of those of `take`, perhaps faster and in float32."""
        return self.take(ids)

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        """The values of single pairs, (len(rows),) float64."""
        values = np.empty(len(rows))
        order = np.argsort(rows, kind="stable")
        for part in np.array_split(order, max(1, len(rows) * self.shape[1] // GATHERED)):
            ids, row = np.unique(rows[part], return_inverse=True)
            values[part] = self.take(ids)[row, columns[part]] if len(part) else 0.0
        return values
