"""Other nulls than shuffled pairs: pairs that are matched afresh between random subsets, or random but alike.

`subsets` is Test 2 of arXiv 2410.06981: random features of both SAEs, as many as the concept has, are matched by their
own correlations and scored; its code has no loop for it. `density` and `norm` give each feature of A a random partner
that fires about as often, or has a decoder row about as long, as its true one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from atlas.errors import AtlasError
from atlas.metrics import METRICS
from atlas.metrics.null import Null
from atlas.metrics.registry import Result
from atlas.pairing.search.standardised import Standardised

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Features of A and their partners in B, (n,) each."""

_NEAR = 0.02
"""Random partners are about this share of the live features away in the order of density or norm, or 10 places."""


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """Features of one side that fire."""

    feature: NDArray[np.int64]
    """(n_live,) ids, ascending."""
    n_fired: NDArray
    """(n_live,) tokens on which each fires."""
    norm: NDArray
    """(n_live,) norms of the decoder rows as the SAE came."""


def alike(live: Live, partners: NDArray, kind: Literal["density", "norm"], rng: np.random.Generator) -> NDArray:
    """Random features, each near its partner in the order of density or norm: (n,), as distinct as the partners.

    Most are other features; the densest and the sparsest stay themselves more often, which makes a test milder.

    Args:
        live: Features to choose from; partners that are not among them stay as they are.
        partners: (n,) features.
        kind: What they are to be alike in.
        rng: Source of randomness.
    """
    order = np.lexsort((live.feature, live.n_fired if kind == "density" else live.norm))
    by_rank = live.feature[order]
    reach = max(10.0, _NEAR * len(order))
    # A permutation that moves no feature far: its images are distinct.
    near = by_rank[np.argsort(np.arange(len(order)) + rng.uniform(-reach, reach, len(order)), kind="stable")]
    rank = np.full(max(int(live.feature.max(initial=-1)), int(partners.max(initial=-1))) + 1, -1)
    rank[by_rank] = np.arange(len(order))
    at = rank[partners]
    return np.where(at >= 0, near[at], partners)


def match_within(a: Standardised, b: Standardised, of_a: NDArray, of_b: NDArray, *, forward: bool = True) -> Pairs:
    """Match two sets of features by the correlations between them alone, one to one.

    Each feature of the side that chooses takes its best partner; a partner keeps the best that chose it, ties by lower
    id. Features without a defined correlation stay alone.

    Args:
        a: Standardised activations of A.
        b: Those of B on the same tokens.
        of_a: Features of A.
        of_b: Features of B.
        forward: Features of A choose; else those of B.
    """
    x, y = a.some(of_a), b.some(of_b)
    r = np.asarray((x.by_feature @ y.by_feature.T).todense()) - np.outer(x.ratio, y.ratio)
    r = np.where(np.isnan(r), -np.inf, r)
    if not forward:
        r = r.T
    if not r.size:
        return of_a[:0], of_b[:0]
    best = r.argmax(axis=1)
    value = r[np.arange(len(r)), best]
    order = np.lexsort((np.arange(len(r)), -value))
    order = order[np.isfinite(value[order])]
    _, first = np.unique(best[order], return_index=True)
    chooser = np.sort(order[first])
    chosen = best[chooser]
    pairs = (of_a[chooser], of_b[chosen]) if forward else (of_a[chosen], of_b[chooser])
    by_a = np.argsort(pairs[0], kind="stable")
    return pairs[0][by_a], pairs[1][by_a]


def random_subsets(
    a: Standardised,
    b: Standardised,
    live: tuple[Live, Live],
    sizes: tuple[int, int],
    n: int,
    rng: np.random.Generator,
    *,
    forward: bool = True,
) -> Iterator[Pairs]:
    """Random features of both sides, matched within: `n` pairs each time.

    Args:
        a: Standardised activations of A.
        b: Those of B.
        live: Features to draw from.
        sizes: Features drawn of each side; a draw takes more where they give fewer than `n` pairs.
        n: Pairs wanted; of more, a random part is taken.
        rng: Source of randomness.
        forward: Features of A choose; else those of B.

    Raises:
        AtlasError: All features together give fewer pairs.
    """
    wanted = np.array(sizes, dtype=float)
    most = np.array([len(side.feature) for side in live])
    while True:
        drawn = [
            np.sort(rng.choice(side.feature, int(size), replace=False))
            for side, size in zip(live, np.minimum(np.ceil(wanted), most), strict=True)
        ]
        pairs = match_within(a, b, *drawn, forward=forward)
        if len(pairs[0]) >= n:
            kept = np.sort(rng.choice(len(pairs[0]), n, replace=False))
            yield pairs[0][kept], pairs[1][kept]
            wanted = np.array(sizes, dtype=float)  # every draw starts alike
        elif np.all(wanted >= most):
            raise AtlasError(f"random subsets give {len(pairs[0])} pairs at most, and {n} are to be compared")
        else:
            wanted = wanted * max(1.05, n / max(len(pairs[0]), 1))


def scored_null(
    name: str,
    x: NDArray,
    y: NDArray,
    draws: Iterator[tuple[NDArray, NDArray]],
    *,
    n: int,
    on_result: Callable[[Result], object] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Null:
    """Score x against y, and `n` other pairs of samples as the null.

    Args:
        name: A metric in `METRICS`.
        x: (n_rows, p) rows.
        y: (n_rows, q) their partners.
        draws: Pairs of samples of as many rows, without end.
        n: Draws taken.
        on_result: Called with the score before any draw; what it raises ends the work.
        on_progress: Called as `on_progress(done, n)`.
        **options: Of the metric.
    """
    function = METRICS[name].function
    result, scores = function(x, y, **options), np.empty(n)
    if on_result:
        on_result(result)
    for i in range(n):
        scores[i] = function(*next(draws), **options).score
        if on_progress:
            on_progress(i + 1, n)
    return Null(name, result, scores)
