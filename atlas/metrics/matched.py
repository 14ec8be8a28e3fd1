"""The check of the input of every metric: two samples of the same rows, finite, and enough of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atlas.shapes import Float64

Rows = NDArray[np.float64]

MIN_ROWS = 3
"""Below this no correlation between centred rows, or between distances, can be other than -1, 0 or 1."""


def matched(
    x: ArrayLike, y: ArrayLike, *, minimum: int = MIN_ROWS, what: str = "a comparison"
) -> tuple[Float64[np.ndarray, "n p"], Float64[np.ndarray, "n q"]]:
    """x and y as (n, p) and (n, q) float64, or ValueError saying what does not fit; `what` needs `minimum` rows."""
    x, y = in_range(finite_rows(x, "x")), in_range(finite_rows(y, "y"))
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; row i of both must belong together")
    if len(x) < minimum:
        raise ValueError(f"{len(x)} matched rows; {what} needs at least {minimum}")
    return x, y


def in_range(x: Float64[np.ndarray, "n p"]) -> Float64[np.ndarray, "n p"]:
    """The sample, or the sample times a power of 2 where its squares would overflow or vanish: metrics ignore scale."""
    largest = float(np.abs(x).max(initial=0.0))
    return x if largest == 0 or 1e-100 < largest < 1e100 else np.ldexp(x, -int(np.frexp(largest)[1]))


def centred(x: Float64[np.ndarray, "n p"], name: str) -> Float64[np.ndarray, "n p"]:
    """The sample less its mean row, or ValueError if all rows are equal."""
    if not np.ptp(x, axis=0).any():
        raise ValueError(f"{name} does not vary: all of its {len(x)} rows are equal")
    return x - x.mean(axis=0)


def same_gram(x: Float64[np.ndarray, "n p"]) -> Float64[np.ndarray, "n r"]:
    """A sample with the same inner products between its rows and at most n columns: x itself if it is not wider."""
    return x if x.shape[1] <= len(x) else np.ascontiguousarray(np.transpose(np.linalg.qr(x.T)[1]))


def unit_rows(x: Float64[np.ndarray, "n p"], name: str) -> Float64[np.ndarray, "n p"]:
    """Every row divided by its length, or ValueError naming the first that is zero."""
    zero = ~x.any(axis=1)
    if zero.any():
        raise ValueError(f"row {np.flatnonzero(zero)[0]} of {name} is zero: its cosine is undefined")
    # By the largest entry first, so that no square overflows or vanishes.
    x = x / np.abs(x).max(axis=1, keepdims=True)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def finite_rows(sample: ArrayLike, name: str) -> Float64[np.ndarray, "n p"]:
    """A sample as (n, p) float64, or ValueError if it is not a matrix of finite numbers."""
    rows = np.asarray(sample, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError(f"{name} must be rows by columns with at least one column, not of shape {rows.shape}")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise ValueError(f"{name} holds values that are not finite, first in row {bad[0]}")
    return rows
