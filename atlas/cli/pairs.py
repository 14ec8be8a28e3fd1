"""`featlas pairs`: the matched pairs of two SAEs, and why the others were dropped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.cli._group import Session
from atlas.cli._output import number, output_options, write_rows

if TYPE_CHECKING:
    from atlas.db import Rows

STEPS = ("value", "joint", "non-concept", "no shared token", "many-to-one")
"""Reasons of the macro `matches`, in the order in which the filters look."""


def filter_options(command: Any) -> Any:
    """The filters, named as in every command that takes a subset of pairs."""
    directions = click.Choice(["a_to_b", "b_to_a"])
    options = (
        click.option("--corpus", metavar="NAME", help="Corpus of the comparison.  [default: the newest]"),
        click.option(
            "--direction", type=directions, default="a_to_b", show_default=True, help="Whose features choose."
        ),
        click.option("--min-value", type=float, default=0.0, show_default=True, help="Least correlation of a pair."),
        click.option("--min-joint", type=int, default=0, show_default=True, help="Least tokens on which both fire."),
        click.option(
            "--top-tokens", type=click.IntRange(1, 20), default=5, show_default=True, help="Tokens filtered on."
        ),
        click.option("--keep-non-concept", is_flag=True, help="Keep pairs that fire on full stops, newlines and such."),
        click.option(
            "--keep-unshared",
            "--no-shared-token",
            "keep_unshared",
            is_flag=True,
            help="Keep pairs without a common token.",
        ),
        click.option("--one-to-one", is_flag=True, help="Of several features that chose one partner, keep the best."),
        click.option("--dropped", is_flag=True, help="List the dropped pairs too, with the reasons."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("a")
@click.argument("b")
@filter_options
@output_options
@click.pass_obj
def pairs(
    session: Session,
    a: str,
    b: str,
    corpus: str | None,
    dropped: bool,
    format_: str | None,
    output: Path | None,
    limit: int | None,
    **filters: Any,
) -> None:
    """List the best partners between SAEs A and B that pass the filters; counts of every step go to stderr.

    \b
    Examples:
      featlas --db demo.duckdb pairs A B --min-value 0.5
      featlas --db demo.duckdb pairs A B --one-to-one --dropped -o pairs.csv
    """
    from atlas.queries import browse

    with session.read() as atlas:
        scan_a, scan_b, pairing = browse.compared(atlas, a, b, corpus)
        found = atlas.fetch(
            "browse_pairs", sae_a=scan_a.sae, sae_b=scan_b.sae, corpus=scan_a.corpus, **_parameters(filters)
        )
    session.note(f"{scan_a.sae} and {scan_b.sae} on {pairing.corpus}, {pairing.n_tokens:,} tokens")
    session.note(_chance(pairing.median_best, pairing.chance))
    for step, count in funnel(found):
        session.note(f"  {count:>9,}  {step}")
    write_rows(
        found if dropped else kept_only(found),
        session,
        schema="featlas.pairs/1",
        format_=format_,
        output=output,
        limit=limit,
    )


def funnel(found: Rows) -> list[tuple[str, int]]:
    """Candidates, what each filter took of what the ones before it left, and what is kept."""
    reasons = found.columns.index("dropped_because")
    first = Counter(row[reasons][0] for row in found if row[reasons])
    taken = [(f"dropped: {step}", first[step]) for step in STEPS if first[step]]
    return [("candidates", len(found)), *taken, ("kept", len(found) - first.total())]


def kept_only(found: Rows) -> Rows:
    """The kept pairs, without the two columns that say so."""
    from atlas.db import Rows

    verdict = found.columns.index("kept")
    columns = [i for i, name in enumerate(found.columns) if name not in ("kept", "dropped_because")]
    rows = [tuple(row[i] for i in columns) for row in found if row[verdict]]
    return Rows(tuple(found.columns[i] for i in columns), rows)


def _parameters(filters: dict[str, Any]) -> dict[str, Any]:
    """The options as parameters of the macro, which says what is dropped rather than what is kept."""
    kept = {key: value for key, value in filters.items() if key not in ("keep_non_concept", "keep_unshared")}
    return kept | {
        "drop_non_concept": not filters["keep_non_concept"],
        "shared_token": not filters["keep_unshared"],
    }


def _chance(median_best: float | None, chance: float | None) -> str:
    """How the best correlations compare with those of rows that do not belong together."""
    if median_best is None or chance is None:
        return "no chance level stored for this pairing"
    return f"median of the best correlations {number(median_best)}; with the token rows shifted {number(chance)}"
