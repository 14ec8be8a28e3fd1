"""A score with what judges it, and its row in the atlas."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from atlas.catalog.saes import corpus_id, sae_id
from atlas.comparisons.matched import Matched
from atlas.db import Atlas
from atlas.db.runs import add_run, next_id, spec_sha256, utc_now
from atlas.metrics.moments import UNKNOWN
from atlas.metrics.null import Null
from atlas.scores.inputs import Comparison

_AS_THEY_ARE = (
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
    "forced",
    "seed",
    "space",
    "null_kind",
    "expected",
    "low",
    "high",
    "n_bootstrap",
    "expected_std",
    "expected_square",
    "half_mean",
    "half_apart",
    "n_halves",
)
"""Fields of a score that are columns of its row."""


@dataclass(frozen=True, slots=True)
class Score:
    """A similarity of two feature spaces with its sample and its null."""

    score_id: int | None
    """Number in the atlas; None if it was not stored."""

    metric: str
    """Name in `METRICS`."""

    sae_a: str
    """The SAE whose rows are x."""

    sae_b: str
    """The SAE whose rows are y."""

    corpus: str
    """The corpus of A on which the features were matched."""

    corpus_b: str
    """The corpus of B; another one where two cuts of a text were aligned."""

    space: str
    """Rows that were compared: decoder, encoder or activation."""

    null_kind: str
    """What the null is made of: shuffle, subsets, density, norm or gaussian."""

    n_tokens: int
    """Tokens of that corpus."""

    subset: str
    """The subset in words."""

    n: int
    """Matched pairs compared."""

    value: float
    """The score."""

    null_mean: float
    """Mean score of the null: the chance level."""

    null_std: float
    """Standard deviation of the scores of the null."""

    null_n: int
    """Draws of the null."""

    expected: float | None
    """Mean of the null in closed form; None where it is not known."""

    expected_std: float | None
    """Standard deviation of the null in closed form; None where it is not known."""

    expected_square: float | None
    """Mean of `mean_square` of the details by chance, exact; None where the metric has no canonical correlations."""

    z: float | None
    """(value - null_mean) / null_std; None if the null does not vary."""

    p_value: float
    """(1 + draws at least as high) / (1 + null_n)."""

    excess: float | None
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

    forced: int | None
    """Correlations that are 1 by counting alone; None where the metric has none."""

    details: Mapping[str, Any]
    """The metric's own numbers: ranks and all correlations, weights, distance, …"""

    options: Mapping[str, Any]
    """Of the metric."""

    seed: int
    """Of the draws."""

    steps: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    """Pairs at the start (`candidates`), removed by each filter, and at the end (`left`)."""


def judged(
    null: Null,
    wanted: Comparison,
    *,
    names: tuple[str, str],
    corpora: tuple[str, str],
    n_tokens: int,
    subset: str,
    steps: tuple[tuple[str, int], ...],
    sampled_tokens: int | None = None,
    low: float | None = None,
    high: float | None = None,
    half_mean: float | None = None,
    half_apart: float | None = None,
) -> Score:
    """A score with all that judges it; arguments as the fields of `Score`, `sampled_tokens` as one of its details."""
    details = dict(null.result.details) | ({} if sampled_tokens is None else {"sampled_tokens": sampled_tokens})
    moments = null.moments if wanted.null == "shuffle" else UNKNOWN
    return Score(
        score_id=None,
        metric=null.metric,
        sae_a=names[0],
        sae_b=names[1],
        corpus=corpora[0],
        corpus_b=corpora[1],
        space=wanted.space,
        null_kind=wanted.null,
        n_tokens=n_tokens,
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
        low=low,
        high=high,
        n_bootstrap=wanted.bootstrap or None,
        half_mean=half_mean,
        half_apart=half_apart,
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
    matched: Matched,
    started_at: datetime.datetime,
    command: str | None,
) -> Score:
    """Write a score and its run inside the caller's transaction; an equal one that is there already is returned.

    Args:
        atlas: Open for writing, in a transaction.
        score: Without a number.
        wanted: What was asked for.
        matched: The pairs it came to; their ids are stored.
        started_at: UTC, as `utc_now` gives it.
        command: Command line for the record; None for that of this process.
    """
    known = stored_score_id(atlas, (score.sae_a, score.sae_b), (score.corpus, score.corpus_b), wanted, matched)
    if known is not None:
        return replace(score, score_id=known)
    spec = _spec(atlas, (score.sae_a, score.sae_b), (score.corpus, score.corpus_b), wanted, matched)
    score_id = next_id(atlas, "score", "score_id")
    atlas.insert(
        "score",
        {name: [getattr(score, name)] for name in _AS_THEY_ARE}
        | {
            "score_id": [score_id],
            "run_id": [add_run(atlas, spec, started_at, command=command)],
            "sae_a": [sae_id(atlas, score.sae_a)],
            "sae_b": [sae_id(atlas, score.sae_b)],
            "corpus_id": [corpus_id(atlas, score.corpus)],
            "corpus_b": [None if score.corpus_b == score.corpus else corpus_id(atlas, score.corpus_b)],
            "steps": [json.dumps(dict(score.steps))],
            "subset_sha256": [matched.sha256],
            "features_a": [matched.features_a.tolist()],
            "features_b": [matched.features_b.tolist()],
            "options": [json.dumps(dict(score.options))],
            "details": [json.dumps(dict(score.details))],
            "spec_sha256": [spec_sha256(spec)],
            "created_at": [utc_now()],
        },
    )
    return replace(score, score_id=score_id)


def stored_score_id(
    atlas: Atlas, names: tuple[str, str], corpora: tuple[str, str], wanted: Comparison, matched: Matched
) -> int | None:
    """Number of an equal score that this atlas already holds.

    Args:
        atlas: Open for reading.
        names: Full names of A and B.
        corpora: Corpus of each.
        wanted: What was asked for.
        matched: The pairs.
    """
    digest = spec_sha256(_spec(atlas, names, corpora, wanted, matched))
    stored = atlas.rows("select c.score_id from score c where c.spec_sha256 = $digest", digest=digest).rows
    return stored[0][0] if stored else None


def _spec(
    atlas: Atlas, names: tuple[str, str], corpora: tuple[str, str], wanted: Comparison, matched: Matched
) -> dict[str, object]:
    """What identifies a score: equal specs give equal numbers."""
    sides = {"sae_a": names[0], "sae_b": names[1], "corpus": corpora[0], "corpus_b": corpora[1]}
    inputs = atlas.fetch("scores/score_inputs", **sides).dicts()[0]
    asked = asdict(wanted)
    if not wanted.halves:
        del asked["halves"]  # as scores were told apart before there were halves
    return {**asked, **sides, "features_sha256": matched.sha256, "inputs": inputs}
