"""`featlas metric`: how alike are two feature spaces, and is it more than chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from atlas.cli._group import Session
from atlas.cli._matches import compute_matching
from atlas.cli._score import null_options, settings_of
from atlas.cli._subset import subset_of, subset_options
from atlas.cli._text import number, to_json, visible
from atlas.rules import STORED_RULES
from atlas.units import unit_of

if TYPE_CHECKING:
    from atlas.scores import Score


@click.command()
@click.argument("name", type=str)
@click.argument("a")
@click.argument("b", required=False)
@subset_options
@null_options
@click.option("--all", "every", is_flag=True, help="Every metric side by side: featlas metric --all A B.")
@click.option(
    "--split-half",
    type=click.IntRange(1),
    metavar="N",
    help="Also score two halves of the pairs, N times: is it stable?",
)
@click.option("--no-save", is_flag=True, help="Print the score without storing it.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_obj
def metric(session: Session, name: str, a: str, b: str | None, every: bool, **given: Any) -> None:
    """Score how alike the rows of matched features of SAEs A and B are.

    NAME is svcca (canonical correlations of the 10 leading directions a side), cca or pwcca (of all directions), rsa
    (rank correlation of all distances between features), cka, procrustes, mutual_knn (shared nearest neighbours),
    matched_cosine (SAEs of one space), or svcca_pc1 (what the code released with arXiv 2410.06981 computes under the
    name SVCCA). Every score comes with a null, by default the same with the pairing shuffled.
    p = (1 + draws as high) / (1 + draws).

    \b
    Examples:
      featlas --db demo.duckdb metric svcca A B
      featlas --db demo.duckdb metric --all A B
      featlas --db demo.duckdb metric rsa A B --concept Emotions --null subsets
      featlas --db demo.duckdb metric rsa A B --where "a.density < 1e-2 and b.density < 1e-2"
    """
    from atlas.errors import UsageError

    as_json = given["as_json"] or given["format_"] == "json"
    if every and given["split_half"]:
        raise UsageError("--split-half goes with one metric", hint="featlas metric rsa A B --split-half 20")
    if every == (b is not None):
        raise UsageError("a metric compares two SAEs", hint="featlas metric svcca A B, or featlas metric --all A B")
    if every:
        _print_all(session, name, a, given, as_json)
        return
    score = _scores(session, [name], a, b or "", given)[0]
    for step, count in score.steps:
        session.note(f"  {count:>8,}  {step}")
    if given["measure"] == score.space:
        session.note(f"the pairs were chosen by the {score.space} rows that are scored, and the null did not choose")
    click.echo(_as_json(score) if as_json else describe(score))
    if given["split_half"]:
        session.note(_halves(session, score, a, b or "", given))


def _halves(session: Session, score: Score, a: str, b: str, given: dict[str, Any]) -> str:
    """How far two measurements on half of the pairs part."""
    from atlas.compare import matched_rows
    from atlas.limits import check_halves
    from atlas.metrics.resample import split_half

    how = {"corpus": given["corpus"], "space": given["space"], "null": given["null"], "seed": given["seed"]}
    x, y, matched = matched_rows(session.db, a, b, subset=subset_of(given), **how)
    check_halves(score.metric, x, y, score.options)
    try:
        found = split_half(score.metric, x, y, n=given["split_half"], seed=given["seed"], **score.options)
    except ValueError as error:
        return f"{score.metric} is undefined for some halves of the pairs: {error}"
    n = len(matched.features_a) // 2
    apart = f"{number(found.difference)} apart"
    return f"halves of {n:,} pairs, {given['split_half']} splits: mean {number(found.mean)}, {apart}"


def _scores(session: Session, names: list[str], a: str, b: str, given: dict[str, Any]) -> list[Any]:
    """The scores of some metrics, or for several why one could not be given."""
    from atlas.cli._progress import progress
    from atlas.compare import compare
    from atlas.errors import AtlasError, AtlasUnavailable

    subset, (settings, options) = subset_of(given), settings_of(names[0] if len(names) == 1 else None, given)
    if subset.match in STORED_RULES:
        compute_matching(session, a, b, subset.match, subset.measure, corpus=given["corpus"])
    found: list[Any] = []
    for name in names:
        with progress(f"null of {name}", "draws", quiet=session.quiet) as report:
            try:
                found.append(
                    compare(
                        session.db,
                        name,
                        a,
                        b,
                        subset=subset,
                        corpus=given["corpus"],
                        wait=session.wait,
                        store=not given["no_save"],
                        on_progress=report,
                        **settings,
                        **options,
                    )
                )
            except AtlasUnavailable:
                raise
            except AtlasError as error:
                if len(names) == 1:
                    raise
                found.append(error)
    return found


def _print_all(session: Session, a: str, b: str, given: dict[str, Any], as_json: bool) -> None:
    """Every metric on one line each, with what it ignores: no metric is best everywhere."""
    from atlas.errors import AtlasError
    from atlas.metrics import METRICS
    from atlas.scores import Score

    names = sorted(METRICS)
    found = dict(zip(names, _scores(session, names, a, b, given), strict=True))
    scores = [score for score in found.values() if isinstance(score, Score)]
    if not scores:
        raise next(error for error in found.values() if isinstance(error, AtlasError))
    if as_json:
        click.echo(to_json({"schema": "featlas.metrics/1", "scores": [_fields(score) for score in scores]}))
        return
    for step, count in scores[0].steps:
        session.note(f"  {count:>8,}  {step}")
    if given["measure"] == given["space"]:
        session.note(f"the pairs were chosen by the {given['space']} rows that are scored, and the null did not choose")
    click.echo(f"{'metric':<15} {'score':>7} {'null':>7} {'±':>7} {'excess':>7} {'z':>7} {'p':>8}  ignores")
    for name in names:
        ignores = ", ".join(sorted(METRICS[name].invariances)) or "nothing"
        outcome = found[name]
        click.echo(_line(outcome, ignores) if isinstance(outcome, Score) else f"{name:<15} {visible(outcome.what)}")
    click.echo(_sample(replace(scores[0], dims_a=None, score_id=None)).replace(" · not stored", ""))


def _line(score: Score, ignores: str) -> str:
    """One metric of several."""
    z = "·" if score.z is None else f"{score.z:.1f}"
    excess = "·" if score.excess is None else f"{score.excess:.3f}"
    numbers = f"{score.value:>7.3f} {score.null_mean:>7.3f} {score.null_std:>7.3f} {excess:>7} {z:>7}"
    interval = "" if score.low is None or score.high is None else f"  [{score.low:.3f}, {score.high:.3f}]"
    return f"{score.metric:<15} {numbers} {score.p_value:>8.2g}  {ignores}{interval}"


def describe(score: Score) -> str:
    """A score on three lines, with its sample and its null."""
    z = "undefined (the null does not vary)" if score.z is None else f"{score.z:.1f}"
    excess = "undefined" if score.excess is None else number(score.excess)
    draws = "shuffles" if score.null_kind == "shuffle" else f"draws of {score.null_kind}"
    interval = ""
    if score.low is not None and score.high is not None:
        interval = f" [{number(score.low)}, {number(score.high)}]"
    expected = "" if score.expected is None else f" (in closed form {number(score.expected)})"
    return (
        f"{score.metric} {number(score.value)}{interval}  null {number(score.null_mean)} ± {number(score.null_std)}"
        f"{expected}  excess {excess}  z {z}  p {number(score.p_value)} ({score.null_n:,} {draws}, seed {score.seed})\n"
        f"{_sample(score)}"
    )


def _sample(score: Score) -> str:
    """What a score rests on, on two lines."""
    dims = f" · {score.dims_a} and {score.dims_b} directions" if score.dims_a else ""
    stored = f" · score {score.score_id}" if score.score_id is not None else " · not stored"
    unit = unit_of("", score.corpus, score.corpus_b)
    corpora = " and ".join(visible(name) for name in dict.fromkeys((score.corpus, score.corpus_b)))
    sample = f"{score.n:,} pairs on {corpora} ({score.n_tokens:,} {unit}) · {score.space} rows"
    names = f"{visible(score.sae_a)} × {visible(score.sae_b)}"
    return f"  {names} · {sample}{dims}{stored}\n  {visible(score.subset)}"


def _fields(score: Score) -> dict[str, Any]:
    """Everything that is known of a score."""
    fields = {name: getattr(score, name) for name in score.__slots__ if name != "steps"}
    return {**fields, "steps": dict(score.steps)}


def _as_json(score: Score) -> str:
    """The score as JSON."""
    return to_json({"schema": "featlas.metric/1", **_fields(score)})
