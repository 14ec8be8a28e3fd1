"""From a queried subset to a score: matched decoder rows, a metric and its null."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName
from atlas.metrics import METRICS
from atlas.metrics.null import Null, permutation_null
from atlas.queries.registry import corpus_in_common, two_saes
from atlas.runs import utc_now
from atlas.scores import Score, store_score
from atlas.sqlfiles import sql_text
from atlas.subsets import Matched, Subset, select_pairs

ROWS_PER_DIRECTION = 5
"""Fewest pairs to a direction where the directions follow from a share of the variance (google/svcca's own rule)."""

FEWEST_PAIRS = 4
"""Pairs of features below which no score is given."""

MOST_RSA_PAIRS = 12_000
"""RSA ranks n (n - 1) / 2 distances at about 50 bytes each: 3.6 GB at this many pairs of features."""


class SubsetTooSmall(AtlasError):
    """The subset holds too few pairs for the metric to say anything."""


class SubsetTooLarge(AtlasError):
    """The subset holds more pairs than the metric can take in bounded memory."""


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
        UnknownName: No such metric, option, SAE, corpus or concept.
        UsageError: Both names stand for one SAE, or the corpus or the condition is not clear.
        SubsetTooSmall: Too few pairs, or so few that the score is forced by counting.
        SubsetTooLarge: More pairs than RSA can rank.
    """
    if metric not in METRICS:
        raise UnknownName("metric", metric, sorted(METRICS))
    subset, options, started_at = subset or Subset(), resolved_options(metric, options), utc_now()
    with open_atlas(db, wait=wait) as atlas:
        sae_a, sae_b = two_saes(atlas, a, b)
        shared = corpus_in_common(atlas, sae_a, sae_b, corpus)
        name = str(shared["corpus"])
        matched = select_pairs(atlas, sae_a, sae_b, name, subset)
        _check_size(metric, matched, subset, options)
        x = decoder_rows(atlas, sae_a, matched.features_a)
        y = decoder_rows(atlas, sae_b, matched.features_b)
    null = _null(metric, x, y, shuffles, seed, on_progress, options)
    _check_forced(null, options)
    score = _score(null, (sae_a, sae_b, name), int(str(shared["n_tokens"])), subset, matched, options, seed)
    if not store:
        return score
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        return store_score(atlas, score, subset, matched, started_at, command)


def resolved_options(metric: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a metric with its defaults filled in, so that a stored score says all of them."""
    parameters = inspect.signature(METRICS[metric].function).parameters.values()
    options = {p.name: given.get(p.name, p.default) for p in parameters if p.kind is p.KEYWORD_ONLY}
    unknown = set(given) - set(options)
    if unknown:
        raise UnknownName(f"option of {metric}", sorted(unknown)[0], sorted(options))
    if options.get("variance") is not None:
        options.pop("k", None)
    return {name: value for name, value in options.items() if value is not None}


def decoder_rows(atlas: Atlas, sae: str, features: np.ndarray) -> np.ndarray:
    """Decoder rows of some features, in their order: (len(features), d_in) float64, as the scans used them."""
    wanted = np.unique(features)
    query = sql_text("queries/decoder_rows")
    table = atlas.sql(query, params={"sae": sae, "features": wanted.tolist()}).to_arrow_table()
    rows = table.column("w_dec").combine_chunks()
    width = len(rows.values) // len(rows) if len(rows) else 0
    unique = rows.values.to_numpy().reshape(len(rows), width).astype(np.float64)
    return unique[np.searchsorted(wanted, features)]


def matched_rows(
    db: Path | str, a: str, b: str, *, subset: Subset | None = None, corpus: str | None = None
) -> tuple[np.ndarray, np.ndarray, Matched]:
    """Decoder rows of matched features, as `compare` scores them: x (n, d_a), y (n, d_b), and which features they are.

    Args:
        db: The atlas.
        a: Name or alias of the SAE of x.
        b: Name or alias of the SAE of y.
        subset: Which matched pairs; by default one-to-one matches that pass the token filters.
        corpus: Corpus on which the features were matched; None takes the only one.
    """
    with open_atlas(db) as atlas:
        sae_a, sae_b = two_saes(atlas, a, b)
        name = str(corpus_in_common(atlas, sae_a, sae_b, corpus)["corpus"])
        matched = select_pairs(atlas, sae_a, sae_b, name, subset or Subset())
        x = decoder_rows(atlas, sae_a, matched.features_a)
        return x, decoder_rows(atlas, sae_b, matched.features_b), matched


def _check_size(metric: str, matched: Matched, subset: Subset, options: Mapping[str, Any]) -> None:
    """Refuse before computing where counting alone decides, or where the memory would not do."""
    n = len(matched.features_a)
    if metric == "rsa" and n > MOST_RSA_PAIRS:
        raise SubsetTooLarge(
            f"rsa compares all distances between {n:,} features, which takes more memory than is safe",
            hint=f"at most {MOST_RSA_PAIRS:,} pairs: a higher --min-value, --match one-to-one, or --where",
        )
    needed = max(FEWEST_PAIRS, 2 * options.get("k", 1) + 1)
    if n >= needed:
        return
    more = (
        "--concept-share 0.3, --match best" if subset.concept else "--keep-unshared, --keep-non-concept, --match best"
    )
    ways = [f"keep more pairs: {more}" + (", a wider --where" if subset.where else "")]
    if "k" in options and n >= FEWEST_PAIRS:
        ways.insert(0, f"fewer directions: --directions {max(1, n // 4)}")
    fell = ", ".join(f"{name} {count}" for name, count in matched.steps)
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


def _check_forced(null: Null, options: Mapping[str, Any]) -> None:
    """Refuse a score part of which noise would get as well, and one that keeps too many directions for its rows."""
    ranks = [getattr(null.result, name, 0) for name in ("rank_x", "rank_y")]
    n, forced, hint = null.result.n, getattr(null.result, "forced", 0), "lower --variance, or --directions 10"
    if forced:
        raise SubsetTooSmall(
            f"{forced} of the correlations are 1 by counting alone: {n} pairs, {ranks[0]} + {ranks[1]} directions",
            hint=f"{hint}, or keep more pairs",
        )
    if options.get("variance") is not None and n < ROWS_PER_DIRECTION * max(ranks):
        raise SubsetTooSmall(
            f"{n} pairs say little of {max(ranks)} directions: noise scores {null.mean:.2f} here",
            why=f"a share of the variance needs {ROWS_PER_DIRECTION} pairs to a direction",
            hint=f"{hint}, or keep more pairs",
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
        excess=null.excess,
        dims_a=getattr(null.result, "rank_x", None),
        dims_b=getattr(null.result, "rank_y", None),
        forced=getattr(null.result, "forced", None),
        options=dict(options),
        seed=seed,
        steps=matched.steps,
    )
