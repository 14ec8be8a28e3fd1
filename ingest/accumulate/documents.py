"""The documents of one piece of a corpus, of which the first and the last may continue in another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas.shapes import Bool, Int32, Int64
from ingest.accumulate.codes import TokenMap, run_starts
from ingest.accumulate.limits import TRUNCATIONS

N_POOLS = len(TRUNCATIONS) + 1
"""Lengths over which is pooled: the leading 16, 32, … counted tokens of a document, and last the whole document."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one piece, in their order."""

    number: Int32[np.ndarray, " documents"]
    """Number in the corpus."""
    first: Int64[np.ndarray, " documents"]
    """token_index of its first counted token, which may stand in an earlier piece."""
    length: Int64[np.ndarray, " documents"]
    """Counted tokens in the piece."""
    at_edge: Bool[np.ndarray, " documents"]
    """Whether it may continue in another piece."""
    label: np.ndarray | None
    """(documents,) float64: its label."""
    begun: Int64[np.ndarray, " begun"]
    """token_index at which the document begins whose forerunner may stand in another piece."""
    section: Int32[np.ndarray, " tokens"]
    """N_POOLS * place of the document in the piece + first pool that the token enters."""

    @classmethod
    def of(cls, tokens: TokenMap) -> Documents:
        """Documents of a piece; the first one is whole if it begins here and another follows."""
        begins = run_starts(tokens.document)
        length = np.diff(np.append(begins, len(tokens)))
        at_edge = np.zeros(len(begins), bool)
        at_edge[-1:] = True
        at_edge[:1] |= tokens.place[:1] > 0
        first_pool = np.searchsorted(np.array(TRUNCATIONS), tokens.place, side="right")
        return cls(
            number=tokens.document[begins],
            first=tokens.first + begins - tokens.place[begins],
            length=length,
            at_edge=at_edge,
            label=None if tokens.label is None else tokens.label[begins],
            begun=cls._begun(tokens, begins),
            section=(np.repeat(np.arange(len(begins)) * N_POOLS, length) + first_pool).astype(np.int32),
        )

    def open(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Number, first token, length here and label (NaN for none) of those that may continue in another piece."""
        here = self.at_edge
        label = np.full(len(here), np.nan) if self.label is None else self.label
        return self.number[here].astype(np.int64), self.first[here], self.length[here], label[here]

    @staticmethod
    def _begun(tokens: TokenMap, begins: np.ndarray) -> np.ndarray:
        """See `begun`; `begins` are the tokens of the piece at which its documents begin in it."""
        cut = int(tokens.place[:1].any())
        here = tokens.first + begins[cut : cut + 1]
        return here[here > 0]
