"""`featlas metric`: how alike are two feature spaces, and is it more than chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from atlas.catalog.requests import DICTIONARY_METRICS, Comparison
from atlas.choices import STORED_RULES
from atlas.cli.kit.group import Session
from atlas.cli.kit.matches import compute_matching
from atlas.cli.kit.score_text import describe, fields_of, line, sample
from atlas.cli.kit.text import to_json, visible
from atlas.cli.options import comparison_of, scoring_options

if TYPE_CHECKING:
    from atlas.scores.score import Score


@click.command()
@click.argument("name", type=str)
@click.argument("a")
@click.argument("b", required=False)
@scoring_options
@click.option("--all", "every", is_flag=True, help="Every metric side by side: featlas metric --all A B.")
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

    NAME is svcca (canonical correlations of the leading directions of each SAE), cca or pwcca (of all directions),
    rsa (rank correlation of all distances between features), cka, procrustes, mutual_knn (Jaccard overlap of the
    nearest neighbours), matched_cosine (SAEs of one hook), or svcca_pc1 (what the code released with arXiv 2410.06981
    computes under the name SVCCA). Every score comes with a null, by default the same with the pairing shuffled.
    p = (1 + draws as high) / (1 + draws).

    mmcs (mean largest cosine of each feature of A with any of B) and pw_mcc (mean |cosine| of the best one-to-one
    assignment) compare all features that fire of two SAEs of one hook, with no pairs given; their null is random
    Gaussian vectors.

    \b
    Examples:
      featlas --db demo.duckdb metric svcca A B
      featlas --db demo.duckdb metric --all A B
      featlas --db demo.duckdb metric mmcs A B
      featlas --db demo.duckdb metric rsa A B --concept Emotions --null subsets
      featlas --db demo.duckdb metric rsa A B --where "a.density < 1e-2 and b.density < 1e-2"
    """
    from atlas.errors import UsageError

    as_json = given["as_json"] or given["format_"] == "json"
    if every == (b is not None):
        raise UsageError("a metric compares two SAEs", hint="featlas metric svcca A B, or featlas metric --all A B")
    if every:
        _print_all(session, name, a, given, as_json)
        return
    score = (
        _dictionaries(session, name, a, b or "", given)
        if name in DICTIONARY_METRICS
        else _scores(session, [name], comparison_of(name, given), a, b or "", given)[0]
    )
    for step, count in score.steps:
        session.note(f"  {count:>8,}  {step}")
    if name not in DICTIONARY_METRICS and given["measure"] == score.space:
        session.note(f"the pairs were chosen by the {score.space} rows that are scored, and the null did not choose")
    click.echo(to_json({"schema": "featlas.metric/1", **fields_of(score)}) if as_json else describe(score))


def _dictionaries(session: Session, name: str, a: str, b: str, given: dict[str, Any]) -> Score:
    """The score of two dictionaries as sets; options about pairs have no meaning there."""
    from atlas.cli.kit.progress import progress
    from atlas.errors import UsageError
    from atlas.scores.dictionaries import DRAWS, compare_dictionaries

    context = click.get_current_context()
    typed = {key for key in given if context.get_parameter_source(key) is ParameterSource.COMMANDLINE}
    wrong = sorted(typed - {"corpus", "space", "shuffles", "seed", "no_save", "format_", "as_json"})
    if wrong:
        option = next(p.opts[0] for p in context.command.params if p.name == wrong[0])
        raise UsageError(f"{option} is about pairs of features, and {name} compares all that fire, without pairs")
    with progress(f"null of {name}", "draws", quiet=session.quiet) as report:
        return compare_dictionaries(
            session.db,
            name,
            a,
            b,
            corpus=given["corpus"],
            space=given["space"],
            draws=given["shuffles"] if "shuffles" in typed else DRAWS,
            seed=given["seed"],
            wait=session.wait,
            store=not given["no_save"],
            on_progress=report,
        )


def _scores(session: Session, names: list[str], wanted: Comparison, a: str, b: str, given: dict[str, Any]) -> list[Any]:
    """The scores of some metrics, or for several why one could not be given."""
    from atlas.cli.kit.progress import progress
    from atlas.errors import AtlasError, AtlasUnavailable
    from atlas.scores.compare import compare

    subset, how = wanted.subset, {"wait": session.wait, "store": not given["no_save"]}
    if subset.match in STORED_RULES:
        compute_matching(session, a, b, subset.match, subset.measure, corpus=wanted.corpus)
    found: list[Any] = []
    for name in names:
        with progress(f"null of {name}", "draws", quiet=session.quiet) as report:
            try:
                found.append(compare(session.db, a, b, replace(wanted, metric=name), on_progress=report, **how))
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
    from atlas.scores.score import Score

    names = sorted(METRICS)
    found = dict(zip(names, _scores(session, names, comparison_of(None, given), a, b, given), strict=True))
    scores = [score for score in found.values() if isinstance(score, Score)]
    if not scores:
        raise next(error for error in found.values() if isinstance(error, AtlasError))
    if as_json:
        undefined = {name: outcome.what for name, outcome in found.items() if isinstance(outcome, AtlasError)}
        told = {"scores": [fields_of(score) for score in scores], "undefined": undefined}
        click.echo(to_json({"schema": "featlas.metrics/1", **told}))
        return
    for step, count in scores[0].steps:
        session.note(f"  {count:>8,}  {step}")
    if given["measure"] == given["space"]:
        session.note(f"the pairs were chosen by the {given['space']} rows that are scored, and the null did not choose")
    click.echo(f"{'metric':<15} {'score':>7} {'null':>7} {'±':>7} {'excess':>7} {'z':>7} {'p':>8}  ignores")
    for name in names:
        ignores = ", ".join(sorted(METRICS[name].invariances)) or "nothing"
        outcome = found[name]
        click.echo(line(outcome, ignores) if isinstance(outcome, Score) else f"{name:<15} {visible(outcome.what)}")
    session.note("mmcs and pw_mcc compare whole dictionaries of one hook: featlas metric mmcs A B")
    click.echo(sample(replace(scores[0], dims_a=None, score_id=None, options={})).replace(" · not stored", ""))
