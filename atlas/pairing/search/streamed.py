"""The correlations of `correlate_sparse` on scans too large for memory, read in blocks of tokens, several times.

The sums of products of a range of features of a with all features of b grow block by block; then the best partners of
the range are found, and the next range follows. So memory depends on the features and not on the tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.search.bothways import Progress, Search, Top, runs
from atlas.pairing.search.pearson import Pearson, with_silent
from atlas.pairing.search.products import (
    PAIRS_PER_BLOCK,
    check_sizes,
    joint_at,
    joint_counts,
    product,
    sums_at,
    threads,
)
from atlas.pairing.search.standardised import Moments, Standardised, checked
from atlas.pairing.search.topk import BestPartners, Index, TopPairs, Values


class Blocks(Protocol):
    """A scan in the store, or anything else that can give its activations in blocks several times."""

    def blocks(self) -> Iterator[Any]:
        """Blocks of consecutive tokens of any length, (tokens, d_sae) each, any SciPy sparse array."""
        ...


def correlate_blocks(
    a: Blocks,
    b: Blocks,
    *,
    top_k: int = 10,
    memory: int = 1_000_000_000,
    workers: int | None = None,
    on_progress: Progress | None = None,
    same: bool = False,
    signed: bool = False,
) -> TopPairs:
    """Find the most correlated partners of every feature as `correlate_sparse` does, in bounded memory.

    The lengths of the blocks change the last bits of values, as sums are taken block by block. Where all activations
    are 1 the sums are counts, and the lengths change nothing.

    Args:
        a: Activations >= 0 of one SAE.
        b: Those of the other SAE on the same tokens, in the same order; the blocks may have other lengths.
        top_k: Partners kept for each feature.
        memory: Bytes of sums held at once; with fewer, all tokens are read more often. The current blocks and up to
            100 MB per thread are needed in addition.
        workers: As in `correlate_sparse`.
        on_progress: As in `correlate_sparse`.
        same: As in `correlate_sparse`.
        signed: As in `correlate_sparse`.
    """
    check_sizes(0, 0, top_k, max(memory, 0))
    with threads(workers) as pool:
        stream = _Stream(a, b, signed, pool)
        ab, ba = stream.best(top_k, memory, on_progress, same)
        joint_ab, joint_ba = stream.joint(ab[0], ba[0])
        x, y = stream.moments
    return TopPairs(*ab, *ba, joint_ab, joint_ba, x.n_fired, y.n_fired, x.n_tokens)


def best_of_blocks(a: Blocks, b: Blocks, *, memory: int, workers: int | None = None) -> BestPartners:
    """The most correlated partner of every feature; arguments as in `correlate_blocks`."""
    with threads(workers) as pool:
        ab, ba = _Stream(a, b, False, pool).best(1, memory)
    return BestPartners(*ab, *ba)


def correlations_of_blocks_at(
    a: Blocks, b: Blocks, features: NDArray, partners: NDArray, *, workers: int | None = None
) -> Values:
    """(n,) correlations of given pairs, NaN where undefined; a and b as in `correlate_blocks`."""
    with threads(workers) as pool:
        return _Stream(a, b, False, pool).values_at(features, partners)


def joint_of_blocks_at(
    a: Blocks, b: Blocks, features: NDArray, partners: NDArray, *, workers: int | None = None
) -> NDArray[np.int64]:
    """(n,) tokens on which both features of given pairs fire; a and b as in `correlate_blocks`."""
    joint = np.zeros(len(features), np.int64)
    with threads(workers) as pool:
        for x, y in aligned_blocks(a.blocks(), b.blocks()):
            of_a, of_b = (checked(side, name).T.tocsr().astype(bool) for side, name in ((x, "a"), (y, "b")))
            joint += joint_at(of_a, of_b, features, partners, pool)
    return joint


class _Stream:
    """Two scans read in parallel, as often as needed; the first reading gives the moments.

    Values are squared without scaling, so those beyond the range of float32 are refused.
    """

    def __init__(self, a: Blocks, b: Blocks, signed: bool, pool: Executor) -> None:
        self._a, self._b, self._signed, self._pool = a, b, signed, pool
        moments, self._counts = None, True
        for x, y in self._checked():
            of_x, of_y = Moments.of(x), Moments.of(y)
            moments = (moments[0].merge(of_x), moments[1].merge(of_y)) if moments else (of_x, of_y)
            self._counts = self._counts and bool(np.all(x.data == 1) and np.all(y.data == 1))
        if moments is None:
            raise ValueError("a and b have no tokens; there is nothing to correlate")
        self.moments = (moments[0].of_ones(), moments[1].of_ones()) if self._counts else moments

    def best(self, k: int, memory: int, on_progress: Progress | None = None, same: bool = False) -> tuple[Top, Top]:
        """The k best partners of every feature, in both directions, with `memory` bytes of sums at once."""
        x, y = self.moments
        readings = max(1, -(-len(x.mean) * len(y.mean) * 8 // max(memory, 1)))
        search = Search((len(x.mean), len(y.mean)), k, self._pool, on_progress)
        for features in np.array_split(np.arange(len(x.mean), dtype=np.int32), readings):
            if len(features):
                self.search(features, search, same)
        ab, ba = search.finish()
        return (
            with_silent(ab, x.ratio, y.ratio, self.together, not_self=same),
            with_silent(ba, y.ratio, x.ratio, lambda f, p: self.together(p, f).T, not_self=same),
        )

    def values_at(self, features: NDArray, partners: NDArray) -> Values:
        """(pairs,) the correlation of each feature of x with its partner in y."""
        x, y = self.moments
        sums = np.zeros(len(features))
        for of_x, of_y in self._standardised():
            sums += sums_at(of_x.by_feature, of_y.by_feature, features, partners, self._pool)
        sums *= self._unit(0)[features] * self._unit(1)[partners]
        return np.clip(sums - x.ratio[features] * y.ratio[partners], -1.0, 1.0)

    def search(self, features: NDArray, search: Search, same: bool) -> None:
        """Sum the products of a range of features over all tokens, and give them to the search."""
        x, y = self.moments
        sums = np.zeros((len(features), len(y.mean)))
        parts = np.array_split(np.arange(len(features)), max(1, len(features) // 256))
        for of_x, of_y in self._standardised():
            rows, columns = of_x.by_feature[features[0] : features[-1] + 1], of_y.by_token

            def add(part: NDArray, rows: Any = rows, columns: Any = columns) -> None:
                new = product(rows, part, columns)
                row = np.repeat(part, np.diff(new.indptr))
                sums[row, new.indices] += new.data

            list(self._pool.map(add, parts))
        sums *= self._unit(0)[features, None]
        sums *= self._unit(1)
        if same:
            sums[np.arange(len(features)), features] = 0.0
        pearson = Pearson(x.ratio, y.ratio)
        cost = np.full(len(features), len(y.mean))
        search.see(
            list(runs(features, cost, PAIRS_PER_BLOCK, len(features))),
            lambda some: pearson.block(some, sp.csr_array(sums[some - features[0]])),
        )

    def together(self, of_a: NDArray, of_b: NDArray) -> NDArray[np.bool_]:
        """(of_a, of_b) whether the pair has a sum other than 0."""
        sums = np.zeros((len(of_a), len(of_b)))
        for x, y in self._standardised():
            sums += (x.by_feature[of_a] @ y.by_feature[of_b].T).toarray()
        return sums != 0

    def joint(self, index_ab: Index, index_ba: Index) -> tuple[Index, Index]:
        """Tokens on which both features of the stored pairs fire."""
        joint_ab, joint_ba = np.zeros_like(index_ab), np.zeros_like(index_ba)
        for x, y in self._standardised():
            joint_ab += joint_counts(x.support, y.support, index_ab, self._pool)
            joint_ba += joint_counts(y.support, x.support, index_ba, self._pool)
        return joint_ab, joint_ba

    def _standardised(self) -> Iterator[tuple[Standardised, Standardised]]:
        """The blocks scaled by the moments of all tokens; where all activations are 1, unscaled: sums are scaled."""
        for blocks in self._checked():
            x, y = (Standardised.by(moments, block) for moments, block in zip(self.moments, blocks, strict=True))
            if self._counts:
                x.by_feature.data[:] = y.by_feature.data[:] = 1.0
            yield x, y

    def _unit(self, side: int) -> Values:
        """(d,) factor of the sums of x or y: 1 unless they are counts; 0 where a feature has no correlation."""
        moments = self.moments[side]
        if not self._counts:
            return np.ones(len(moments.mean))
        return np.nan_to_num(1.0 / (moments.sd * np.sqrt(moments.n_tokens)))

    def _checked(self) -> Iterator[tuple[Any, Any]]:
        """The blocks of both scans over the same tokens, as canonical CSC in float64."""
        for x, y in aligned_blocks(self._a.blocks(), self._b.blocks()):
            yield (
                _in_range(checked(x, "a", signed=self._signed), "a"),
                _in_range(checked(y, "b", signed=self._signed), "b"),
            )


def _in_range(x: Any, name: str) -> Any:
    """The block, or ValueError where squares could overflow or vanish: no feature is known as a whole yet."""
    size, limits = np.abs(x.data), np.finfo(np.float32)
    if x.nnz and (size.max() > limits.max or size.min() < limits.smallest_subnormal):
        raise ValueError(f"{name} holds values beyond the range of float32, which blocks must not have")
    return x


def aligned_blocks(a: Iterator[Any], b: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """Blocks of both scans over the same tokens, split wherever one of them is split; none is empty."""
    sides: list[Iterator[Any]] = [(sp.csr_array(block) for block in blocks if block.shape[0]) for blocks in (a, b)]
    left, right = (next(side, None) for side in sides)
    while left is not None and right is not None:
        n = min(left.shape[0], right.shape[0])
        yield left[:n], right[:n]
        left = left[n:] if n < left.shape[0] else next(sides[0], None)
        right = right[n:] if n < right.shape[0] else next(sides[1], None)
    if left is not None or right is not None:
        raise ValueError("a and b have different numbers of tokens; both must hold the same tokens in order")


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
