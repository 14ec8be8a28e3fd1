"""`featlas metric`: how alike are two feature spaces, and is it more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from atlas.cli._group import Session
from atlas.cli._output import number
from atlas.cli._subset import subset_of, subset_options

if TYPE_CHECKING:
    from atlas.scores import Score

NAMES = ("svcca", "svcca_pc1", "rsa")


@click.command()
@click.argument("name", type=str)
@click.argument("a")
@click.argument("b")
@subset_options
@click.option("--directions", type=click.IntRange(1), help="svcca: directions kept a side.  [default: 10]")
@click.option(
    "--variance", type=click.FloatRange(0, 1, min_open=True), help="svcca: keep this share of the variance instead."
)
@click.option(
    "--rdm", type=click.Choice(["euclidean", "correlation", "cosine"]), help="rsa: distance.  [default: euclidean]"
)
@click.option(
    "--compare", type=click.Choice(["spearman", "pearson", "kendall"]), help="rsa: comparison.  [default: spearman]"
)
@click.option("--shuffles", type=click.IntRange(1), default=1000, show_default=True, help="Draws of the null.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the shuffles.")
@click.option("--no-save", is_flag=True, help="Print the score without storing it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
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
    click.echo(_as_json(score) if given["as_json"] else describe(score))


def describe(score: Score) -> str:
    """A score on two lines, with its sample and its null."""
    dims = f" · {score.dims_a} and {score.dims_b} directions" if score.dims_a else ""
    z = "undefined (the shuffles do not vary)" if score.z is None else f"{score.z:.1f}"
    stored = f" · score {score.score_id}" if score.score_id is not None else " · not stored"
    sample = f"{score.n:,} pairs on {score.corpus} ({score.n_tokens:,} tokens)"
    return (
        f"{score.metric} {number(score.value)}  null {number(score.null_mean)} ± {number(score.null_std)}  "
        f"z {z}  p {number(score.p_value)} ({score.null_n:,} shuffles, seed {score.seed})\n"
        f"  {score.sae_a} × {score.sae_b} · {sample}{dims}{stored}\n"
        f"  {score.subset}"
    )


def _options(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Options of the metric that were given; those of another metric are refused."""
    from atlas.errors import UsageError

    owners = {"directions": "svcca", "variance": "svcca", "rdm": "rsa", "compare": "rsa"}
    stray = [option for option, owner in owners.items() if given[option] is not None and owner != name]
    if stray and name in NAMES:
        raise UsageError(f"--{stray[0]} is an option of {owners[stray[0]]}, not of {name}")
    if given["directions"] is not None and given["variance"] is not None:
        raise UsageError("--directions and --variance exclude each other")
    options = {option: given[option] for option in ("variance", "rdm", "compare") if given[option] is not None}
    if given["directions"] is not None:
        options["k"] = given["directions"]
    return options


def _as_json(score: Score) -> str:
    """The score as JSON."""
    import json

    fields = {name: getattr(score, name) for name in score.__slots__ if name != "steps"}
    return json.dumps({"schema": "featlas.metric/1", **fields, "steps": dict(score.steps)}, ensure_ascii=False)
