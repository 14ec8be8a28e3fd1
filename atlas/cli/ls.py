"""`featlas ls`: lists of what an atlas holds."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.output import Out, output_options, take, write
from atlas.cli.kit.params import Said

if TYPE_CHECKING:
    from atlas.db import Atlas

KINDS = ("saes", "scans", "features", "models", "corpora", "concepts", "scores", "runs")
"""All but `features` are the named queries `list_<kind>`."""


@click.command()
@click.argument("what", type=click.Choice(KINDS))
@click.argument("words", metavar="[SAE] [FILTER]", nargs=-1)
@click.option(
    "--filter",
    "line",
    type=Said(),
    metavar="FILTER",
    help="features: as in the browser, e.g. 'max>8 -dead sort:-match'.",
)
@click.option(
    "--where",
    type=Said(),
    metavar="SQL",
    help="features: condition on the columns of the view, e.g. 'density > 0.1'.",
)
@click.option("--sort", type=Said(), metavar="COLUMN", help="features: a minus sorts downwards.  [default: -density]")
@output_options
@click.pass_obj
def ls(
    session: Session, what: str, words: tuple[str, ...], line: str | None, where: str | None, sort: str | None, out: Out
) -> None:
    """List WHAT this atlas holds; for features, of one SAE or of all.

    \b
    Examples:
      featlas --db demo.duckdb ls saes
      featlas --db demo.duckdb ls features A "tok~day density<1% sort:-max"
      featlas --db demo.duckdb ls features A --where "density < 1e-3" --sort -max --limit 20
    """
    from atlas.db.sqlfiles import sql_text
    from atlas.errors import UsageError

    if what != "features" and (words or line or where or sort):
        raise UsageError(f"ls {what} takes no SAE, no filter, no --where and no --sort", hint=f"featlas ls {what}")
    with session.read() as atlas:
        if what == "features":
            from atlas.catalog.remembered import marks_of
            from atlas.queries.features import feature_rows

            sae, asked = _read(atlas, words)
            asked = " ".join(part for part in (asked, line) if part)
            found, total = feature_rows(atlas, sae=sae, line=asked, where=where, sort=sort, marks=marks_of(session.db))
            taken = take(found, out, total=total)
        else:
            found = atlas.sql(sql_text(f"queries/catalog/list_{what}"))
            taken = take(found, out)
    write(taken, session, out, schema=f"featlas.{what}/1")


def _read(atlas: Atlas, words: Sequence[str]) -> tuple[str | None, str]:
    """The SAE and the filter that the words name: the first is an SAE if there is one of that name, or could be."""
    from atlas.catalog.saes import sae_named
    from atlas.errors import UnknownName
    from atlas.filters.parser import is_plain_word

    if not words:
        return None, ""
    try:
        return sae_named(atlas, words[0]), " ".join(words[1:])
    except UnknownName as error:
        if is_plain_word(words[0]):
            error.hint = f"featlas ls features --filter {shlex.quote(words[0])}, to look for it in tokens and labels"
            raise
        return None, " ".join(words)
