"""Draws contexts in which a feature never fires, without a list of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np

from atlas.shapes import Int32, Int64
from ingest.accumulate.codes import TokenMap, run_starts
from ingest.accumulate.limits import SILENT_CONTEXTS
from ingest.accumulate.splitmix import mixed

_ORDER, _START, _STEP, _CENTRE = range(100, 104)
_FIRST_LOOK = 16


@dataclass(frozen=True, slots=True)
class Silence:
    """The contexts of a corpus in an order of their own, through which every feature walks in its own steps.

    A walk goes round p places, p the smallest prime that is at least the number of contexts, so that every step
    reaches every context once. It takes the first silent ones it meets.
    """

    seed: int
    """Of every draw."""
    contexts: Int32[np.ndarray, " contexts"]
    """Number of each context in the corpus, in the seeded order."""
    begins: Int64[np.ndarray, " contexts"]
    """Its first counted token."""
    lengths: Int64[np.ndarray, " contexts"]
    """Its counted tokens."""
    place: Int64[np.ndarray, " tokens"]
    """Place in the seeded order of the context of each counted token."""

    @classmethod
    def of(cls, tokens: TokenMap, seed: int) -> Silence:
        """Order the contexts of a piece."""
        begins = run_starts(tokens.context)
        lengths = np.diff(np.append(begins, len(tokens)))
        order = np.argsort(mixed(tokens.context[begins], seed, _ORDER))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return cls(seed, tokens.context[begins][order], begins[order], lengths[order], np.repeat(place, lengths))

    def draw(self, features: np.ndarray, row: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and counted token of the contexts drawn, row by row, in the order of the draw.

        Args:
            features: Number in the SAE of the feature of each row.
            row: Row of each firing context.
            token: A token of that context.
        """
        n, prime = len(self.contexts), _prime_from(len(self.contexts))
        start = mixed(features, self.seed, _START) % np.uint64(prime)
        step = mixed(features, self.seed, _STEP) % np.uint64(prime - 1) + np.uint64(1)
        firing = np.sort(row.astype(np.int64) * n + self.place[token])
        wanted = np.minimum(n - np.bincount(row, minlength=len(features)), SILENT_CONTEXTS)
        rows, places = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        begin, end, left = 0, _FIRST_LOOK, np.flatnonzero(wanted)
        while len(left):
            steps = np.arange(begin, min(end, prime), dtype=np.uint64)
            place = ((start[left, None] + steps * step[left, None]) % np.uint64(prime)).astype(np.int64)
            silent = (place < n) & ~_among(firing, left[:, None] * n + place)
            taken = silent & (np.cumsum(silent, axis=1) <= wanted[left, None])
            rows.append(np.repeat(left, np.count_nonzero(taken, axis=1)))
            places.append(place[taken])
            wanted[left] -= np.count_nonzero(taken, axis=1)
            begin, end, left = end, 3 * end, left[wanted[left] > 0]
        order = np.argsort(np.concatenate(rows), kind="stable")
        drawn, place = np.concatenate(rows)[order], np.concatenate(places)[order]
        pairs = features[drawn].astype(np.int64) << 32 | self.contexts[place]
        ahead = mixed(pairs, self.seed, _CENTRE) % self.lengths[place].astype(np.uint64)
        return drawn, self.begins[place] + ahead.astype(np.int64)


def _among(ascending: np.ndarray, values: np.ndarray) -> np.ndarray:
    if not len(ascending):
        return np.zeros(values.shape, bool)
    return ascending[np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)] == values


def _prime_from(n: int) -> int:
    """The smallest prime >= n."""
    return next(p for p in count(max(n, 2)) if all(p % divisor for divisor in range(2, int(p**0.5) + 1)))
