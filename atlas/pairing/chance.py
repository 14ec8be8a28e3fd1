"""The chance level of best-partner correlations: the same search with one side's tokens out of step.

A best of 32768 correlations is well above 0 even when nothing is shared. Rolling the token rows of one side keeps
each side's statistics and the order of its tokens, and breaks only the link between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.correlate import correlate_sparse


@dataclass(frozen=True, slots=True, eq=False)
class ShiftNull:
    """Median best correlation under rolled tokens; compare with `TopPairs.median_best`."""

    shifts: NDArray[np.int64]
    """(n,) tokens by which b was rolled, each between a quarter and three quarters of the corpus."""

    best_ab: NDArray[np.float64]
    """(n,) median over features of a of their best r in [-1, 1]; NaN where no feature has one."""

    best_ba: NDArray[np.float64]
    """(n,) the same over features of b."""


def roll_tokens(b: Any, shift: int) -> sp.csr_array:
    """Move each token row of (n_tokens, d_sae) activations down by `shift`, the last ones to the top, as `np.roll`."""
    n_tokens = b.shape[0]
    return sp.csr_array(b)[(np.arange(n_tokens) - shift) % max(n_tokens, 1)]


def shift_null(
    a: Any, b: Any, *, n: int = 1, seed: int = 0, block_size: int = 1024, workers: int | None = None
) -> ShiftNull:
    """Correlate `a` with `b` rolled by `n` seeded shifts.

    Args:
        a: (n_tokens, d_a) sparse activations >= 0.
        b: (n_tokens, d_b) sparse activations on the same tokens.
        n: Shifts drawn; each costs one `correlate_sparse`.
        seed: Of the shifts (PCG64).
        block_size: As in `correlate_sparse`.
        workers: As in `correlate_sparse`.
    """
    n_tokens = a.shape[0]
    if n_tokens < 4 or n < 1:
        raise ValueError(f"a shift null needs at least 4 tokens and 1 shift, not {n_tokens} and {n}")
    # Far from 0 on either side: neighbouring tokens are alike, and a small shift would keep that.
    shifts = np.random.default_rng(np.random.PCG64(seed)).integers(n_tokens // 4, 3 * n_tokens // 4, size=n)
    best = np.array(
        [
            correlate_sparse(a, roll_tokens(b, int(shift)), top_k=1, block_size=block_size, workers=workers).median_best
            for shift in shifts
        ]
    )
    return ShiftNull(shifts, best[:, 0], best[:, 1])
