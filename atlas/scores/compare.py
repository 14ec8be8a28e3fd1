"""From a queried subset to a score: matched rows, a metric, its null and its interval."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from atlas.catalog.saes import two_saes
from atlas.choices import MATCH_RULES
from atlas.comparisons.matched import Matched, Subset
from atlas.concepts.lexicons import CONCEPT_RULES
from atlas.db import open_atlas
from atlas.db.runs import utc_now
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.metrics import METRICS
from atlas.metrics.null import Null, permutation_null
from atlas.scores.inputs import Comparison, Inputs, planned, with_names
from atlas.scores.limits import check_forced, check_halves, check_size
from atlas.scores.nulls import NULLS, NullKind, scored_null
from atlas.scores.rows import SPACES, Space
from atlas.scores.score import Score, judged, store_score

PATIENCE = 30.0
"""Least seconds to wait for the atlas with a score that is computed and only has to be stored."""


def compare(
    db: Path,
    metric: str,
    a: str,
    b: str,
    *,
    subset: Subset | None = None,
    corpus: str | None = None,
    space: Space = "decoder",
    null: NullKind = "shuffle",
    shuffles: int = 1000,
    seed: int = 0,
    bootstrap: int = 0,
    halves: int = 0,
    allow_forced: bool = False,
    wait: float = 0,
    store: bool = True,
    command: str | None = None,
    on_progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Score:
    """Score how alike the rows of matched features are, against a null.

    Args:
        db: The atlas.
        metric: A name in `METRICS`.
        a: Name or alias of the SAE whose rows are x.
        b: Name or alias of the SAE whose rows are y.
        subset: Which matched pairs; by default one-to-one matches that pass the token filters.
        corpus: Corpus on which the features were matched; None takes the only one.
        space: Which rows: decoder, encoder or activation.
        null: shuffle: shuffled pairs; subsets: random features matched afresh; density, norm: random partners alike.
        shuffles: Draws of the null.
        seed: Of the draws.
        bootstrap: Draws of an interval of the score over its pairs; 0 for none.
        halves: Splits of the pairs into two halves that are scored as well; 0 for none.
        allow_forced: Give the score even where counting alone decides a part of it.
        wait: Seconds to wait for a locked atlas.
        store: Write the score into the atlas.
        command: Command line for the record; by default that of this process.
        on_progress: Called as `on_progress(draws_done, draws)`.
        **options: Of the metric.

    Raises:
        UnknownName: No such metric, option, space, null, SAE, corpus or concept.
        UsageError: Both names stand for one SAE, or the corpus or the condition is not clear.
        SubsetTooSmall: Too few pairs, or so few that the score is forced by counting.
        SubsetTooLarge: More pairs than RSA can rank.
    """
    settings = {"space": space, "null": null, "shuffles": shuffles, "seed": seed, "bootstrap": bootstrap}
    settings |= {"halves": halves, "allow_forced": allow_forced}
    wanted = comparison(metric, subset, corpus, options=options, **settings)
    started_at = utc_now()
    with open_atlas(db, wait=wait) as atlas:
        wanted = with_names(atlas, wanted)
        plan = planned(atlas, *two_saes(atlas, a, b), wanted)
    inputs = plan.read()
    score = scored(inputs, wanted, on_progress)
    if not store:
        return score
    with open_atlas(db, write=True, wait=max(wait, PATIENCE)) as atlas, atlas.transaction():
        return store_score(atlas, score, wanted, inputs.matched, started_at, command)


def comparison(
    metric: str, subset: Subset | None, corpus: str | None, *, options: Mapping[str, Any], **settings: Any
) -> Comparison:
    """What is asked for, with every name checked and every option of the metric filled in.

    Raises:
        UnknownName: No such metric, option, space, null, match rule, direction or concept rule.
        UsageError: A number of draws that is none.
    """
    subset = subset or Subset()
    for kind, name, known in (
        ("metric", metric, sorted(METRICS)),
        ("space", settings["space"], SPACES),
        ("null", settings["null"], NULLS),
        ("match rule", subset.match, MATCH_RULES),
        ("direction", subset.direction, ("a_to_b", "b_to_a")),
        ("concept rule", subset.concept_rule, CONCEPT_RULES),
    ):
        if name not in known:
            raise UnknownName(kind, name, list(known))
    for name, least in (("shuffles", 1), ("bootstrap", 0), ("halves", 0), ("seed", 0)):
        value = settings[name]
        if not isinstance(value, int) or value < least:
            raise UsageError(f"{name} is a whole number of at least {least}, not {value!r}")
    if settings["bootstrap"] == 1:
        raise UsageError("an interval needs at least 2 draws", hint="--bootstrap 200, or 0 for none")
    return Comparison(metric, subset, corpus, options=resolved_options(metric, options), **settings)


def scored(inputs: Inputs, wanted: Comparison, on_progress: Callable[[int, int], object] | None = None) -> Score:
    """Compute the score, its null, its interval and its halves.

    Raises:
        SubsetTooSmall: Too few pairs, or so few that the score is forced by counting.
        SubsetTooLarge: More pairs than RSA can rank.
        AtlasError: The metric is undefined for these rows.
    """
    check_size(wanted, inputs.matched)
    null = _null(wanted, inputs, on_progress)
    return judged(
        null,
        wanted,
        names=inputs.names,
        corpora=inputs.corpora,
        n_tokens=inputs.n_tokens,
        subset=wanted.subset.in_words() + ("; matched within" if wanted.null == "subsets" else ""),
        steps=inputs.matched.steps,
        sampled_tokens=inputs.x.shape[1] if wanted.space == "activation" else None,
        **_interval(wanted, inputs, on_progress),
        **_halves(wanted, inputs, on_progress),
    )


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


def matched_rows(
    db: Path | str,
    a: str,
    b: str,
    *,
    subset: Subset | None = None,
    corpus: str | None = None,
    space: Space = "decoder",
    null: NullKind = "shuffle",
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray, Matched]:
    """Rows of matched features, as `compare` scores them: x (n, d_a), y (n, d_b), and which features they are.

    Args:
        db: The atlas.
        a: Name or alias of the SAE of x.
        b: Name or alias of the SAE of y.
        subset: Which matched pairs; by default one-to-one matches that pass the token filters.
        corpus: Corpus on which the features were matched; None takes the only one.
        space: Which rows: decoder, encoder or activation.
        null: The null that the score is for: `subsets` matches the features of a concept among themselves.
        seed: Of the sample of tokens, for activations.
    """
    wanted = Comparison("", subset or Subset(), corpus, space=space, null=null, seed=seed)
    with open_atlas(db) as atlas:
        plan = planned(atlas, *two_saes(atlas, a, b), wanted)
    inputs = plan.read()
    return inputs.x, inputs.y, inputs.matched


def _null(wanted: Comparison, inputs: Inputs, on_progress: Any) -> Null:
    """The score and its null; what the metric cannot digest becomes a message."""
    check = None if wanted.allow_forced else partial(check_forced, options=wanted.options)
    arguments = {"n": wanted.shuffles, "on_result": check, "on_progress": on_progress, **wanted.options}
    try:
        if inputs.draws is None:
            return permutation_null(wanted.metric, inputs.x, inputs.y, seed=wanted.seed, **arguments)
        draws = inputs.draws(np.random.default_rng(np.random.PCG64(wanted.seed)))
        return scored_null(wanted.metric, inputs.x, inputs.y, draws, **arguments)
    except ValueError as error:
        raise _undefined(wanted.metric, str(error), inputs) from error


def _undefined(metric: str, problem: str, inputs: Inputs) -> AtlasError:
    """Why a metric has no score; a row is named as the feature that it is."""
    row = re.search(r"\brow (\d+) of ([xy])\b", problem)
    if row is None:
        return AtlasError(f"{metric} is undefined here: {problem}")
    side, features = ("a", inputs.matched.features_a) if row[2] == "x" else ("b", inputs.matched.features_b)
    feature = features[int(row[1])]
    named = problem.replace(row[0], f"the row of {inputs.names['ab'.index(side)]}:{feature}")
    return AtlasError(
        f"{metric} is undefined here: {named}", hint=f'leave it out: --where "{side}.feature_id <> {feature}"'
    )


def _interval(wanted: Comparison, inputs: Inputs, on_progress: Any) -> dict[str, float | None]:
    """Where the score would lie for other pairs of the same kind; None if that was not asked for."""
    if not wanted.bootstrap:
        return {"low": None, "high": None}
    from atlas.metrics.resample import bootstrap

    found = _resampled(bootstrap, wanted.bootstrap, wanted, inputs, on_progress)
    return {"low": found.low, "high": found.high}


def _halves(wanted: Comparison, inputs: Inputs, on_progress: Any) -> dict[str, float | None]:
    """How far two measurements on half of the pairs part; None if that was not asked for."""
    if not wanted.halves:
        return {"half_mean": None, "half_apart": None}
    from atlas.metrics.resample import split_half

    found = _resampled(split_half, wanted.halves, wanted, inputs, on_progress)
    return {"half_mean": found.mean, "half_apart": found.difference}


def _resampled(resample: Callable[..., Any], n: int, wanted: Comparison, inputs: Inputs, on_progress: Any) -> Any:
    """What `bootstrap` or `split_half` finds; what the metric cannot digest becomes a message."""
    metric, options = wanted.metric, wanted.options
    check_halves(metric, inputs.x, inputs.y, options)
    try:
        return resample(metric, inputs.x, inputs.y, n=n, seed=wanted.seed, on_progress=on_progress, **options)
    except ValueError as error:
        raise AtlasError(f"{metric} is undefined for some halves of the pairs: {error}") from error
