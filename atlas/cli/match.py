"""`featlas match`: which features of two SAEs belong together, by a rule."""

from __future__ import annotations

from typing import Any

import click

from atlas.cli._group import Session
from atlas.cli._matches import compute_matching, list_pairs
from atlas.cli._output import Out, output_options, write
from atlas.cli._params import Whole
from atlas.cli._subset import FILTERS, add_options, match_option, subset_of

_OPTIONS = (
    match_option("mutual", "--method"),
    click.option("--corpus", metavar="NAME", help="Corpus of the comparison.  [default: the newest]"),
    click.option("--seed", type=Whole(), default=0, show_default=True, help="Of the chance level of an assignment."),
    *FILTERS,
    click.option("--dropped", is_flag=True, help="List the dropped pairs instead, with all their reasons."),
)


def match_options(command: Any) -> Any:
    """The rule and the filters."""
    return add_options(_OPTIONS, command)


@click.command()
@click.argument("a")
@click.argument("b")
@match_options
@output_options
@click.pass_obj
def match(
    session: Session, a: str, b: str, corpus: str | None, seed: int, dropped: bool, out: Out, **filters: Any
) -> None:
    """Match the features of SAE A with those of SAE B by a rule, and list the pairs; counts of every step go to stderr.

    The rules best, mutual, one-to-one, singletons and first-seen look at what featlas correlate stored. An assignment
    is computed here: one to one, of the largest possible sum of values, with a proof; view assignments holds it.

    \b
    Examples:
      featlas --db demo.duckdb match A B --method mutual --min-value 0.5
      featlas --db demo.duckdb match A B --method assignment
      featlas --db demo.duckdb match A B --method assignment --measure decoder -o assigned.parquet
    """
    from atlas.subsets import STORED_RULES

    subset = subset_of(filters)
    if subset.match in STORED_RULES:
        compute_matching(session, a, b, subset.match, subset.measure, corpus, seed)
    with session.read() as atlas:
        listed = list_pairs(atlas, a, b, subset, corpus, dropped, out)
    for note in listed.notes:
        session.note(note)
    write(listed.taken, session, out, schema="featlas.matches/1")
