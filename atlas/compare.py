"""From a queried subset to a score: matched decoder rows, a metric, its null, one row of `scores`."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName
from atlas.metrics import METRICS
from atlas.metrics.null import Null, permutation_null
from atlas.queries.registry import corpus_id, corpus_in_common, sae_id, sae_named
from atlas.runs import add_run, next_id, spec_sha256, utc_now
from atlas.subsets import Matched, Subset, select_pairs


class SubsetTooSmall(AtlasError):
    """The subset holds too few pairs for the metric to say anything."""


@dataclass(frozen=True, slots=True)
class Score:
    """A similarity of two feature spaces with its sample and its null."""

    score_id: int | None
    """Number in the atlas; None if it was not stored."""

    metric: str
    """Name in `METRICS`."""

    sae_a: str
    """The SAE whose decoder rows are x."""

    sae_b: str
    """The SAE whose decoder rows are y."""

    corpus: str
    """The corpus on which the features were matched."""

    n_tokens: int
    """Tokens of that corpus."""

    subset: str
    """The subset in words."""

    n: int
    """Matched pairs compared."""

    value: float
    """The score."""

    null_mean: float
    """Mean score with the pairing shuffled: the chance level."""

    null_std: float
    """Standard deviation of the shuffled scores."""

    null_n: int
    """Shuffles."""

    z: float | None
    """(value - null_mean) / null_std; None if the shuffles do not vary."""

    p_value: float
    """(1 + shuffles at least as high) / (1 + null_n)."""

    dims_a: int | None
    """Directions kept of x; None where the metric keeps all."""

    dims_b: int | None
    """Directions kept of y."""

    options: Mapping[str, Any]
    """Of the metric."""

    seed: int
    """Of the shuffles."""

    steps: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    """How many pairs each filter removed."""


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
        return _write(atlas, score, subset, matched, null, started_at, command)


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
        options=dict(options),
        seed=seed,
        steps=matched.steps,
    )


def _write(
    atlas: Atlas,
    score: Score,
    subset: Subset,
    matched: Matched,
    null: Null,
    started_at: datetime.datetime,
    command: str | None,
) -> Score:
    """One row of `score` with its run; an equal score that is already there is returned instead."""
    spec = {
        "metric": score.metric,
        "sae_a": score.sae_a,
        "sae_b": score.sae_b,
        "corpus": score.corpus,
        "subset": asdict(subset),
        "features_sha256": matched.sha256,
        "options": dict(score.options),
        "shuffles": score.null_n,
        "seed": score.seed,
    }
    digest = spec_sha256(spec)
    stored = atlas.rows("select c.score_id from score c where c.spec_sha256 = $digest", digest=digest).rows
    if stored:
        return _with_id(score, stored[0][0])
    score_id = next_id(atlas, "score", "score_id")
    kept = (
        "metric",
        "n",
        "subset",
        "value",
        "null_mean",
        "null_std",
        "null_n",
        "z",
        "p_value",
        "dims_a",
        "dims_b",
        "seed",
    )
    row = {name: [getattr(score, name)] for name in kept}
    row |= {
        "score_id": [score_id],
        "run_id": [add_run(atlas, spec, started_at, command=command)],
        "sae_a": [sae_id(atlas, score.sae_a)],
        "sae_b": [sae_id(atlas, score.sae_b)],
        "corpus_id": [corpus_id(atlas, score.corpus)],
        "subset_sha256": [matched.sha256],
        "features_a": [matched.features_a.tolist()],
        "features_b": [matched.features_b.tolist()],
        "forced": [getattr(null.result, "forced", None)],
        "options": [json.dumps(dict(score.options))],
        "spec_sha256": [digest],
        "created_at": [utc_now()],
    }
    atlas.insert("score", row)
    return _with_id(score, score_id)


def _with_id(score: Score, score_id: int) -> Score:
    """The same score with its number."""
    return Score(**{**{name: getattr(score, name) for name in Score.__slots__}, "score_id": score_id})
