"""`featlas pairs`: the matched pairs of two SAEs, and why the others were dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.matches import list_pairs
from atlas.cli.kit.output import Out, Taken, output_options, write
from atlas.cli.kit.params import Whole
from atlas.cli.options import add_options, filter_options, subset_of

_OPTIONS = (
    click.option("--corpus", metavar="NAME", help="Corpus of the comparison.  [default: the newest]"),
    *filter_options(match="best"),
    click.option("--one-to-one", is_flag=True, help="The same as --match one-to-one."),
    click.option("--dropped", is_flag=True, help="List the dropped pairs instead, with all their reasons."),
    click.option(
        "--bootstrap",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Draws of documents for a 95 % interval of each listed correlation: columns low and high.",
    ),
    click.option("--seed", type=Whole(), default=0, show_default=True, help="Of those draws."),
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
      featlas --db demo.duckdb pairs A B --limit 20 --bootstrap 200
    """
    if one_to_one and filters["match"] == "best":
        filters["match"] = "one-to-one"
    from atlas.catalog.compared import settle

    if filters["bootstrap"] == 1:
        raise click.UsageError("an interval needs at least 2 draws: --bootstrap 200, or 0 for none")
    subset, intervals = subset_of(filters), None
    with session.read() as atlas:
        compared = settle(atlas, a, b, subset, corpus, newest=True)
        listed = list_pairs(atlas, compared, dropped, out)
        if filters["bootstrap"]:
            from atlas.comparisons.intervals import pair_intervals

            intervals = pair_intervals(atlas, compared)
    taken = listed.taken
    if intervals is not None:
        taken = _with_intervals(taken, intervals, filters["bootstrap"], filters["seed"])
    for note in listed.notes:
        session.note(note)
    write(taken, session, out, schema="featlas.pairs/1")


def _with_intervals(taken: Taken, intervals: Any, n: int, seed: int) -> Taken:
    """The same rows with the interval of each correlation."""
    if taken.table is not None:
        pairs = [taken.table.column(name).to_pylist() for name in ("feature_a", "feature_b")]
    else:
        at = [taken.columns.index(name) for name in ("feature_a", "feature_b")]
        pairs = [[row[i] for row in taken.rows] for i in at]
    found = intervals(*pairs, n, seed)
    low, high = ([float(value) for value in side] for side in (found.low, found.high))
    if taken.table is not None:
        return replace(taken, table=taken.table.append_column("low", [low]).append_column("high", [high]))
    rows = [(*row, *ends) for row, ends in zip(taken.rows, zip(low, high, strict=True), strict=True)]
    return replace(taken, columns=(*taken.columns, "low", "high"), rows=rows)
