"""Two ways to match features one to one, each with its chance level: largest sum, or largest value first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.assignment.assign import assign
from atlas.pairing.assignment.greedy import greedy
from atlas.pairing.assignment.inputs import Chosen, candidates_of
from atlas.pairing.measures.operands import Operands
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.source import Source

_SMALLEST_POSITIVE = float(np.nextafter(0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class OneToOne:
    """Pairs of features, each feature in at most one of them."""

    rows: NDArray[np.int64]
    """(n_pairs,) feature of a, ascending."""
    cols: NDArray[np.int64]
    """(n_pairs,) its partner in b."""
    values: NDArray[np.float64]
    """(n_pairs,) value of each pair, in the range of the measure."""
    gap: float | None
    """No matching has a sum larger by more than this; None if that is not known."""
    certified: bool
    """Whether the sum is proved to be the maximum."""

    @property
    def mean(self) -> float | None:
        """Mean value; None without pairs."""
        return float(self.values.mean()) if len(self.values) else None


def assigned(operands: Operands, *, seed: int, on_progress: Progress | None = None) -> tuple[OneToOne, float | None]:
    """The assignment of largest sum, and its chance level: its mean value for `operands.unrelated(seed)`.

    Features without a value, as of weights that are all zeros, stay unmatched. Progress counts the rows of the matrix
    read, for the assignment and its chance level.
    """
    report = on_progress or (lambda done, total: None)
    found = _assigned(operands, False, report)
    return found, _assigned(operands.unrelated(seed), True, report).mean


def _assigned(operands: Operands, second: bool, report: Progress) -> OneToOne:
    source = operands.rows()
    n, before = source.shape[0], source.shape[0] if second else 0
    rows, columns = map(np.arange, source.shape)
    if source.defined:
        rows, columns = map(np.flatnonzero, source.defined)
    watched: Source = _Watched(source, before, report)
    if (len(rows), len(columns)) != source.shape:
        watched = Chosen(watched, rows, columns)
    found = assign(watched, alone=operands.measure.of_activations)
    report(before + n, 2 * n)
    return OneToOne(rows[found.rows], columns[found.cols], found.values, found.gap, found.certified)


class _Watched(Source):
    """A source that reports how many of its rows were read."""

    def __init__(self, source: Source, before: int, report: Progress) -> None:
        self._source, self._before, self._report = source, before, report
        self._seen, self._lock = np.zeros(source.shape[0], dtype=bool), Lock()
        self.shape, self.error, self.take, self.at = source.shape, source.error, source.take, source.at

    def screen(self, ids: NDArray) -> NDArray:
        """Approximate rows; every block of the search begins with them, so they are counted."""
        block = self._source.screen(ids)
        with self._lock:
            self._seen[ids] = True
            self._report(self._before + int(self._seen.sum()), 2 * self.shape[0])
        return block


def greedily(
    operands: Operands, pairs: Mapping[str, NDArray], *, top_k: int, seed: int, on_progress: Progress | None = None
) -> tuple[OneToOne, float | None]:
    """The largest value first among stored pairs, and the mean value of that for `operands.unrelated(seed)`.

    `pairs` are columns of `pair`, with `top_k` partners of each feature. Progress counts features of a.
    """
    shape = (len(operands.n_a), len(operands.n_b))
    # Where tokens are compared, pairs with values of 0 or less are left out, as in the assignment.
    low = _SMALLEST_POSITIVE if operands.measure.of_activations else -np.inf
    values = sp.csr_array((pairs["value"], (pairs["feature_a"], pairs["feature_b"])), shape=shape)
    found = OneToOne(*greedy(values, min_value=low), gap=None, certified=False)
    unrelated = operands.unrelated(seed)
    top = candidates_of(operands.measure.search(*unrelated.arguments, top_k=top_k, on_progress=on_progress))
    by_chance = greedy(sp.csr_array((top.values, (top.rows, top.columns)), shape=shape), min_value=low)
    return found, OneToOne(*by_chance, gap=None, certified=False).mean


def matched_columns(operands: Operands, found: OneToOne) -> dict[str, NDArray]:
    """The pairs as columns of table `matching_pair`."""
    joint = operands.joint_at(found.rows, found.cols)
    return {
        "feature_a": found.rows.astype(np.int32),
        "feature_b": found.cols.astype(np.int32),
        "value": found.values,
        "n_a": operands.n_a[found.rows],
        "n_b": operands.n_b[found.cols],
        "n_ab": np.ma.masked_less(np.full(len(found.rows), -1) if joint is None else joint, 0),
    }
