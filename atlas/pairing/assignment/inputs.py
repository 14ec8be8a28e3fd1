"""The inputs of `assign` and `greedy` in one of two forms: a source of rows, or a list of candidate pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.assignment.scan import Seen
from atlas.pairing.search.source import Source


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Pairs with a value, each once, sorted by row and column."""

    shape: tuple[int, int]
    """Rows n and columns m."""
    rows: NDArray[np.integer]
    """(n_pairs,) row of each pair."""
    columns: NDArray[np.integer]
    """(n_pairs,) column of each pair."""
    values: NDArray[np.float64]
    """(n_pairs,) value of each pair, finite."""
    seen: Seen | None
    """Bounds on the values of all other pairs; None if no other pair is possible."""


def source_of(values: Any) -> Source | None:
    """The rows of an array or block source; None for sparse arrays and top-k lists.

    Raises:
        ValueError: Not a matrix of finite real numbers.
    """
    if isinstance(values, Source):
        return values
    if sp.issparse(values) or hasattr(values, "index_ab"):
        return None
    if hasattr(values, "rows") and hasattr(values, "shape"):
        return FunctionSource(values.rows, values.shape)
    array = np.asarray(values)
    _refuse_unreal(array)
    if array.ndim != 2:
        raise ValueError(f"values have shape {array.shape}; they must be a matrix, rows by columns")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"value ({row}, {column}) is {array[row, column]}; all values must be finite")
    return DenseSource(array)


def candidates_of(values: Any) -> Candidates:
    """The stored pairs of a sparse array or of top-k lists.

    Raises:
        ValueError: Values that are not finite real numbers.
    """
    if not sp.issparse(values):
        return _of_top_pairs(values)
    _refuse_unreal(values)
    matrix = sp.csr_array(values, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    n, m = values.shape
    rows = np.repeat(np.arange(n, dtype=np.int32), np.diff(matrix.indptr))
    columns = matrix.indices.astype(np.int32, copy=False)
    if not np.isfinite(matrix.data).all():
        at = np.flatnonzero(~np.isfinite(matrix.data))[0]
        raise ValueError(f"value ({rows[at]}, {columns[at]}) is {matrix.data[at]}; all values must be finite")
    data: Any = matrix.data
    return Candidates((n, m), rows, columns, data, None)


def _of_top_pairs(top: Any) -> Candidates:
    """Both directions together; a pair in neither is at most the value at the last rank of its row and column."""
    n, m = len(top.index_ab), len(top.index_ba)
    a, rank_a = np.nonzero(top.index_ab >= 0)
    b, rank_b = np.nonzero(top.index_ba >= 0)
    key = np.append(a * max(m, 1) + top.index_ab[a, rank_a], top.index_ba[b, rank_b].astype(np.int64) * max(m, 1) + b)
    values = np.append(top.value_ab[a, rank_a], top.value_ba[b, rank_b]).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("the top pairs hold values that are not finite")
    key, first = np.unique(key, return_index=True)
    rows, columns = np.divmod(key, max(m, 1))
    seen = Seen(_floor(top.index_ab, top.value_ab), _floor(top.index_ba, top.value_ba))
    return Candidates((n, m), rows, columns, values[first], seen)


def _floor(index: NDArray, value: NDArray) -> NDArray[np.float64]:
    """The value at the last rank; -inf where a feature has fewer partners, as all of them are stored then."""
    return np.where(index[:, -1] >= 0, value[:, -1], -np.inf).astype(np.float64)


def _refuse_unreal(values: Any) -> None:
    if values.dtype.kind not in "biuf":
        raise ValueError(f"values are of type {values.dtype}; they must be real numbers")


class Chosen(Source):
    """Some rows and columns of a source, with new numbers."""

    def __init__(self, source: Source, rows: NDArray, columns: NDArray) -> None:
        self._source, self._rows, self._columns = source, rows, columns
        self.shape, self.error = (len(rows), len(columns)), source.error

    def take(self, ids: NDArray) -> NDArray:
        return self._source.take(self._rows[ids])[:, self._columns]

    def screen(self, ids: NDArray) -> NDArray:
        return self._source.screen(self._rows[ids])[:, self._columns]

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        return self._source.at(self._rows[rows], self._columns[columns])


class DenseSource(Source):
    """An (n, m) array of real numbers in memory."""

    def __init__(self, values: NDArray) -> None:
        self._values = values
        self.shape = (values.shape[0], values.shape[1])

    def take(self, ids: NDArray) -> NDArray:
        return self._values[ids].astype(np.float64)

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        return self._values[rows, columns].astype(np.float64)


class SparseSource(Source):
    """An (n, m) SciPy CSR array whose missing entries are 0."""

    def __init__(self, values: sp.csr_array, shape: tuple[int, int]) -> None:
        self._values, self.shape = values, shape

    def take(self, ids: NDArray) -> NDArray:
        return self._values[ids].toarray().astype(np.float64)


class FunctionSource(Source):
    """A function that gives rows [start, stop) of an (n, m) matrix, the same numbers at every call."""

    def __init__(self, function: Callable[[int, int], Any], shape: tuple[int, int]) -> None:
        self._function, self.shape = function, (int(shape[0]), int(shape[1]))

    def take(self, ids: NDArray) -> NDArray:
        """Rows, one call of the function for every run of consecutive ids."""
        blocks = [np.empty((0, self.shape[1]))]
        for run in np.split(ids, np.flatnonzero(np.diff(ids) > 1) + 1) if len(ids) else ():
            start, stop = int(run[0]), int(run[-1]) + 1
            block, wanted = np.array(self._function(start, stop), dtype=np.float64), (stop - start, self.shape[1])
            if block.shape != wanted:
                raise ValueError(f"rows [{start}, {stop}) have shape {block.shape}; they must have {wanted}")
            blocks.append(block)
        return np.concatenate(blocks)
