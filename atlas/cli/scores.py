"""`featlas scores`: the stored scores."""

from __future__ import annotations

from pathlib import Path

import click

from atlas.cli._group import Session
from atlas.cli._output import output_options, write_rows

_SHOWN = (
    "score_id",
    "metric",
    "sae_a",
    "sae_b",
    "n",
    "value",
    "null_mean",
    "null_std",
    "z",
    "p_value",
    "corpus",
    "subset",
)


@click.command()
@output_options
@click.pass_obj
def scores(session: Session, format_: str | None, output: Path | None, limit: int | None) -> None:
    """List the stored scores, the newest first; machine formats carry every column.

    \b
    Example:
      featlas --db demo.duckdb scores
    """
    from atlas.db import Rows
    from atlas.queries.registry import listing

    with session.read() as atlas:
        rows = listing(atlas, "scores")
    if format_ in (None, "table") and output is None:
        places = [rows.columns.index(name) for name in _SHOWN]
        rows = Rows(_SHOWN, [tuple(row[i] for i in places) for row in rows])
    write_rows(rows, session, schema="featlas.scores/1", format_=format_, output=output, limit=limit)
