"""`featlas disagreements`: pairs of features that activation and another measure see differently."""

from __future__ import annotations

import click

from atlas.choices import DEFAULT_MEASURE
from atlas.cli.kit.group import Session
from atlas.cli.kit.output import Out, output_options, take, write
from atlas.cli.kit.params import Finite, MeasureName, OneOf
from atlas.cli.kit.text import number, visible


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--measure",
    type=MeasureName(),
    default="logit",
    show_default=True,
    metavar="MEASURE",
    help="Compared with activation.",
)
@click.option("--high", type=Finite(), default=0.7, show_default=True, help="Minimum value of the higher one.")
@click.option("--low", type=Finite(), default=0.3, show_default=True, help="Maximum value of the lower one.")
@click.option(
    "--which",
    type=OneOf(["activation", "measure", "both"]),
    default="activation",
    show_default=True,
    help="Which of the two is high.",
)
@click.option("--not-mutual", is_flag=True, help="Also pairs that are not each other's best by the one that is high.")
@output_options
@click.pass_obj
def disagreements(
    session: Session, a: str, b: str, measure: str, high: float, low: float, which: str, not_mutual: bool, out: Out
) -> None:
    """List matched pairs of SAEs A and B that are alike in activation and unlike by another measure.

    Both measures must be stored: featlas correlate A B, and the same with --measure. A value counts as low or high on
    its own; compare it with the chance level that featlas correlate prints.

    \b
    Examples:
      featlas --db demo.duckdb disagreements B C --measure decoder
      featlas --db demo.duckdb disagreements A I --measure logit --low 0.4
    """
    from atlas.catalog.compared import settle
    from atlas.db.sqlfiles import sql_text
    from atlas.filters.subset import Subset

    with session.read() as atlas:
        both = [settle(atlas, a, b, Subset(measure=by), newest=True) for by in (DEFAULT_MEASURE, measure)]
        sae_a, sae_b, stored = both[0].sae_a, both[0].sae_b, [compared.stored for compared in both]
        asked = {"sae_a": sae_a, "sae_b": sae_b, "measure": measure, "high": high, "low": low, "which": which}
        found = atlas.sql(
            sql_text("queries/comparisons/list_disagreements"), params=asked | {"only_mutual": not not_mutual}
        )
        n = len(found.select("feature_a").fetchall())
        taken = take(found, out, total=n)
    chances = (f"{row['measure']} {number(row['chance'])}" for row in stored if row["chance"] is not None)
    sample = f"{sae_a} and {sae_b} on {stored[0]['corpus']}, {stored[0]['n_tokens']:,} tokens"
    session.note(visible(f"{sample}; chance levels: {', '.join(chances)}"))
    kind = "pairs" if not_mutual else "mutual pairs"
    session.note(f"  {n:>9,}  {kind}, one at {number(high)} or more and the other at {number(low)} or less")
    write(taken, session, out, schema="featlas.disagreements/1")
