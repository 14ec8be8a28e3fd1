"""The check at the door of every metric: two samples of the same rows, finite, and enough of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rows = NDArray[np.float64]

MIN_ROWS = 3
"""Below this no correlation between centred rows, or between distances, can be other than -1, 0 or 1."""


def matched(x: ArrayLike, y: ArrayLike) -> tuple[Rows, Rows]:
    """Both sides as (n, p) and (n, q) float64, or ValueError saying what does not fit."""
    x, y = _rows(x, "x"), _rows(y, "y")
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; row i of both must belong together")
    if len(x) < MIN_ROWS:
        raise ValueError(f"{len(x)} matched rows; a comparison needs at least {MIN_ROWS}")
    return x, y


def _rows(side: ArrayLike, name: str) -> Rows:
    rows = np.asarray(side, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(f"{name} must be rows by columns with at least one column, not of shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} holds values that are not finite, first in row {_first_bad(rows)}")
    return rows


def _first_bad(rows: Rows) -> int:
    return int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
