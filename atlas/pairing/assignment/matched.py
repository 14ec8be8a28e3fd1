"""Two ways to match features one to one, each with its chance level: largest sum, or largest value first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.assignment.assign import assign
from atlas.pairing.assignment.greedy import greedy
from atlas.pairing.assignment.inputs import candidates_of
from atlas.pairing.assignment.measures import over_tokens, source_of_measure, unrelated
from atlas.pairing.assignment.sources import Chosen, Source
from atlas.pairing.measures.registry import Measure
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.products import joint_at, threads
from atlas.pairing.search.sides import Sides
from atlas.pairing.search.standardised import fires

_LEAST_POSITIVE = float(np.nextafter(0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Pairs, each feature at most once on its side."""

    rows: NDArray[np.int64]
    """(n_pairs,) feature of a, ascending."""

    cols: NDArray[np.int64]
    """(n_pairs,) its partner in b."""

    values: NDArray[np.float64]
    """(n_pairs,) value of each pair, in the range of the measure."""

    gap: float | None
    """No matching has a sum larger by more than this; None if that is not known."""

    certified: bool
    """Whether the sum is proved to be the largest."""

    @property
    def mean(self) -> float | None:
        """Mean value; None without pairs."""
        return float(self.values.mean()) if len(self.values) else None


def assigned(measure: Measure, arguments: tuple[Any, ...], seed: int, report: Progress) -> tuple[Matched, float | None]:
    """The assignment of largest sum, and its mean value where nothing belongs together.

    Features without a value by weights, whose row is all zeros or moves nothing, stay alone and count in no mean.

    Args:
        measure: What is compared.
        arguments: What its function takes, as in `Sides`.
        seed: As of `unrelated`.
        report: Called as `report(done, total)`: rows of the matrix read, for the assignment and its chance level.
    """
    found = _assigned(measure, arguments, False, report)
    by_chance, _ = unrelated(measure, arguments, seed)
    return found, _assigned(measure, by_chance, True, report).mean


def _assigned(measure: Measure, arguments: tuple[Any, ...], second: bool, report: Progress) -> Matched:
    source = source_of_measure(measure, arguments)
    n, before = source.shape[0], source.shape[0] if second else 0
    rows, columns = map(np.arange, source.shape)
    if source.defined:
        rows, columns = map(np.flatnonzero, source.defined)
    watched: Source = _Watched(source, before, report)
    if (len(rows), len(columns)) != source.shape:
        watched = Chosen(watched, rows, columns)
    found = assign(watched, alone=over_tokens(measure))
    report(before + n, 2 * n)
    return Matched(rows[found.rows], columns[found.cols], found.values, found.gap, found.certified)


class _Watched(Source):
    """A source that tells how many of its rows were looked at."""

    def __init__(self, source: Source, before: int, report: Progress) -> None:
        """Take the source, the rows that were read before it, and whom to tell."""
        self._source, self._before, self._report = source, before, report
        self._seen, self._lock = np.zeros(source.shape[0], dtype=bool), Lock()
        self.shape, self.error = source.shape, source.error

    def take(self, ids: NDArray) -> NDArray:
        """Rows."""
        return self._source.take(ids)

    def screen(self, ids: NDArray) -> NDArray:
        """A coarse look at rows; every block of the search begins with one, so it is counted."""
        block = self._source.screen(ids)
        with self._lock:
            self._seen[ids] = True
            self._report(self._before + int(self._seen.sum()), 2 * self.shape[0])
        return block

    def at(self, rows: NDArray, columns: NDArray) -> NDArray[np.float64]:
        """Single values."""
        return self._source.at(rows, columns)


def greedily(
    measure: Measure,
    sides: Sides,
    pairs: Mapping[str, NDArray],
    top_k: int,
    seed: int,
    on_progress: Progress | None,
) -> tuple[Matched, float | None]:
    """The largest value first among stored pairs, and its mean value where nothing belongs together.

    Args:
        measure: What is compared.
        sides: Both sides, for the chance level.
        pairs: Columns of `pair`, as from a to b.
        top_k: Partners that were stored for each feature.
        seed: As of `unrelated`.
        on_progress: Called as `on_progress(done, total)`, counted in features of a.
    """
    shape = (len(sides.n_a), len(sides.n_b))
    values = sp.csr_array((pairs["value"], (pairs["feature_a"], pairs["feature_b"])), shape=shape)
    found = _greedy(measure, values)
    by_chance, _ = unrelated(measure, sides.arguments, seed)
    top = candidates_of(measure.function(*by_chance, top_k=top_k, on_progress=on_progress))
    chance = _greedy(measure, sp.csr_array((top.values, (top.rows, top.columns)), shape=shape))
    return found, chance.mean


def _greedy(measure: Measure, values: sp.csr_array) -> Matched:
    """As `greedy`; where tokens are compared, pairs worth 0 or less are left out, as in the assignment."""
    least = _LEAST_POSITIVE if over_tokens(measure) else -np.inf
    return Matched(*greedy(values, min_value=least), gap=None, certified=False)


def matched_columns(measure: Measure, sides: Sides, found: Matched) -> dict[str, NDArray]:
    """The pairs as columns of table `matching_pair`."""
    if over_tokens(measure):
        x, y = (fires(side) for side in sides.arguments)
        with threads(None) as pool:
            joint = np.ma.asarray(joint_at(x, y, found.rows, found.cols, pool))
    else:
        joint = np.ma.masked_equal(np.zeros(len(found.rows), dtype=np.int64), 0)
    return {
        "feature_a": found.rows.astype(np.int32),
        "feature_b": found.cols.astype(np.int32),
        "value": found.values,
        "n_a": sides.n_a[found.rows],
        "n_b": sides.n_b[found.cols],
        "n_ab": joint,
    }
