"""`featlas sql`: any SQL over the views."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from atlas.cli._group import Session
from atlas.cli._output import output_options, write_rows


@click.command()
@click.argument("query", required=False)
@click.option(
    "-f", "--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Read the SQL from a file."
)
@click.option("-p", "--param", nargs=2, multiple=True, metavar="NAME VALUE", help="Value of $NAME in the SQL.")
@click.option("--write", is_flag=True, help="Open for writing, with access to files.")
@output_options
@click.pass_obj
def sql(
    session: Session,
    query: str | None,
    file: Path | None,
    param: tuple[tuple[str, str], ...],
    write: bool,
    format_: str | None,
    output: Path | None,
    limit: int | None,
) -> None:
    """Run SQL; `-` reads it from stdin. Without --write nothing can be changed and no other file reached.

    \b
    Examples:
      featlas --db demo.duckdb sql "select sae, count(*) from features where is_dead group by sae"
      featlas --db demo.duckdb sql "from kept_matches('A', 'B', min_value := 0.5) limit 10"
      featlas --db demo.duckdb sql "describe features"
    """
    import duckdb

    from atlas.db import user_error
    from atlas.errors import UsageError

    if (query is None) == (file is None):
        raise UsageError(
            "give the SQL once", hint='featlas sql "from saes", featlas sql -f query.sql, or featlas sql - < query.sql'
        )
    text = query
    if file is not None:
        text = file.read_text(encoding="utf-8")
    elif query == "-":
        text = sys.stdin.read()
    with session.write() if write else session.read() as atlas:
        try:
            rows = atlas.rows(text or "", **dict(param))
        except duckdb.Error as error:
            raise user_error(error) from error
    if rows.columns:
        write_rows(rows, session, schema="featlas.sql/1", format_=format_, output=output, limit=limit)
