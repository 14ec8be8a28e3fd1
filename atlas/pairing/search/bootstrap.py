"""Intervals for the correlation of given pairs of features: the bootstrap over documents.

Source: Efron 1979, doi:10.1214/aos/1176344552, with documents as the units that are drawn: tokens of one document are
alike, so that drawing tokens would give too narrow an interval. The pairs are given; that they were chosen as the best
of many is not part of the interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from atlas.pairing.search.standardised import checked

PAIRS_AT_ONCE = 2048
"""Pairs whose sums by document are held at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """A range for the correlation of each pair."""

    low: NDArray[np.float64]
    """(n,) lower percentile over the draws; NaN where r is undefined in one of them."""
    high: NDArray[np.float64]
    """(n,) upper percentile."""
    level: float
    """Share of the draws inside, in (0, 1)."""
    n_documents: int
    """Documents in the corpus."""


def bootstrap_documents(
    a: Any,
    b: Any,
    document: ArrayLike,
    features_a: ArrayLike,
    features_b: ArrayLike,
    *,
    n: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Intervals:
    """Percentile intervals of the Pearson correlation of given pairs, documents drawn with replacement.

    Args:
        a: (n_tokens, d_a) activations >= 0, any SciPy sparse array.
        b: (n_tokens, d_b) activations on the same tokens.
        document: (n_tokens,) index of the document of each token, >= 0.
        features_a: (n_pairs,) features of a.
        features_b: (n_pairs,) their partners.
        n: Draws, at least 2. More of them with the same seed begin with the same draws.
        level: Share of the draws inside the interval, in (0, 1).
        seed: Seed of the draws (PCG64).

    Raises:
        ValueError: Sizes that do not fit, activations that are negative or not finite, fewer than two documents.
    """
    x, y, document = checked(a, "a"), checked(b, "b"), np.asarray(document)
    of_a, of_b = (np.asarray(features, dtype=np.int64) for features in (features_a, features_b))
    if not len(document) == x.shape[0] == y.shape[0] or len(of_a) != len(of_b):
        raise ValueError("a, b and document need one row per token, and every feature of a needs one partner")
    if n < 2 or not 0 < level < 1:
        raise ValueError(f"a bootstrap needs at least 2 draws and a level in (0, 1), not {n} and {level}")
    _, document = np.unique(document, return_inverse=True)
    lengths = np.bincount(document)
    if len(lengths) < 2:
        raise ValueError("there is one document, and a bootstrap needs several")
    rng = np.random.default_rng(np.random.PCG64(seed))
    size = len(lengths)
    times = np.stack([np.bincount(rng.integers(0, size, size), minlength=size) for _ in range(n)]).astype(np.float64)
    by_document: Any = sp.csr_array((np.ones(len(document)), (document, np.arange(len(document)))))
    low, high = np.empty(len(of_a)), np.empty(len(of_a))
    for start in range(0, len(of_a), PAIRS_AT_ONCE):
        here = slice(start, start + PAIRS_AT_ONCE)
        r = _correlations(by_document, lengths, times, x[:, of_a[here]], y[:, of_b[here]])
        low[here], high[here] = np.quantile(r, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Intervals(low, high, level, len(lengths))


def _correlations(by_document: Any, lengths: NDArray, times: NDArray, x: Any, y: Any) -> NDArray[np.float64]:
    """(n, pairs) correlations of the columns of x and y, each document counted as often as it was drawn."""
    sums = (times @ (by_document @ part).toarray() for part in (x, y, x * x, y * y, x * y))
    n_tokens = (times @ lengths)[:, None]
    s_x, s_y, s_xx, s_yy, s_xy = (np.asarray(total) / n_tokens for total in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (s_xy - s_x * s_y) / np.sqrt((s_xx - s_x**2) * (s_yy - s_y**2))
    return np.where(np.isfinite(r), np.clip(r, -1.0, 1.0), np.nan)
