"""`featlas scores`: the stored scores."""

from __future__ import annotations

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.output import Out, output_options, take, write


@click.command()
@output_options
@click.pass_obj
def scores(session: Session, out: Out) -> None:
    """List the stored scores, the newest first; machine formats carry every column.

    \b
    Example:
      featlas --db demo.duckdb scores
    """
    from atlas.db.sqlfiles import sql_text
    from atlas.scores.score import LISTED

    with session.read() as atlas:
        found = atlas.sql(sql_text("queries/catalog/list_scores"))
        if out.format_ == "table":
            found = found.select(", ".join(f'"{name}"' for name in LISTED))
        taken = take(found, out)
    write(taken, session, out, schema="featlas.scores/1")
