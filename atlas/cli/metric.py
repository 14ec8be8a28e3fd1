"""`featlas metric`: how alike are two feature spaces, and is it more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from atlas.cli._group import Session
from atlas.cli._params import Finite, Whole
from atlas.cli._subset import subset_of, subset_options
from atlas.cli._text import number, to_json, visible

if TYPE_CHECKING:
    from atlas.scores import Score

KEYWORDS = {"directions": "k", "variance": "variance", "rdm": "rdm", "compare": "compare"}
"""Options of metrics here, and the keyword of the metrics' functions that each of them sets."""


@click.command()
@click.argument("name", type=str)
@click.argument("a")
@click.argument("b")
@subset_options
@click.option("--directions", type=click.IntRange(1), help="svcca: directions kept a side.  [default: 10]")
@click.option("--variance", type=Finite(share=True), help="svcca: keep this share of the variance instead.")
@click.option(
    "--rdm", type=click.Choice(["euclidean", "correlation", "cosine"]), help="rsa: distance.  [default: euclidean]"
)
@click.option(
    "--compare", type=click.Choice(["spearman", "pearson", "kendall"]), help="rsa: comparison.  [default: spearman]"
)
@click.option("--shuffles", type=click.IntRange(1), default=1000, show_default=True, help="Draws of the null.")
@click.option("--seed", type=Whole(), default=0, show_default=True, help="Of the shuffles.")
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
def metric(session: Session, name: str, a: str, b: str, **given: Any) -> None:
    """Score how alike the decoder rows of matched features of SAEs A and B are.

    NAME is svcca (canonical correlations of the 10 leading directions a side), rsa (rank correlation of all distances
    between features) or svcca_pc1 (what the code released with arXiv 2410.06981 computes under the name SVCCA).
    Every score comes with a null: the same with the pairing shuffled. p = (1 + shuffles as high) / (1 + shuffles).

    \b
    Examples:
      featlas --db demo.duckdb metric svcca A B
      featlas --db demo.duckdb metric rsa A B --concept Emotions
      featlas --db demo.duckdb metric rsa A B --where "a.density < 1e-2 and b.density < 1e-2"
    """
    from atlas.cli._progress import progress
    from atlas.compare import compare

    subset, options = subset_of(given), _options(name, given)
    with progress(f"shuffling for {name}", "shuffles", quiet=session.quiet) as report:
        score = compare(
            session.db,
            name,
            a,
            b,
            subset=subset,
            corpus=given["corpus"],
            shuffles=given["shuffles"],
            seed=given["seed"],
            wait=session.wait,
            store=not given["no_save"],
            on_progress=report,
            **options,
        )
    for step, count in score.steps:
        session.note(f"  {count:>8,}  {step}")
    as_json = given["as_json"] or given["format_"] == "json"
    click.echo(_as_json(score) if as_json else describe(score))


def describe(score: Score) -> str:
    """A score on three lines, with its sample and its null."""
    dims = f" · {score.dims_a} and {score.dims_b} directions" if score.dims_a else ""
    z = "undefined (the shuffles do not vary)" if score.z is None else f"{score.z:.1f}"
    stored = f" · score {score.score_id}" if score.score_id is not None else " · not stored"
    sample = f"{score.n:,} pairs on {visible(score.corpus)} ({score.n_tokens:,} tokens)"
    excess = "undefined" if score.excess is None else number(score.excess)
    names = f"{visible(score.sae_a)} × {visible(score.sae_b)}"
    return (
        f"{score.metric} {number(score.value)}  null {number(score.null_mean)} ± {number(score.null_std)}  "
        f"excess {excess}  z {z}  p {number(score.p_value)} ({score.null_n:,} shuffles, seed {score.seed})\n"
        f"  {names} · {sample}{dims}{stored}\n"
        f"  {visible(score.subset)}"
    )


def _options(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Options of the metric that were given; those of another metric are refused."""
    from inspect import signature

    from atlas.errors import UnknownName, UsageError
    from atlas.metrics import METRICS

    if name not in METRICS:
        raise UnknownName("metric", name, sorted(METRICS))
    chosen = {option: given[option] for option in KEYWORDS if given[option] is not None}
    for option in chosen:
        owners = [m.name for m in METRICS.values() if KEYWORDS[option] in signature(m.function).parameters]
        if name not in owners:
            raise UsageError(f"--{option} is an option of {', '.join(owners)}, not of {name}")
    if {"directions", "variance"} <= chosen.keys():
        raise UsageError("--directions and --variance exclude each other")
    return {KEYWORDS[option]: value for option, value in chosen.items()}


def _as_json(score: Score) -> str:
    """The score as JSON."""
    fields = {name: getattr(score, name) for name in score.__slots__ if name != "steps"}
    return to_json({"schema": "featlas.metric/1", **fields, "steps": dict(score.steps)})
