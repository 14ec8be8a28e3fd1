"""`featlas ls`: lists of what an atlas holds."""

from __future__ import annotations

from pathlib import Path

import click

from atlas.cli._group import Session
from atlas.cli._output import output_options, write_rows

KINDS = ("saes", "scans", "features", "models", "corpora", "concepts", "scores", "runs")


@click.command()
@click.argument("what", type=click.Choice(KINDS))
@click.argument("sae", required=False)
@click.option("--where", metavar="SQL", help="features: condition on the columns of the view, e.g. 'density > 0.1'.")
@click.option(
    "--sort", default="-density", show_default=True, metavar="COLUMN", help="features: a minus sorts downwards."
)
@output_options
@click.pass_obj
def ls(
    session: Session,
    what: str,
    sae: str | None,
    where: str | None,
    sort: str,
    format_: str | None,
    output: Path | None,
    limit: int | None,
) -> None:
    """List WHAT this atlas holds; for features, of one SAE or of all.

    \b
    Examples:
      featlas --db demo.duckdb ls saes
      featlas --db demo.duckdb ls features A --where "density < 1e-3" --sort -max --limit 20
    """
    from atlas.errors import UsageError
    from atlas.queries.registry import listing

    if what != "features" and (sae or where):
        raise UsageError(f"ls {what} takes no SAE and no --where", hint=f"featlas ls {what}")
    with session.read() as atlas:
        if what == "features":
            from atlas.queries.features import feature_rows

            rows = feature_rows(atlas, sae=sae, where=where, sort=sort)
        else:
            rows = listing(atlas, what)
    write_rows(rows, session, schema=f"featlas.{what}/1", format_=format_, output=output, limit=limit)
