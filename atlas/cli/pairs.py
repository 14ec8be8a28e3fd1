"""`featlas pairs`: the matched pairs of two SAEs, and why the others were dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from atlas.cli._group import Session
from atlas.cli._output import Out, Taken, output_options, take, write
from atlas.cli._subset import FILTERS, add_options, match_option
from atlas.cli._text import number, visible

if TYPE_CHECKING:
    from atlas.db import Atlas

_OPTIONS = (
    click.option("--corpus", metavar="NAME", help="Corpus of the comparison.  [default: the newest]"),
    match_option(["best", "one-to-one"], "best", "partners"),
    *FILTERS,
    click.option("--one-to-one", is_flag=True, help="The same as --match one-to-one: the best of those that share."),
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
def pairs(session: Session, a: str, b: str, corpus: str | None, dropped: bool, out: Out, **filters: Any) -> None:
    """List the best partners between SAEs A and B that pass the filters; counts of every step go to stderr.

    n_a, n_b and n_ab are the tokens on which the feature of A, that of B and both fire; margin is the lead over the
    second-best partner. docs/schema.md explains every column.

    \b
    Examples:
      featlas --db demo.duckdb pairs A B --min-value 0.5
      featlas --db demo.duckdb pairs A B --one-to-one -o pairs.csv
      featlas --db demo.duckdb pairs A B --dropped
    """
    from atlas.queries import browse

    with session.read() as atlas:
        scan_a, scan_b, pairing = browse.compared(atlas, a, b, corpus)
        sides = {"sae_a": scan_a.sae, "sae_b": scan_b.sae}
        chance = _chance(atlas, pairing.pairing_id, filters["direction"], **sides)
        taken, steps = _candidates(atlas, {**sides, "corpus": pairing.corpus, **_parameters(filters)}, dropped, out)
    session.note(visible(f"{scan_a.sae} and {scan_b.sae} on {pairing.corpus}, {pairing.n_tokens:,} tokens"))
    session.note(chance)
    for step, count in steps:
        session.note(f"  {count:>9,}  {step}")
    write(taken, session, out, schema="featlas.pairs/1")


def _candidates(
    atlas: Atlas, parameters: dict[str, Any], dropped: bool, out: Out
) -> tuple[Taken, list[tuple[str, int]]]:
    """The kept or the dropped pairs, and how many each filter took of what the ones before it left."""
    from atlas.sqlfiles import sql_text
    from atlas.subsets import count_steps

    found = atlas.sql(sql_text("queries/browse_pairs"), params=parameters)
    (_, n), *removed = count_steps(row[0] for row in found.select("dropped_because").fetchall())
    n_dropped = sum(count for _, count in removed)
    verdict = ("kept",) if dropped else ("kept", "dropped_because")
    listed = found.filter("not kept" if dropped else "kept")
    listed = listed.select(", ".join(f'"{name}"' for name in found.columns if name not in verdict))
    steps = [("candidates", n), *((f"dropped: {name}", count) for name, count in removed), ("kept", n - n_dropped)]
    return take(listed, out, total=n_dropped if dropped else n - n_dropped), steps


def _parameters(filters: dict[str, Any]) -> dict[str, Any]:
    """The options as parameters of the macro, which says what is dropped rather than what is kept."""
    as_they_are = ("direction", "min_value", "min_joint", "top_tokens")
    return {name: filters[name] for name in as_they_are} | {
        "drop_non_concept": not filters["keep_non_concept"],
        "shared_token": not filters["keep_unshared"],
        "one_to_one": filters["one_to_one"] or filters["match"] == "one-to-one",
    }


def _chance(atlas: Atlas, pairing_id: int, direction: str, *, sae_a: str, sae_b: str) -> str:
    """How the best correlations of the side that chooses compare with those of rows that do not belong together."""
    stored = {row["pairing_id"]: row for row in atlas.fetch("pairings", sae_a=sae_a, sae_b=sae_b).dicts()}[pairing_id]
    chooser = sae_a if direction == "a_to_b" else sae_b
    suffix = "" if chooser == stored["sae_a"] else "_ba"  # the pairing may have been computed the other way round
    median_best, chance = (stored.get(f"{name}{suffix}") for name in ("median_best", "chance"))
    if median_best is None or chance is None:
        return f"no chance level stored for the features of {visible(chooser)}"
    return f"median of the best correlations {number(median_best)}; with the token rows shifted {number(chance)}"
