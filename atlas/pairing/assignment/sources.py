"""Dense value matrices that are never held whole: rows are computed when the assignment asks for them.

Values are exact to float64 rounding. A source may also offer a faster, coarser look at its rows with a proved bound
on the difference, which is used to find candidates and never to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.activation import standardised
from atlas.pairing.search.inner import inner_at

GATHERED = 4_000_000
"""Most numbers gathered at a time for the values of single pairs: 32 MB a side."""

COARSEST = 1e-4
"""Rounding of single precision above which candidates are sought in double precision."""


@runtime_checkable
class BlockSource(Protocol):
    """Anything that gives rows of an (n, m) matrix of finite values."""

    shape: tuple[int, int]
    """Rows n and columns m."""

    def rows(self, start: int, stop: int) -> NDArray:
        """Rows [start, stop) as a (stop - start, m) array, the same numbers at every call."""
        ...


class Source:
    """Base of the sources here: rows by id, single values, and a coarse look at rows."""

    shape: tuple[int, int]
    """Rows n and columns m."""

    error: float = 0.0
    """No value of `screen` is further than this from the exact one."""

    defined: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None
    """(n,) rows and (m,) columns that have a value at all, where others are to stay alone; None where all have."""

    def rows(self, start: int, stop: int) -> NDArray:
        """Rows [start, stop) as a (stop - start, m) float64 array."""
        return self.take(np.arange(start, stop))

    def take(self, ids: NDArray) -> NDArray:
        """The rows of some ids, ascending, as a (len(ids), m) float64 array that the caller may change."""
        raise NotImplementedError

    def screen(self, ids: NDArray) -> NDArray:
        """The same within `error`, perhaps faster and in float32."""
        return self.take(ids)

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        """The values of single pairs, (len(rows),) float64."""
        values = np.empty(len(rows))
        order = np.argsort(rows, kind="stable")
        for part in np.array_split(order, max(1, len(rows) * self.shape[1] // GATHERED)):
            ids, row = np.unique(rows[part], return_inverse=True)
            values[part] = self.take(ids)[row, columns[part]] if len(part) else 0.0
        return values


class Chosen(Source):
    """Some rows and columns of a source, numbered anew."""

    def __init__(self, source: Source, rows: NDArray, columns: NDArray) -> None:
        """Take the source and the ascending ids of its rows and of its columns."""
        self._source, self._rows, self._columns = source, rows, columns
        self.shape, self.error = (len(rows), len(columns)), source.error

    def take(self, ids: NDArray) -> NDArray:
        """Rows."""
        return self._source.take(self._rows[ids])[:, self._columns]

    def screen(self, ids: NDArray) -> NDArray:
        """A coarse look at rows."""
        return self._source.screen(self._rows[ids])[:, self._columns]

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        """Single values."""
        return self._source.at(self._rows[rows], self._columns[columns])


class DenseSource(Source):
    """An array in memory."""

    def __init__(self, values: NDArray) -> None:
        """Take an (n, m) array of real numbers."""
        self._values = values
        self.shape = (values.shape[0], values.shape[1])

    def take(self, ids: NDArray) -> NDArray:
        """Copies of rows."""
        return self._values[ids].astype(np.float64)

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        """Single values."""
        return self._values[rows, columns].astype(np.float64)


class SparseSource(Source):
    """A SciPy sparse array whose missing entries are worth 0."""

    def __init__(self, values: sp.csr_array, shape: tuple[int, int]) -> None:
        """Take an (n, m) CSR array and its shape."""
        self._values, self.shape = values, shape

    def take(self, ids: NDArray) -> NDArray:
        """Dense rows."""
        return self._values[ids].toarray().astype(np.float64)


class Blocks(Source):
    """A function that gives rows [start, stop) of an (n, m) matrix."""

    def __init__(self, function: Callable[[int, int], Any], shape: tuple[int, int]) -> None:
        """Take the function and the shape of the whole matrix."""
        self._function, self.shape = function, (int(shape[0]), int(shape[1]))

    def take(self, ids: NDArray) -> NDArray:
        """Rows, one call of the function for every run of ids without a gap."""
        runs = np.split(ids, np.flatnonzero(np.diff(ids) > 1) + 1) if len(ids) else []
        blocks = [self._block(int(run[0]), int(run[-1]) + 1) for run in runs]
        return np.concatenate(blocks) if blocks else np.empty((0, self.shape[1]))

    def _block(self, start: int, stop: int) -> NDArray:
        block = np.array(self._function(start, stop), dtype=np.float64)
        if block.shape != (stop - start, self.shape[1]):
            wanted = (stop - start, self.shape[1])
            raise ValueError(f"rows [{start}, {stop}) have shape {block.shape}; they must have {wanted}")
        return block


class CosineSource(Source):
    """Cosine similarity of the rows of two matrices, as of decoder directions; a row of zeros has 0 with every other.

    Memory: a float32 copy of both. Candidates are sought in float32 within the proved error, values are float64.
    """

    def __init__(self, x: NDArray, y: NDArray) -> None:
        """Take the (n, d) and (m, d) matrices, finite.

        Raises:
            ValueError: Unequal d, or values that are not finite.
        """
        if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
            raise ValueError(f"x has shape {x.shape} and y {y.shape}; both must be matrices of equally many columns")
        self._sides = (x, y)
        self._norms = tuple(_norms(side, name) for side, name in ((x, "x"), (y, "y")))
        self._quick = tuple(
            (side / norms[:, None]).astype(np.float32) for side, norms in zip(self._sides, self._norms, strict=True)
        )
        self.shape = (len(x), len(y))
        self.defined = (np.asarray(x.any(axis=1)), np.asarray(y.any(axis=1)))
        # Higham 2002, sec. 3.1: |error| <= gamma_d |x|.|y| for any order of summation, and both sides were rounded.
        unit = 2.0**-24 * (x.shape[1] + 4)
        self.error = unit / (1 - unit)

    def take(self, ids: NDArray) -> NDArray:
        """Rows in float64."""
        left, block = self._unit(0, ids), np.empty((len(ids), self.shape[1]))
        for start in range(0, self.shape[1], 4096):
            stop = min(start + 4096, self.shape[1])
            np.matmul(left, self._unit(1, np.arange(start, stop)).T, out=block[:, start:stop])
        return block

    def screen(self, ids: NDArray) -> NDArray:
        """Rows in float32, twice as fast."""
        return self._quick[0][ids] @ self._quick[1].T

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        """Single values, the same bits whatever else is asked for."""
        values = np.empty(len(rows))
        step = max(1, GATHERED // max(self._sides[0].shape[1], 1))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            values[part] = np.einsum("ij,ij->i", self._unit(0, rows[part]), self._unit(1, columns[part]))
        return values

    def _unit(self, side: int, ids: NDArray) -> NDArray[np.float64]:
        return self._sides[side][ids].astype(np.float64) / self._norms[side][ids, None]


def _norms(side: NDArray, name: str) -> NDArray[np.float64]:
    """Euclidean norms of rows; 1 for a row of zeros, so that it stays one."""
    norms = np.sqrt(np.einsum("ij,ij->i", side, side, dtype=np.float64))
    if not np.isfinite(norms).all():
        raise ValueError(f"{name} holds values that are not finite")
    return np.where(norms > 0, norms, 1.0)


class InnerSource(Source):
    """Inner products of two sets of vectors, clipped to [-1, 1]; a vector with a NaN has 0 with every other.

    Memory: a float32 copy of both, if its rounding is small; else float64 products are sought in directly.
    """

    def __init__(self, left: NDArray, right: NDArray) -> None:
        """Take the (n, d) and (m, d) vectors, float64, NaN or finite."""
        in_x, in_y = (np.asarray(np.isfinite(side).all(axis=1)) for side in (left, right))
        self.defined = (in_x, in_y)
        x, y = (np.where(known[:, None], side, 0.0) for known, side in ((in_x, left), (in_y, right)))
        self._sides, self.shape = (x, y), (len(x), len(y))
        longest = [np.sqrt(np.vecdot(side, side)).max(initial=0.0) for side in (x, y)]
        terms = x.shape[1] + 4  # as of CosineSource: a product is off by so many roundings of the lengths' product
        self._dtype = np.float32 if terms * 2.0**-24 * longest[0] * longest[1] < COARSEST else np.float64
        unit = terms * float(np.finfo(self._dtype).eps) / 2
        self.error = max(unit / (1 - unit) * longest[0] * longest[1], float(np.finfo(np.float64).tiny))
        self._quick = (x.astype(self._dtype, copy=False), y.astype(self._dtype, copy=False))

    def take(self, ids: NDArray) -> NDArray:
        """Rows in float64."""
        return np.clip(self._sides[0][ids] @ self._sides[1].T, -1.0, 1.0)

    def screen(self, ids: NDArray) -> NDArray:
        """Rows in the precision that is good enough."""
        return np.clip(self._quick[0][ids] @ self._quick[1].T, -1.0, 1.0)

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        """Single values, the same bits whatever else is asked for."""
        return inner_at(*self._sides, rows, columns)


class CorrelationSource(Source):
    """Pearson r of the features of two scans over the same tokens; where r is undefined the value is 0."""

    def __init__(self, a: Any, b: Any, *, signed: bool = False) -> None:
        """Take (n_tokens, d_a) and (n_tokens, d_b) activations, any SciPy sparse arrays or `Standardised`.

        Args:
            a: Activations >= 0 of one SAE.
            b: Those of the other SAE on the same tokens.
            signed: Take values below zero, as attributions have them.

        Raises:
            ValueError: Unequal token counts, or activations that are negative or not finite.
        """
        if a.shape[0] != b.shape[0]:
            raise ValueError(f"a has {a.shape[0]} tokens and b has {b.shape[0]}; both must hold the same tokens")
        x, y = standardised(a, "a", signed), standardised(b, "b", signed)
        self._by_feature, self._by_token = x.by_feature, y.by_token
        self._ratios = np.nan_to_num(x.ratio), np.nan_to_num(y.ratio)
        self.shape = (a.shape[1], b.shape[1])

    def take(self, ids: NDArray) -> NDArray:
        """Rows of r, in [-1, 1]."""
        r = (self._by_feature[ids] @ self._by_token).toarray()
        r -= self._ratios[0][ids, None] * self._ratios[1]
        return np.clip(r, -1.0, 1.0, out=r)
