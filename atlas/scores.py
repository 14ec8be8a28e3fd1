"""A score with what judges it, and its row in the atlas."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from atlas.db import Atlas
from atlas.queries.registry import corpus_id, sae_id
from atlas.runs import add_run, next_id, spec_sha256, utc_now
from atlas.subsets import Matched, Subset

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

    excess: float | None
    """(value - null_mean) / (1 - null_mean): 0 at chance, 1 at identity; None if chance already gives 1."""

    dims_a: int | None
    """Directions kept of x; None where the metric keeps all."""

    dims_b: int | None
    """Directions kept of y."""

    forced: int | None
    """Correlations that are 1 by counting alone; None where the metric has none."""

    options: Mapping[str, Any]
    """Of the metric."""

    seed: int
    """Of the shuffles."""

    steps: tuple[tuple[str, int], ...] = field(default=(), compare=False)
    """Pairs at the start (`candidates`), removed by each filter, and at the end (`left`)."""


def store_score(
    atlas: Atlas,
    score: Score,
    subset: Subset,
    matched: Matched,
    started_at: datetime.datetime,
    command: str | None,
) -> Score:
    """Write a score and its run inside the caller's transaction; an equal one that is there already is returned.

    Args:
        atlas: Open for writing, in a transaction.
        score: Without a number.
        subset: What was asked for.
        matched: The pairs it came to; their ids are stored.
        started_at: UTC, as `utc_now` gives it.
        command: Command line for the record; None for that of this process.
    """
    inputs = atlas.fetch("score_inputs", sae_a=score.sae_a, sae_b=score.sae_b, corpus=score.corpus).dicts()[0]
    spec = _spec(score, subset, matched) | {"inputs": inputs}
    digest = spec_sha256(spec)
    stored = atlas.rows("select c.score_id from score c where c.spec_sha256 = $digest", digest=digest).rows
    if stored:
        return replace(score, score_id=stored[0][0])
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
            "subset_sha256": [matched.sha256],
            "features_a": [matched.features_a.tolist()],
            "features_b": [matched.features_b.tolist()],
            "options": [json.dumps(dict(score.options))],
            "spec_sha256": [digest],
            "created_at": [utc_now()],
        },
    )
    return replace(score, score_id=score_id)


def _spec(score: Score, subset: Subset, matched: Matched) -> dict[str, object]:
    """What identifies a score: equal specs give equal numbers."""
    return {
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
