"""`featlas runs`: the commands that wrote to this atlas."""

from __future__ import annotations

from pathlib import Path

import click

from atlas.cli._group import Session
from atlas.cli._output import output_options, write_rows


@click.command()
@output_options
@click.pass_obj
def runs(session: Session, format_: str | None, output: Path | None, limit: int | None) -> None:
    """List the commands that wrote to this atlas, the newest first.

    \b
    Example:
      featlas --db demo.duckdb runs
    """
    from atlas.queries.registry import listing

    with session.read() as atlas:
        rows = listing(atlas, "runs")
    write_rows(rows, session, schema="featlas.runs/1", format_=format_, output=output, limit=limit)
