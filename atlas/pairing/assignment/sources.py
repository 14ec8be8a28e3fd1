"""Sources of rows that a caller has already: an array, a sparse array, a function, or a part of another source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.search.source import Source


@runtime_checkable
class RowSource(Protocol):
    """Anything that gives rows of an (n, m) matrix of finite values."""

    shape: tuple[int, int]
    """Rows n and columns m."""

    def rows(self, start: int, stop: int) -> NDArray:
        """Rows [start, stop) as a (stop - start, m) array, the same numbers at every call."""
        ...


class Chosen(Source):
    """Some rows and columns of a source, numbered anew."""

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
    """An (n, m) SciPy CSR array whose missing entries are worth 0."""

    def __init__(self, values: sp.csr_array, shape: tuple[int, int]) -> None:
        self._values, self.shape = values, shape

    def take(self, ids: NDArray) -> NDArray:
        return self._values[ids].toarray().astype(np.float64)


class FunctionSource(Source):
    """A function that gives rows [start, stop) of an (n, m) matrix."""

    def __init__(self, function: Callable[[int, int], Any], shape: tuple[int, int]) -> None:
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
