"""Scans read in blocks and changed while reading: some features only, rolled tokens, or whether a feature fires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.search.streamed import Blocks


class Firing:
    """A scan with 1 wherever a feature fires."""

    def __init__(self, source: Blocks) -> None:
        self._source = source

    def blocks(self) -> Iterator[Any]:
        """Blocks of consecutive tokens, (tokens, d_sae) each."""
        for block in self._source.blocks():
            fires: Any = sp.csr_array(block, dtype=np.float64, copy=True)
            fires.data[:] = fires.data > 0
            yield fires


class SomeFeatures:
    """Some features of a scan."""

    def __init__(self, source: Blocks, features: NDArray) -> None:
        self._source, self._features = source, features

    def blocks(self) -> Iterator[Any]:
        for block in self._source.blocks():
            yield sp.csr_array(sp.csc_array(block)[:, self._features])


class RolledBlocks:
    """A scan with its token rows moved down by `shift`, the last ones to the top, as `np.roll`; reads it twice."""

    def __init__(self, source: Blocks, shift: int, n_tokens: int) -> None:
        self._source, self._first, self._n_tokens = source, -shift % max(n_tokens, 1), n_tokens

    def blocks(self) -> Iterator[Any]:
        yield from self._between(self._first, self._n_tokens)
        yield from self._between(0, self._first)

    def _between(self, start: int, stop: int) -> Iterator[Any]:
        done = 0
        for block in self._source.blocks():
            here = slice(max(start - done, 0), min(stop - done, block.shape[0]))
            if here.start < here.stop:
                yield sp.csr_array(block)[here]
            done += block.shape[0]
            if done >= stop:
                return
