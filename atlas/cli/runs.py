"""`featlas runs`: the commands that wrote to this atlas."""

from __future__ import annotations

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.output import Out, output_options, take, write


@click.command()
@output_options
@click.pass_obj
def runs(session: Session, out: Out) -> None:
    """List the commands that wrote to this atlas, the newest first.

    \b
    Example:
      featlas --db demo.duckdb runs
    """
    from atlas.db.sqlfiles import sql_text

    with session.read() as atlas:
        taken = take(atlas.sql(sql_text("queries/catalog/list_runs")), out)
    write(taken, session, out, schema="featlas.runs/1")
