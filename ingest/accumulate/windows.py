"""The contexts in which every feature fires most strongly, with its activations around the peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.accumulate.codes import Codes, TokenMap, contenders, run_starts, spans, strongest
from ingest.accumulate.limits import REACH, TOP_CONTEXTS


@dataclass(frozen=True, slots=True)
class TopContexts:
    """The strongest contexts of each feature, one row a context: by feature, then activation down, then token up."""

    feature: np.ndarray
    """(rows,) int32: feature, at most `TOP_CONTEXTS` rows each."""

    token: np.ndarray
    """(rows,) int64: token_index of the peak; the first of equal ones."""

    activation: np.ndarray
    """(rows,) float32: activation at the peak."""

    context: np.ndarray
    """(rows,) int32: context in the corpus."""

    position: np.ndarray
    """(rows,) int32: place of the peak in the context, from 0."""

    start: np.ndarray
    """(rows,) int32: place of the window's first token in the context."""

    length: np.ndarray
    """(rows,) int32: tokens of the window, special ones included."""

    n_inside: np.ndarray
    """(rows,) int32: firing tokens of the window, which the next two fields list."""

    place: np.ndarray
    """(sum of n_inside,) int16: place of a firing token in its window, from 0."""

    value: np.ndarray
    """(sum of n_inside,) float32: activation of that token."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> TopContexts:
        """Strongest contexts of one piece."""
        context = tokens.context[codes.token]
        begins = run_starts(codes.feature, context)
        lengths = np.diff(np.append(begins, len(codes)))
        peak = _first_peaks(codes.activation, begins, lengths)
        rows = contenders(codes.feature[peak], codes.activation[peak], TOP_CONTEXTS)
        best = peak[rows]
        rows = rows[strongest(codes.feature[best], codes.activation[best], codes.token[best], TOP_CONTEXTS)]
        begins, lengths, peak = begins[rows], lengths[rows], peak[rows]
        position = tokens.position[codes.token[peak]]
        start = np.maximum(position - REACH, 0)
        end = np.minimum(position + REACH + 1, tokens.context_length[codes.token[peak]])
        firing, row = spans(begins, lengths), np.repeat(np.arange(len(rows)), lengths)
        place = tokens.position[codes.token[firing]] - start[row]
        inside = (place >= 0) & (place < (end - start)[row])
        return cls(
            feature=codes.feature[peak],
            token=codes.token[peak].astype(np.int64) + tokens.first,
            activation=codes.activation[peak],
            context=context[peak],
            position=position,
            start=start,
            length=end - start,
            n_inside=np.bincount(row[inside], minlength=len(rows)).astype(np.int32),
            place=place[inside].astype(np.int16),
            value=codes.activation[firing[inside]],
        )

    def merge(self, other: TopContexts) -> TopContexts:
        """Strongest contexts of both pieces."""
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__}
        rows = strongest(both["feature"], both["activation"], both["token"], TOP_CONTEXTS)
        n_inside = both["n_inside"].astype(np.int64)
        listed = spans((np.cumsum(n_inside) - n_inside)[rows], n_inside[rows])
        return TopContexts(
            **{name: both[name][rows] for name in self.__slots__ if name not in ("place", "value")},
            place=both["place"][listed],
            value=both["value"][listed],
        )

    def activations(self) -> tuple[np.ndarray, np.ndarray]:
        """Activations of every token of every window, one window after another, and where each window begins."""
        offsets = np.concatenate([[0], np.cumsum(self.length, dtype=np.int64)])
        dense = np.zeros(int(offsets[-1]), np.float32)
        dense[np.repeat(offsets[:-1], self.n_inside) + self.place] = self.value
        return dense, offsets


def _first_peaks(activation: np.ndarray, begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Index of the first largest activation of each run."""
    if not len(begins):
        return begins
    run = np.repeat(np.arange(len(begins)), lengths)
    at_peak = np.flatnonzero(activation == np.maximum.reduceat(activation, begins)[run])
    return at_peak[run_starts(run[at_peak])]
