"""Chance levels of best partners: how high their values would be without any link between the two SAEs.

A best of 32768 correlations is well above 0 even when nothing is shared. Rolling the token rows of one SAE keeps the
statistics of each and the order of its tokens, and breaks only the link between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.search.pearson import best_correlations
from atlas.pairing.search.products import threads
from atlas.pairing.search.standardised import Standardised, standardised
from atlas.pairing.search.streamed import Blocks, RolledBlocks, SomeFeatures, best_of_blocks
from atlas.pairing.search.topk import BestPartners

FEWEST_ROWS = 4
"""Minimum number of tokens, documents or spans for a shift that is far from 0 in both directions."""


@dataclass(frozen=True, slots=True, eq=False)
class ShiftNull:
    """Median best value under rolled tokens; compare with `TopPairs.median_best`."""

    shifts: NDArray[np.int64]
    """(n,) tokens by which b was rolled, each between a quarter and three quarters of the corpus."""
    best_ab: NDArray[np.float64]
    """(n,) median over sampled features of a of their best value among all of b; NaN where none has one."""
    best_ba: NDArray[np.float64]
    """(n,) median over sampled features of b of their best value among all of a."""
    n_a: int
    """Features of a sampled, one sample for all shifts."""
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
    measure: Callable[..., BestPartners] | None = None,
    block_size: int = 1024,
    workers: int | None = None,
    signed: bool = False,
) -> ShiftNull:
    """Search the best partners of a sample of features with `b` rolled by `n` seeded shifts.

    Args:
        a: (n_tokens, d_a) activations, any SciPy sparse array; without `measure` also a `Standardised`.
        b: (n_tokens, d_b) activations on the same tokens.
        n: Shifts drawn.
        seed: Seed of the sample and of the shifts (PCG64).
        n_features: Features sampled of each SAE among those that fire; where there are fewer, all are taken.
        measure: `search` of a measure; None is the Pearson correlation of `correlate_sparse`.
        block_size: As in `correlate_sparse`.
        workers: As in `correlate_sparse`.
        signed: As in `correlate_sparse`; for the Pearson correlation only.
    """
    options = {"block_size": block_size, "workers": workers}
    if measure is None:  # both standardised once for all shifts
        x, y = standardised(a, "a", signed), standardised(b, "b", signed)
        drawn = _drawn(a.shape[0], x.n_fired, y.n_fired, n, seed, n_features)
        return _null(x, y, drawn, partial(_correlations, **options), _rolled)
    x, y = sp.csc_array(a), sp.csc_array(b)
    drawn = _drawn(a.shape[0], np.diff(x.indptr), np.diff(y.indptr), n, seed, n_features)
    find = partial(measure, top_k=1, **options)
    return _null(x, y, drawn, find, lambda side, features, shift: roll_tokens(side[:, features], shift))


def _correlations(x: Standardised, y: Standardised, *, block_size: int, workers: int | None) -> BestPartners:
    with threads(workers) as pool:
        ab, ba = best_correlations(x, y, 1, pool, block_size=block_size)
    return BestPartners(*ab, *ba)


def _rolled(side: Standardised, features: NDArray, shift: int) -> Standardised:
    return side.some(features).rolled(shift)


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
    """The null of Pearson correlation that `shift_null` gives, with the same draws, on scans too large for memory.

    `n_a` and `n_b` are the tokens on which each feature fires; `memory` and `workers` as in `correlate_blocks`.
    """
    drawn = _drawn(n_tokens, n_a, n_b, n, seed, n_features)
    find = partial(best_of_blocks, memory=memory, workers=workers)
    return _null(a, b, drawn, find, lambda scan, of, shift: RolledBlocks(SomeFeatures(scan, of), shift, n_tokens))


def _null(
    x: Any,
    y: Any,
    drawn: tuple[NDArray[np.int64], NDArray, NDArray],
    find: Callable[[Any, Any], BestPartners],
    rolled: Callable[[Any, NDArray, int], Any],
) -> ShiftNull:
    """Median best values for each shift; `rolled` gives some features of a scan with its tokens rolled down."""
    shifts, of_a, of_b = drawn
    # Rolling a up is rolling b down, and only the sample is copied.
    best_ab = [find(rolled(x, of_a, -shift), y).median_best[0] for shift in shifts.tolist()]
    best_ba = [find(x, rolled(y, of_b, shift)).median_best[1] for shift in shifts.tolist()]
    return ShiftNull(shifts, np.array(best_ab), np.array(best_ba), len(of_a), len(of_b))


def draw_shifts(rng: np.random.Generator, n_tokens: int, n: int = 1) -> NDArray[np.int64]:
    """(n,) numbers of rows to roll by, each between a quarter and three quarters of the corpus.

    Raises:
        ValueError: Fewer than `FEWEST_ROWS` rows, or `n` below 1.
    """
    if n_tokens < FEWEST_ROWS or n < 1:
        raise ValueError(f"a shift needs at least {FEWEST_ROWS} tokens and 1 draw, not {n_tokens} and {n}")
    # Far from 0 in both directions: neighbouring tokens are alike, and a small shift would keep that.
    return rng.integers(n_tokens // 4, 3 * n_tokens // 4, size=n)


def _drawn(
    n_tokens: int, n_a: NDArray, n_b: NDArray, n: int, seed: int, n_features: int
) -> tuple[NDArray[np.int64], NDArray, NDArray]:
    """The shifts, and the sampled features of a and of b in ascending order."""
    if n_features < 1:
        raise ValueError(f"a shift null needs at least 1 feature, not {n_features}")
    rng = np.random.default_rng(np.random.PCG64(seed))
    shifts = draw_shifts(rng, n_tokens, n)
    of_a, of_b = (np.sort(rng.permutation(np.flatnonzero(fired))[:n_features]) for fired in (n_a, n_b))
    return shifts, of_a, of_b
