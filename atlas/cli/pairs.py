"""`featlas pairs`: the matched pairs of two SAEs, and why the others were dropped."""

from __future__ import annotations

from typing import Any

import click

from atlas.cli._group import Session
from atlas.cli._matches import list_pairs
from atlas.cli._output import Out, output_options, write
from atlas.cli._subset import FILTERS, add_options, match_option, subset_of

_OPTIONS = (
    click.option("--corpus", metavar="NAME", help="Corpus of the comparison.  [default: the newest]"),
    match_option("best"),
    *FILTERS,
    click.option("--one-to-one", is_flag=True, help="The same as --match one-to-one."),
    click.option("--dropped", is_flag=True, help="List the dropped pairs instead, with all their reasons."),
)


def pair_options(command: Any) -> Any:
    """The filters, named as in every command that takes a subset of pairs."""
    return add_options(_OPTIONS, command)


@click.command()
@click.argument("a")
@click.argument("b")
@pair_options
@output_options
@click.pass_obj
def pairs(
    session: Session, a: str, b: str, corpus: str | None, one_to_one: bool, dropped: bool, out: Out, **filters: Any
) -> None:
    """List the best partners between SAEs A and B that pass the filters; counts of every step go to stderr.

    n_a, n_b and n_ab are the tokens on which the feature of A, that of B and both fire; margin is the lead over the
    second-best partner. docs/schema.md explains every column, docs/matching.md the rules and filters.

    \b
    Examples:
      featlas --db demo.duckdb pairs A B --min-value 0.5
      featlas --db demo.duckdb pairs A B --one-to-one -o pairs.csv
      featlas --db demo.duckdb pairs A B --dropped
    """
    if one_to_one and filters["match"] == "best":
        filters["match"] = "one-to-one"
    with session.read() as atlas:
        listed = list_pairs(atlas, a, b, subset_of(filters), corpus, dropped, out)
    for note in listed.notes:
        session.note(note)
    write(listed.taken, session, out, schema="featlas.pairs/1")
