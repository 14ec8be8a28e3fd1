"""A score with what judges it, and its row in the atlas."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from atlas.catalog.compared import Compared
from atlas.catalog.corpora import corpus_id
from atlas.catalog.requests import Comparison
from atlas.catalog.saes import sae_id
from atlas.choices import spec_of
from atlas.comparisons.matched import Matched
from atlas.db import Atlas
from atlas.db.runs import add_run, next_id, spec_sha256, utc_now
from atlas.metrics.moments import UNKNOWN
from atlas.metrics.null import Null
from atlas.metrics.resample import Interval, SplitHalf


def _column(*, stored: Literal["as it is", "json"] | None = "as it is", listed: bool = False, **how: Any) -> Any:
    return field(**how, metadata={"stored": stored, "listed": listed})


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A similarity of two feature spaces with its sample and its null.

    The one place that lists its fields: the row that is stored, the table of `featlas scores` and JSON follow it.
    """

    score_id: int | None = _column(stored=None, listed=True)
    """Number in the atlas; None if it was not stored."""
    metric: str = _column(listed=True)
    """Name in `METRICS`."""
    sae_a: str = _column(stored=None, listed=True)
    """The SAE whose rows are x."""
    sae_b: str = _column(stored=None, listed=True)
    """The SAE whose rows are y."""
    n: int = _column(listed=True)
    """Matched pairs compared."""
    value: float = _column(listed=True)
    """The score."""
    null_mean: float = _column(listed=True)
    """Mean score of the null: the chance level."""
    null_std: float = _column(listed=True)
    """Standard deviation of the scores of the null."""
    z: float | None = _column(listed=True)
    """(value - null_mean) / null_std; None if the null does not vary."""
    p_value: float = _column(listed=True)
    """(1 + draws at least as high) / (1 + null_n)."""
    space: str = _column(listed=True)
    """Rows that were compared: decoder, encoder or activation."""
    options: Mapping[str, Any] = _column(stored="json", listed=True)
    """Of the metric."""
    null_kind: str = _column(listed=True)
    """What the null is made of: shuffle, subsets, density, norm or gaussian."""
    forced: int | None = _column(listed=True)
    """Correlations that are 1 by rank alone (n pairs < directions); None where the metric has none."""
    corpus: str = _column(stored=None, listed=True)
    """The corpus of A on which the features were matched."""
    subset: str = _column(listed=True)
    """The subset in words."""
    corpus_b: str = _column(stored=None)
    """The corpus of B; another one where two tokenizations of a text were aligned."""
    n_tokens: int = _column(stored=None)
    """Tokens of that corpus."""
    null_n: int
    """Draws of the null."""
    expected: float | None
    """Mean of the null in closed form; None where it is not known."""
    expected_std: float | None
    """Standard deviation of the null in closed form; None where it is not known."""
    expected_square: float | None
    """Mean of `mean_square` of the details by chance, exact; None where the metric has no canonical correlations."""
    excess: float | None = _column(stored=None)
    """(value - null_mean) / (1 - null_mean): 0 at chance, 1 at identity; None if chance already gives 1."""
    low: float | None
    """Lower end of the bootstrap interval of the value, 2.5 %; None if it was not asked for."""
    high: float | None
    """Upper end, 97.5 %."""
    n_bootstrap: int | None
    """Draws of the interval."""
    half_mean: float | None
    """Mean score of a half of the pairs; None if that was not asked for."""
    half_apart: float | None
    """Mean |difference| between the scores of two halves that have no pair in common."""
    n_halves: int | None
    """Splits into halves."""
    dims_a: int | None
    """Directions kept of x; None where the metric keeps all."""
    dims_b: int | None
    """Directions kept of y."""
    details: Mapping[str, Any] = _column(stored="json")
    """The metric's own numbers: ranks and all correlations, weights, distance, …"""
    seed: int
    """Of the draws."""
    steps: tuple[tuple[str, int], ...] = _column(stored="json", default=(), compare=False)
    """Pairs at the start (`candidates`), removed by each filter, and at the end (`left`)."""


LISTED = tuple(f.name for f in fields(Score) if f.metadata.get("listed"))
"""Columns of the table that `featlas scores` prints."""


