"""Two dictionaries of one space compared as sets, with no pairing of their rows given: MMCS and PW-MCC.

Sources: mean max cosine similarity, Sharkey, Braun & Millidge 2022 ("Taking features out of superposition with sparse
autoencoders"); pairwise dictionary mean correlation coefficient, Song et al. 2025, arXiv:2505.20254. Orientation: rows
are features, columns are the same dimensions in x and y.

Both ignore the order of the features, the length of each, and a rotation of x and y together; PW-MCC also their sign.
The best of many random vectors is near to any vector, so each score comes with its chance level: the score of x with
a dictionary of independent Gaussian rows in the place of y.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atlas.metrics.matched import Rows, finite_rows, unit_rows
from atlas.shapes import Float64, Given

Assign = Callable[[NDArray[np.float64]], tuple[NDArray[np.intp], NDArray[np.intp]]]
"""From (n_x, n_y) values to the rows and columns of the one-to-one assignment with the largest sum."""

Progress = Callable[[int, int], object]

BLOCK = 2**23
"""Cosines held at once: 64 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class SetSimilarity:
    """Similarity of two dictionaries, and of x with random ones."""

    score: float
    """Mean over features of the cosine with their partner: in [-1, 1] for MMCS, in [0, 1] for PW-MCC."""
    n: int
    """Features that are averaged over: those of x for MMCS, of the smaller dictionary for PW-MCC."""
    n_x: int
    """Features of x."""
    n_y: int
    """Features of y."""
    draws: Float64[np.ndarray, " draws"] = field(repr=False)
    """(draws,) scores with y replaced by independent Gaussian rows, in the order drawn."""

    @property
    def chance(self) -> float | None:
        """Mean of the draws; None if there are none."""
        return float(self.draws.mean()) if len(self.draws) else None

    @property
    def details(self) -> Mapping[str, Any]:
        return {"n_x": self.n_x, "n_y": self.n_y}


def mmcs(
    x: Given[ArrayLike, "n_x d"],
    y: Given[ArrayLike, "n_y d"],
    *,
    draws: int = 1,
    seed: int = 0,
    on_progress: Progress | None = None,
) -> SetSimilarity:
    """Average over the rows of x their largest cosine with any row of y. Not symmetric: mmcs(y, x) is another number.

    Args:
        x: n_x features by d dimensions.
        y: n_y features by the same d dimensions.
        draws: Gaussian dictionaries drawn for the chance level, >= 0; each costs as much as the score.
        seed: Seed of the draws (PCG64).
        on_progress: Called as `on_progress(done, draws)` after each draw.
    """
    return _with_chance(_best, x, y, draws, seed, on_progress)


def pw_mcc(
    x: Given[ArrayLike, "n_x d"],
    y: Given[ArrayLike, "n_y d"],
    *,
    draws: int = 1,
    seed: int = 0,
    assign: Assign | None = None,
    on_progress: Progress | None = None,
) -> SetSimilarity:
    """Average |cosine| over the one-to-one assignment of rows that makes it largest; all rows of the smaller match.

    All n_x by n_y cosines are held at once.

    Args:
        x: n_x features by d dimensions.
        y: n_y features by the same d dimensions.
        draws: Gaussian dictionaries drawn for the chance level, >= 0; each costs as much as the score.
        seed: Seed of the draws (PCG64).
        assign: Function that finds the assignment; None takes `scipy.optimize.linear_sum_assignment`.
        on_progress: Called as `on_progress(done, draws)` after each draw.
    """
    if assign is None:
        from scipy.optimize import linear_sum_assignment  # 0.3 s to import, for one function

        assign = partial(linear_sum_assignment, maximize=True)

    def assigned(x: Rows, y: Rows) -> NDArray[np.float64]:
        cosines = np.abs(x @ y.T)
        return cosines[assign(cosines)]

    return _with_chance(assigned, x, y, draws, seed, on_progress)


def _with_chance(
    partners: Callable[[Rows, Rows], NDArray[np.float64]],
    x: Given[ArrayLike, "n_x d"],
    y: Given[ArrayLike, "n_y d"],
    draws: int,
    seed: int,
    on_progress: Progress | None,
) -> SetSimilarity:
    x, y = finite_rows(x, "x"), finite_rows(y, "y")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} columns and y has {y.shape[1]}; a cosine needs the same columns")
    if not len(x) or not len(y):
        raise ValueError(f"x has {len(x)} rows and y has {len(y)}; each needs at least one")
    if draws < 0:
        raise ValueError(f"draws must be at least 0, not {draws}")
    x, y = unit_rows(x, "x"), unit_rows(y, "y")
    rng = np.random.Generator(np.random.PCG64(seed))
    found, chance = partners(x, y), np.empty(draws)
    for i in range(draws):
        chance[i] = partners(x, unit_rows(rng.normal(size=y.shape), "y")).mean()
        if on_progress:
            on_progress(i + 1, draws)
    return SetSimilarity(float(found.mean()), len(found), len(x), len(y), chance)


def _best(x: Float64[np.ndarray, "n_x d"], y: Float64[np.ndarray, "n_y d"]) -> Float64[np.ndarray, " n_x"]:
    """(n_x,) largest cosine of each row of x, in blocks of rows."""
    step = max(1, BLOCK // len(y))
    best = [np.max(x[start : start + step] @ y.T, axis=1) for start in range(0, len(x), step)]
    return np.concatenate(best)
