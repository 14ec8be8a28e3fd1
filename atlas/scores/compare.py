"""From a queried subset to a score: matched rows, a metric, its null and its interval."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from atlas.catalog.metrics import metric_named
from atlas.catalog.requests import Comparison
from atlas.choices import check_options
from atlas.comparisons.matched import Matched
from atlas.db import open_atlas
from atlas.db.runs import utc_now
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.metrics import METRICS
from atlas.metrics.null import Null, permutation_null
from atlas.metrics.resample import Interval, SplitHalf, bootstrap, split_half
from atlas.scores.inputs import Inputs, look_up, read_inputs
from atlas.scores.limits import check_forced, check_halves, check_size
from atlas.scores.nulls import scored_null
from atlas.scores.score import Score, judged, store_score

PATIENCE = 30.0
"""Minimum seconds to wait for the atlas with a score that is computed and only has to be stored."""


def compare(
    db: Path,
    a: str,
    b: str,
    wanted: Comparison,
    *,
    wait: float = 0,
    store: bool = True,
    command: str | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> Score:
    """Score how alike the rows of matched features are, against a null.

    Args:
        db: The atlas.
        a: Name or alias of the SAE whose rows are x.
        b: Name or alias of the SAE whose rows are y.
        wanted: What is asked for.
        wait: Seconds to wait for a locked atlas.
        store: Write the score into the atlas.
        command: Command line for the record; by default that of this process.
        on_progress: Called as `on_progress(draws_done, draws)`.

    Raises:
        UnknownName: No such metric, option, space, null, SAE, corpus or concept.
        UsageError: Both names stand for one SAE, or the corpus or the condition is not clear.
        SubsetTooSmall: Too few pairs, or so few that rank alone decides a part of the score.
        SubsetTooLarge: More pairs than RSA can rank.
    """
    wanted, started_at = resolved(wanted), utc_now()
    with open_atlas(db, wait=wait) as atlas:
        source = look_up(atlas, a, b, wanted)
    inputs = read_inputs(source, wanted)
    score = scored(inputs, wanted, on_progress)
    if not store:
        return score
    with open_atlas(db, write=True, wait=max(wait, PATIENCE)) as atlas, atlas.transaction():
        return store_score(atlas, score, wanted, inputs.compared, inputs.matched, started_at, command)


def resolved(wanted: Comparison) -> Comparison:
    """A request with every name checked and every option of the metric filled in.

    Raises:
        UnknownName: No such metric, option, space, null, match rule, direction or concept rule.
        UsageError: The number of draws must be at least 1.
    """
    metric_named(wanted.metric)
    check_options(wanted)
    check_options(wanted.subset)
    if wanted.bootstrap == 1:
        raise UsageError("an interval needs at least 2 draws", hint="--bootstrap 200, or 0 for none")
    return replace(wanted, options=resolved_options(wanted.metric, wanted.options))


def scored(inputs: Inputs, wanted: Comparison, on_progress: Callable[[int, int], object] | None = None) -> Score:
    """Compute the score, its null, its interval and its halves.

    Raises:
        SubsetTooSmall: Too few pairs, or so few that rank alone decides a part of the score.
        SubsetTooLarge: More pairs than RSA can rank.
        AtlasError: The metric is undefined for these rows.
    """
    subset = inputs.compared.subset
    check_size(wanted, inputs.matched)
    null = _null(wanted, inputs, on_progress)
    interval: Interval | None = _resampled(bootstrap, wanted.bootstrap, wanted, inputs, on_progress)
    halves: SplitHalf | None = _resampled(split_half, wanted.halves, wanted, inputs, on_progress)
    return judged(
        null,
        wanted,
        inputs.compared,
        subset=subset.in_words() + ("; matched within" if wanted.null == "subsets" else ""),
        steps=inputs.matched.steps,
        sampled_tokens=inputs.x.shape[1] if wanted.space == "activation" else None,
        interval=interval,
        halves=halves,
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


def matched_rows(db: Path | str, a: str, b: str, **asked: Any) -> tuple[np.ndarray, np.ndarray, Matched]:
    """Rows of matched features, as `compare` scores them: x (n, d_a), y (n, d_b), and which features they are.

    Args:
        db: The atlas.
        a: Name or alias of the SAE of x.
        b: Name or alias of the SAE of y.
        **asked: Fields of `Comparison` that say which rows: subset, corpus, space, null and seed.
    """
    wanted = Comparison("", **asked)
    with open_atlas(db) as atlas:
        source = look_up(atlas, a, b, wanted)
    inputs = read_inputs(source, wanted)
    return inputs.x, inputs.y, inputs.matched


def _null(wanted: Comparison, inputs: Inputs, on_progress: Any) -> Null:
    """The score and its null; what the metric cannot digest becomes a message."""
    check = None if wanted.allow_forced else partial(check_forced, options=wanted.options)
    arguments = {"n": wanted.shuffles, "on_result": check, "on_progress": on_progress, **wanted.options}
    try:
        if inputs.draws is None:
            return permutation_null(wanted.metric, inputs.x, inputs.y, seed=wanted.seed, **arguments)
        return scored_null(wanted.metric, inputs.x, inputs.y, inputs.draws, **arguments)
    except ValueError as error:
        raise _undefined(wanted.metric, str(error), inputs) from error


def _undefined(metric: str, problem: str, inputs: Inputs) -> AtlasError:
    """Why a metric has no score; a row is named as the feature that it is."""
    row = re.search(r"\brow (\d+) of ([xy])\b", problem)
    if row is None:
        return AtlasError(f"{metric} is undefined here: {problem}")
    side = "a" if row[2] == "x" else "b"
    feature = getattr(inputs.matched, f"features_{side}")[int(row[1])]
    named = problem.replace(row[0], f"the row of {getattr(inputs.compared, f'sae_{side}')}:{feature}")
    return AtlasError(
        f"{metric} is undefined here: {named}", hint=f'leave it out: --where "{side}.feature_id <> {feature}"'
    )


def _resampled(resample: Callable[..., Any], n: int, wanted: Comparison, inputs: Inputs, on_progress: Any) -> Any:
    """What `bootstrap` or `split_half` finds, None for no draws; what the metric cannot digest becomes a message."""
    if not n:
        return None
    metric, options = wanted.metric, wanted.options
    check_halves(metric, inputs.x, inputs.y, options)
    try:
        return resample(metric, inputs.x, inputs.y, n=n, seed=wanted.seed, on_progress=on_progress, **options)
    except ValueError as error:
        raise AtlasError(f"{metric} is undefined for some halves of the pairs: {error}") from error
