"""Stretches of contexts with a feature's activations on them, and the contexts in which every feature fires most."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from atlas.shapes import Float32, Int32, Int64
from ingest.accumulate.codes import Codes, TokenMap, first_strongest, run_starts, spans, strongest
from ingest.accumulate.limits import REACH, TOP_CONTEXTS


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of contexts, one row a window, each around one token of one context."""

    feature: Int32[np.ndarray, " rows"]
    """Feature."""
    token: Int64[np.ndarray, " rows"]
    """token_index of the token in the centre."""
    activation: Float32[np.ndarray, " rows"]
    """Activation there."""
    context: Int32[np.ndarray, " rows"]
    """Context in the corpus."""
    position: Int32[np.ndarray, " rows"]
    """Place of the centre in the context, from 0."""
    start: Int32[np.ndarray, " rows"]
    """Place of the window's first token in the context."""
    length: Int32[np.ndarray, " rows"]
    """Tokens of the window, special ones included."""
    n_inside: Int32[np.ndarray, " rows"]
    """Firing tokens of the window, which the next two fields list."""
    place: np.ndarray
    """(sum of n_inside,) int16: place of a firing token in its window, from 0."""
    value: Float32[np.ndarray, " inside"]
    """Activation of that token."""

    def activations(self) -> tuple[np.ndarray, np.ndarray]:
        """Activations of every token of every window, one window after another, and where each window begins."""
        offsets = np.concatenate([[0], np.cumsum(self.length, dtype=np.int64)])
        dense = np.zeros(int(offsets[-1]), np.float32)
        dense[np.repeat(offsets[:-1], self.n_inside) + self.place] = self.value
        return dense, offsets


@dataclass(frozen=True, slots=True)
class TopContexts(Windows):
    """The strongest contexts of each feature, `TOP_CONTEXTS` at most: by feature, then activation down, then token up.

    The token in the centre is the context's peak, the first of equal ones.
    """

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> TopContexts:
        """Strongest contexts of one piece."""
        begins, lengths, peak = context_peaks(codes, tokens)
        rows = first_strongest(codes.feature[peak], codes.activation[peak], TOP_CONTEXTS)
        peak = peak[rows]
        return cls(
            feature=codes.feature[peak],
            activation=codes.activation[peak],
            **windows_around(codes.token[peak], codes, begins[rows], lengths[rows], tokens),
        )

    def merge(self, other: TopContexts) -> TopContexts:
        """Strongest contexts of both pieces."""
        both = {f.name: np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)}
        rows = strongest(both["feature"], both["activation"], both["token"], TOP_CONTEXTS)
        n_inside = both["n_inside"].astype(np.int64)
        listed = spans((np.cumsum(n_inside) - n_inside)[rows], n_inside[rows])
        lists = {name: both.pop(name)[listed] for name in ("place", "value")}
        return TopContexts(**{name: column[rows] for name, column in both.items()}, **lists)


def context_peaks(codes: Codes, tokens: TokenMap) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every (feature, context) that fires: index of its first code, number of codes, index of the first largest."""
    begins = run_starts(codes.feature, tokens.context[codes.token])
    lengths = np.diff(np.append(begins, len(codes)))
    run = np.repeat(np.arange(len(begins)), lengths)
    at_peak = np.flatnonzero(codes.activation == np.maximum.reduceat(codes.activation, begins)[run])
    return begins, lengths, at_peak[run_starts(run[at_peak])]


def windows_around(
    centre: np.ndarray, codes: Codes, begins: np.ndarray, lengths: np.ndarray, tokens: TokenMap
) -> dict[str, np.ndarray]:
    """The fields of `Windows`, without feature and activation.

    Args:
        centre: (rows,) token in the centre of each window, counted from the first of the piece.
        codes: Codes of the piece.
        begins: (rows,) index of the first code of the feature in that context.
        lengths: (rows,) number of codes of the feature in that context.
        tokens: Tokens of the piece.
    """
    position = tokens.position[centre]
    start = np.maximum(position - REACH, 0)
    end = np.minimum(position + REACH + 1, tokens.context_length[centre])
    firing, row = spans(begins, lengths), np.repeat(np.arange(len(centre)), lengths)
    place = tokens.position[codes.token[firing]] - start[row]
    inside = (place >= 0) & (place < (end - start)[row])
    return {
        "token": centre.astype(np.int64) + tokens.first,
        "context": tokens.context[centre],
        "position": position,
        "start": start,
        "length": end - start,
        "n_inside": np.bincount(row[inside], minlength=len(centre)).astype(np.int32),
        "place": place[inside].astype(np.int16),
        "value": codes.activation[firing[inside]],
    }
