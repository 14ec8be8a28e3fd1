"""From a queried subset to a score: matched decoder rows, a metric and its null."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName
from atlas.metrics import METRICS
from atlas.metrics.null import Null, permutation_null
from atlas.queries.registry import corpus_in_common, sae_named
from atlas.runs import utc_now
from atlas.scores import Score, store_score
from atlas.subsets import Matched, Subset, select_pairs


class SubsetTooSmall(AtlasError):
    """The subset holds too few pairs for the metric to say anything."""


def compare(
    db: Path,
    metric: str,
    a: str,
    b: str,
    *,
    subset: Subset | None = None,
    corpus: str | None = None,
    shuffles: int = 1000,
    seed: int = 0,
    wait: float = 0,
    store: bool = True,
    command: str | None = None,
    on_progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Score:
    """Score how alike the decoder rows of matched features are, against shuffled pairings.

    Args:
        db: The atlas.
        metric: A name in `METRICS`.
        a: Name or alias of the SAE whose decoder rows are x.
        b: Name or alias of the SAE whose decoder rows are y.
        subset: Which matched pairs; by default one-to-one matches that pass the token filters.
        corpus: Corpus on which the features were matched; None takes the only one.
        shuffles: Draws of the permutation null.
        seed: Of the shuffles.
        wait: Seconds to wait for a locked atlas.
        store: Write the score into the atlas.
        command: Command line for the record; by default that of this process.
        on_progress: Called as `on_progress(shuffles_done, shuffles)`.
        **options: Of the metric.

    Raises:
        UnknownName: No such metric, SAE, corpus or concept.
        SubsetTooSmall: Too few pairs, or so few that the score is forced by counting.
    """
    if metric not in METRICS:
        raise UnknownName("metric", metric, sorted(METRICS))
    subset, started_at = subset or Subset(), utc_now()
    with open_atlas(db, wait=wait) as atlas:
        sae_a, sae_b = sae_named(atlas, a), sae_named(atlas, b)
        shared = corpus_in_common(atlas, sae_a, sae_b, corpus)
        name = str(shared["corpus"])
        matched = select_pairs(atlas, sae_a, sae_b, name, subset)
        x = decoder_rows(atlas, sae_a, matched.features_a)
        y = decoder_rows(atlas, sae_b, matched.features_b)
    _check_size(metric, x, y, matched, options)
    null = _null(metric, x, y, shuffles, seed, on_progress, options)
    _check_forced(null, x, y)
    score = _score(null, (sae_a, sae_b, name), int(str(shared["n_tokens"])), subset, matched, options, seed)
    if not store:
        return score
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        return store_score(atlas, score, subset, matched, started_at, command)


def decoder_rows(atlas: Atlas, sae: str, features: np.ndarray) -> np.ndarray:
    """Decoder rows of some features: (len(features), d_in) float64, as used by the scan."""
    table = atlas.sql("select * from decoder_rows_of($sae)", params={"sae": sae}).to_arrow_table()
    rows = table.column("w_dec").combine_chunks()
    return rows.values.to_numpy().reshape(len(rows), -1).astype(np.float64)[features]


def _check_size(metric: str, x: np.ndarray, y: np.ndarray, matched: Matched, options: Mapping[str, Any]) -> None:
    """Refuse before computing where counting alone decides."""
    n = len(x)
    k = options.get("k", 10) if metric == "svcca" and options.get("variance") is None else 1
    needed = max(4, min(k, x.shape[1]) + min(k, y.shape[1]) + 1)
    if n >= needed:
        return
    fell = ", ".join(f"{name} {count}" for name, count in matched.steps)
    fewer = max(1, (n - 1) // 2)
    ways = ["keep more pairs: --keep-non-concept, --match best, a wider --where"]
    if metric == "svcca" and n >= 4:
        ways.insert(0, f"fewer directions: --directions {min(fewer, max(1, n // 4))}")
    raise SubsetTooSmall(
        f"{n} matched pairs are too few for {metric}, which needs {needed} here",
        why=f"pairs at each step: {fell}",
        hint="; or ".join(ways),
    )


def _null(
    metric: str, x: np.ndarray, y: np.ndarray, shuffles: int, seed: int, on_progress: Any, options: Mapping[str, Any]
) -> Null:
    """The score and its shuffles; what the metric cannot digest becomes a message."""
    try:
        return permutation_null(metric, x, y, n=shuffles, seed=seed, on_progress=on_progress, **options)
    except ValueError as error:
        raise AtlasError(f"{metric} is undefined here: {error}") from error


def _check_forced(null: Null, x: np.ndarray, y: np.ndarray) -> None:
    """Refuse a score part of which noise would get as well."""
    forced = getattr(null.result, "forced", 0)
    if forced:
        raise SubsetTooSmall(
            f"{forced} of the correlations are 1 by counting alone: {len(x)} pairs, "
            f"{null.result.rank_x} + {null.result.rank_y} directions",  # type: ignore[attr-defined]
            hint="lower --variance, give --directions 10, or keep more pairs",
        )


def _score(
    null: Null,
    names: tuple[str, str, str],
    n_tokens: int,
    subset: Subset,
    matched: Matched,
    options: Mapping[str, Any],
    seed: int,
) -> Score:
    """Gather what judges the number."""
    return Score(
        score_id=None,
        metric=null.metric,
        sae_a=names[0],
        sae_b=names[1],
        corpus=names[2],
        n_tokens=n_tokens,
        subset=subset.in_words(),
        n=null.result.n,
        value=null.observed,
        null_mean=null.mean,
        null_std=null.std,
        null_n=len(null.draws),
        z=null.z,
        p_value=null.p_value,
        dims_a=getattr(null.result, "rank_x", None),
        dims_b=getattr(null.result, "rank_y", None),
        forced=getattr(null.result, "forced", None),
        options=dict(options),
        seed=seed,
        steps=matched.steps,
    )
