"""Chance levels of best partners: how high they would be without any link between the two sides.

A best of 32768 correlations is well above 0 even when nothing is shared. Rolling the token rows of one side keeps
each side's statistics and the order of its tokens, and breaks only the link between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.search.blocks import RolledBlocks, SomeFeatures
from atlas.pairing.search.pearson import best_correlations
from atlas.pairing.search.products import threads
from atlas.pairing.search.standardised import standardised
from atlas.pairing.search.streamed import Blocks, best_of_blocks
from atlas.pairing.search.toppairs import TopPairs, median

FEWEST_ROWS = 4
"""Tokens, documents or spans below which there is no shift far from 0 on either side."""


class TokenMeasure(Protocol):
    """A measure on the activations of two sides."""

    def __call__(
        self, a: Any, b: Any, /, *, top_k: int, block_size: int = 1024, workers: int | None = None
    ) -> TopPairs: ...


@dataclass(frozen=True, slots=True, eq=False)
class ShiftNull:
    """Median best value under rolled tokens; compare with `TopPairs.median_best`."""

    shifts: NDArray[np.int64]
    """(n,) tokens by which b was rolled, each between a quarter and three quarters of the corpus."""
    best_ab: NDArray[np.float64]
    """(n,) median over sampled features of a of their best value among all of b; NaN where none has one."""
    best_ba: NDArray[np.float64]
    """(n,) the same over sampled features of b, among all of a."""
    n_a: int
    """Features of a sampled, the same for every shift."""
    n_b: int
    """Features of b sampled."""


def roll_tokens(b: Any, shift: int) -> Any:
    """Move each token row of (n_tokens, d_sae) activations down by `shift`, the last ones to the top, as `np.roll`."""
    n_tokens = b.shape[0]
    return sp.csr_array(b)[(np.arange(n_tokens) - shift) % max(n_tokens, 1)]


def shift_null(
    a: Any,
    b: Any,
    *,
    n: int = 1,
    seed: int = 0,
    n_features: int = 4096,
    measure: TokenMeasure | None = None,
    block_size: int = 1024,
    workers: int | None = None,
    signed: bool = False,
) -> ShiftNull:
    """Search the best partners of a sample of features with `b` rolled by `n` seeded shifts.

    Args:
        a: (n_tokens, d_a) activations, any SciPy sparse array; without `measure` also a `Standardised`.
        b: (n_tokens, d_b) activations on the same tokens.
        n: Shifts drawn.
        seed: Of the sample and of the shifts (PCG64).
        n_features: Features sampled of each side that fire at all; where there are fewer, all are taken.
        measure: What compares; None is the Pearson correlation of `correlate_sparse`.
        block_size: As in `correlate_sparse`.
        workers: As in `correlate_sparse`.
        signed: As in `correlate_sparse`; for the Pearson correlation only.
    """
    null = (
        _Pearson(a, b, block_size, workers, signed) if measure is None else _Other(a, b, block_size, workers, measure)
    )
    shifts, of_a, of_b = _drawn(a.shape[0], null.n_a, null.n_b, n, seed, n_features)
    best = [null.best(of_a, of_b, int(shift)) for shift in shifts]
    return ShiftNull(shifts, np.array([ab for ab, _ in best]), np.array([ba for _, ba in best]), len(of_a), len(of_b))


def shift_null_blocks(
    a: Blocks,
    b: Blocks,
    n_a: NDArray,
    n_b: NDArray,
    n_tokens: int,
    *,
    n: int = 1,
    seed: int = 0,
    n_features: int = 4096,
    memory: int = 1_000_000_000,
    workers: int | None = None,
) -> ShiftNull:
    """The null of Pearson correlation that `shift_null` gives, on scans too large for memory.

    Args:
        a: Activations >= 0 of one SAE, as in `correlate_blocks`.
        b: Those of the other on the same tokens.
        n_a: (d_a,) tokens on which each feature of a fires.
        n_b: (d_b,) the same of b.
        n_tokens: Tokens in all.
        n: Shifts drawn.
        seed: Of the sample and of the shifts: the same draws as in `shift_null`.
        n_features: Features sampled of each side that fire at all.
        memory: Bytes of sums held at once.
        workers: As in `correlate_sparse`.
    """
    shifts, of_a, of_b = _drawn(n_tokens, n_a, n_b, n, seed, n_features)
    best_ab, best_ba = np.empty(n), np.empty(n)
    for i, shift in enumerate(int(drawn) for drawn in shifts):
        x, y = (
            RolledBlocks(SomeFeatures(a, of_a), -shift, n_tokens),
            RolledBlocks(SomeFeatures(b, of_b), shift, n_tokens),
        )
        best_ab[i] = median(best_of_blocks(x, b, memory=memory, workers=workers)[0])
        best_ba[i] = median(best_of_blocks(a, y, memory=memory, workers=workers)[1])
    return ShiftNull(shifts, best_ab, best_ba, len(of_a), len(of_b))


def draw_shifts(rng: np.random.Generator, n_tokens: int, n: int = 1) -> NDArray[np.int64]:
    """(n,) numbers of rows to roll by, each between a quarter and three quarters of the corpus.

    Raises:
        ValueError: Fewer than `FEWEST_ROWS` rows, or no shift is asked for.
    """
    if n_tokens < FEWEST_ROWS or n < 1:
        raise ValueError(f"a shift needs at least {FEWEST_ROWS} tokens and 1 draw, not {n_tokens} and {n}")
    # Far from 0 on either side: neighbouring tokens are alike, and a small shift would keep that.
    return rng.integers(n_tokens // 4, 3 * n_tokens // 4, size=n)


def _drawn(
    n_tokens: int, n_a: NDArray, n_b: NDArray, n: int, seed: int, n_features: int
) -> tuple[NDArray[np.int64], NDArray, NDArray]:
    """The shifts, and the sampled features of both sides in ascending order."""
    if n_features < 1:
        raise ValueError(f"a shift null needs at least 1 feature, not {n_features}")
    rng = np.random.default_rng(np.random.PCG64(seed))
    shifts = draw_shifts(rng, n_tokens, n)
    of_a, of_b = (np.sort(rng.permutation(np.flatnonzero(fired))[:n_features]) for fired in (n_a, n_b))
    return shifts, of_a, of_b


class _Pearson:
    """Both sides standardised once for all shifts; only the sample is rolled."""

    def __init__(self, a: Any, b: Any, block_size: int, workers: int | None, signed: bool) -> None:
        self._x, self._y = standardised(a, "a", signed), standardised(b, "b", signed)
        self.n_a, self.n_b = self._x.n_fired, self._y.n_fired
        self._block_size, self._workers = block_size, workers

    def best(self, of_a: NDArray, of_b: NDArray, shift: int) -> tuple[float, float]:
        """Median best r of the sampled features of a, and of b, with b rolled down."""
        with threads(self._workers) as pool:
            # To roll a up is to roll b down, and the sample is small.
            x, y = self._x.some(of_a).rolled(-shift), self._y.some(of_b).rolled(shift)
            ab, _ = best_correlations(x, self._y, 1, pool, block_size=self._block_size)
            _, ba = best_correlations(self._x, y, 1, pool, block_size=self._block_size)
        return median(ab[1][:, 0]), median(ba[1][:, 0])


class _Other:
    """Any measure on activations."""

    def __init__(self, a: Any, b: Any, block_size: int, workers: int | None, measure: TokenMeasure) -> None:
        self._a, self._b, self._measure = sp.csc_array(a), sp.csc_array(b), measure
        self.n_a, self.n_b = (np.diff(side.indptr) for side in (self._a, self._b))
        self._options = {"top_k": 1, "block_size": block_size, "workers": workers}

    def best(self, of_a: NDArray, of_b: NDArray, shift: int) -> tuple[float, float]:
        """Median best value of the sampled features of a, and of b, with b rolled down."""
        ab = self._measure(roll_tokens(self._a[:, of_a], -shift), self._b, **self._options)
        ba = self._measure(self._a, roll_tokens(self._b[:, of_b], shift), **self._options)
        return ab.median_best[0], ba.median_best[1]