def judged(
    null: Null,
    wanted: Comparison,
    compared: Compared,
    *,
    subset: str,
    steps: tuple[tuple[str, int], ...],
    sampled_tokens: int | None = None,
    interval: Interval | None = None,
    halves: SplitHalf | None = None,
) -> Score:
    """A score with all that judges it.

    Args:
        null: The score and its null.
        wanted: What was asked for.
        compared: The SAEs and their corpora.
        subset: In words.
        steps: Pairs at the start, removed by each filter, and at the end.
        sampled_tokens: Width of rows of activations, one of the details.
        interval: Of the score over its pairs.
        halves: Scores of halves of the pairs.
    """
    details = dict(null.result.details) | ({} if sampled_tokens is None else {"sampled_tokens": sampled_tokens})
    moments = null.moments if wanted.null == "shuffle" else UNKNOWN
    return Score(
        score_id=None,
        metric=null.metric,
        sae_a=compared.sae_a,
        sae_b=compared.sae_b,
        corpus=compared.corpus,
        corpus_b=compared.corpus_b,
        space=wanted.space,
        null_kind=wanted.null,
        n_tokens=compared.n_tokens,
        subset=subset,
        n=null.result.n,
        value=null.observed,
        null_mean=null.mean,
        null_std=null.std,
        null_n=len(null.draws),
        expected=moments.mean,
        expected_std=moments.std,
        expected_square=moments.mean_square,
        z=null.z,
        p_value=null.p_value,
        excess=null.excess,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        n_bootstrap=wanted.bootstrap or None,
        half_mean=None if halves is None else halves.mean,
        half_apart=None if halves is None else halves.difference,
        n_halves=wanted.halves or None,
        dims_a=details.get("rank_x"),
        dims_b=details.get("rank_y"),
        forced=details.get("forced"),
        details=details,
        options=dict(wanted.options),
        seed=wanted.seed,
        steps=steps,
    )


def store_score(
    atlas: Atlas,
    score: Score,
    wanted: Comparison,
    compared: Compared,
    matched: Matched,
    started_at: datetime.datetime,
    command: str | None,
) -> Score:
    """Write a score and its run inside the caller's transaction; an equal one that is there already is returned.

    Args:
        atlas: Open for writing, in a transaction.
        score: Without a number.
        wanted: What was asked for.
        compared: The SAEs, their corpora and the subset.
        matched: The pairs it came to; their ids are stored.
        started_at: UTC, as `utc_now` gives it.
        command: Command line for the record; None for that of this process.
    """
    known = stored_score_id(atlas, wanted, compared, matched)
    if known is not None:
        return replace(score, score_id=known)
    spec = _spec(atlas, wanted, compared, matched)
    row = {
        "score_id": next_id(atlas, "score", "score_id"),
        "run_id": add_run(atlas, spec, started_at, command=command),
        "sae_a": sae_id(atlas, score.sae_a),
        "sae_b": sae_id(atlas, score.sae_b),
        "corpus_id": corpus_id(atlas, score.corpus),
        "corpus_b": None if score.corpus_b == score.corpus else corpus_id(atlas, score.corpus_b),
        "subset_sha256": matched.sha256,
        "features_a": matched.features_a.tolist(),
        "features_b": matched.features_b.tolist(),
        "spec_sha256": spec_sha256(spec),
        "created_at": utc_now(),
    }
    for column in fields(Score):
        stored, value = column.metadata.get("stored", "as it is"), getattr(score, column.name)
        if stored is not None:
            row[column.name] = json.dumps(dict(value)) if stored == "json" else value
    atlas.insert("score", {name: [value] for name, value in row.items()})
    return replace(score, score_id=row["score_id"])


def stored_score_id(atlas: Atlas, wanted: Comparison, compared: Compared, matched: Matched) -> int | None:
    """Number of an equal score that this atlas already holds.

    Args:
        atlas: Open for reading.
        wanted: What was asked for.
        compared: The SAEs, their corpora and the subset.
        matched: The pairs.
    """
    digest = spec_sha256(_spec(atlas, wanted, compared, matched))
    stored = atlas.rows("select c.score_id from score c where c.spec_sha256 = $digest", digest=digest).rows
    return stored[0][0] if stored else None


def _spec(atlas: Atlas, wanted: Comparison, compared: Compared, matched: Matched) -> dict[str, object]:
    """What identifies a score: equal specs give equal numbers."""
    sides = {name: getattr(compared, name) for name in ("sae_a", "sae_b", "corpus", "corpus_b")}
    inputs = atlas.fetch("scores/score_inputs", **sides).dicts()[0]
    asked = spec_of(replace(wanted, subset=compared.subset))
    return {**asked, **sides, "features_sha256": matched.sha256, "inputs": inputs}
