"""`featlas match`: which features of two SAEs belong together, by a rule."""

from __future__ import annotations

from typing import Any

import click

from atlas.choices import STORED_RULES
from atlas.cli.kit.group import Session
from atlas.cli.kit.matches import COMPARED_ON, compute_matching, list_pairs, refuse_corpus_b
from atlas.cli.kit.output import Out, output_options, write
from atlas.cli.kit.params import Size, Whole
from atlas.cli.options import add_options, declared, filter_options, subset_of
from atlas.filters.subset import Subset

_OPTIONS = (
    *declared(Subset, "match", flags={"match": "--method"}, match="mutual"),
    *COMPARED_ON,
    click.option(
        "--seed",
        type=Whole(),
        help="assignment and greedy: of the chance level; another one computes anew.  [default: as stored, else 0]",
    ),
    click.option(
        "--memory",
        type=Size(),
        metavar="SIZE",
        help="assignment and greedy: what they may take.  [default: half of what is available]",
    ),
    *filter_options(without=("match",)),
    click.option("--dropped", is_flag=True, help="List the dropped pairs instead, with all their reasons."),
)


def match_options(command: Any) -> Any:
    return add_options(_OPTIONS, command)


@click.command()
@click.argument("a")
@click.argument("b")
@match_options
@output_options
@click.pass_obj
def match(
    session: Session,
    a: str,
    b: str,
    corpus: str | None,
    corpus_b: str | None,
    seed: int | None,
    memory: int | None,
    dropped: bool,
    out: Out,
    **filters: Any,
) -> None:
    """Match the features of SAE A with those of SAE B by a rule, and list the pairs; counts of every step go to stderr.

    The rules best, mutual, one-to-one, singletons and first-seen look at what featlas correlate stored. An assignment
    is computed here: one to one, of the largest possible sum of values, with a proof; view assignments holds it. It is
    the same from either side, so B A after A B finds it stored.

    \b
    Examples:
      featlas --db demo.duckdb match A B --method mutual --min-value 0.5
      featlas --db demo.duckdb match A B --method assignment
      featlas --db demo.duckdb match A B --method assignment --measure decoder -o assigned.parquet
    """
    from atlas.catalog.compared import settle

    subset = subset_of(filters)
    if subset.match in STORED_RULES:
        of = {"corpus": corpus, "corpus_b": corpus_b, "seed": seed, "memory": memory}
        corpus = compute_matching(session, a, b, subset.match, subset.measure, **of).corpus
    else:
        refuse_corpus_b(corpus_b, "--method assignment and --method greedy")
    with session.read() as atlas:
        listed = list_pairs(atlas, settle(atlas, a, b, subset, corpus, newest=True), dropped, out)
    for note in listed.notes:
        session.note(note)
    write(listed.taken, session, out, schema="featlas.matches/1")
