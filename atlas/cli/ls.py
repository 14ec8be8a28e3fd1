"""`featlas ls`: lists of what an atlas holds."""

from __future__ import annotations

import click

from atlas.cli._group import Session
from atlas.cli._output import Out, output_options, take, write
from atlas.cli._params import Said

KINDS = ("saes", "scans", "features", "models", "corpora", "concepts", "scores", "runs")
"""All but `features` are the named queries `list_<kind>`."""


@click.command()
@click.argument("what", type=click.Choice(KINDS))
@click.argument("sae", required=False)
@click.option(
    "--where",
    type=Said(),
    metavar="SQL",
    help="features: condition on the columns of the view, e.g. 'density > 0.1'.",
)
@click.option("--sort", type=Said(), metavar="COLUMN", help="features: a minus sorts downwards.  [default: -density]")
@output_options
@click.pass_obj
def ls(session: Session, what: str, sae: str | None, where: str | None, sort: str | None, out: Out) -> None:
    """List WHAT this atlas holds; for features, of one SAE or of all.

    \b
    Examples:
      featlas --db demo.duckdb ls saes
      featlas --db demo.duckdb ls features A --where "density < 1e-3" --sort -max --limit 20
    """
    from atlas.errors import UsageError
    from atlas.sqlfiles import sql_text

    if what != "features" and (sae or where or sort):
        raise UsageError(f"ls {what} takes no SAE, no --where and no --sort", hint=f"featlas ls {what}")
    with session.read() as atlas:
        if what == "features":
            from atlas.queries.features import feature_rows

            found, total = feature_rows(atlas, sae=sae, where=where, sort=sort or "-density")
            taken = take(found, out, total=total)
        else:
            found = atlas.sql(sql_text(f"queries/list_{what}"))
            taken = take(found, out)
    write(taken, session, out, schema=f"featlas.{what}/1")
