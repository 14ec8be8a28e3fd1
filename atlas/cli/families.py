"""`featlas families`: groups of features that belong together, inside one SAE or over many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from atlas.choices import DEFAULT_MEASURE
from atlas.cli.kit.group import Session
from atlas.cli.kit.matches import what_matches_rest_on
from atlas.cli.kit.output import Out, Taken, output_options, take, write
from atlas.cli.kit.params import Finite, MeasureName, OneOf, Size, Whole
from atlas.cli.kit.text import Row, number, visible
from atlas.references import FeatureRef

if TYPE_CHECKING:
    import duckdb

_RULES = ("mutual", "co-occurrence")


@click.command()
@click.argument("sae", required=False)
@click.option(
    "--rule",
    type=OneOf(_RULES),
    help="mutual: features of several SAEs that mutual matches connect. co-occurrence: features of one SAE that fire "
    "together, as trees.  [default: co-occurrence with an SAE, else mutual]",
)
@click.option(
    "--corpus", metavar="NAME", help="co-occurrence: corpus it was measured on.  [default: the newest scan's]"
)
@click.option(
    "--measure",
    type=MeasureName(),
    default=DEFAULT_MEASURE,
    show_default=True,
    metavar="MEASURE",
    help="mutual: of the matches.",
)
@click.option("--min-value", type=Finite(), default=0.0, show_default=True, help="mutual: minimum value of a match.")
@click.option(
    "--threshold",
    type=Finite(share=True),
    default=0.1,
    show_default=True,
    help="co-occurrence: minimum share of the tokens of the sparser feature.",
)
@click.option(
    "--max-density",
    type=Finite(share=True),
    default=0.2,
    show_default=True,
    help="co-occurrence: features that fire on this share of tokens or more are left out.",
)
@click.option(
    "--repeats",
    type=Whole(),
    default=3,
    show_default=True,
    help="co-occurrence: rounds after the first, each without the heads found before.",
)
@click.option(
    "--memory",
    type=Size(),
    metavar="SIZE",
    help="co-occurrence: what the search may take.  [default: half of what is available]",
)
@output_options
@click.pass_obj
def families(session: Session, sae: str | None, rule: str | None, out: Out, **options: Any) -> None:
    """List families of features: trees of what fires together in one SAE, or groups of matches over many SAEs.

    Co-occurrence is computed once and stored; view cooccurrence_families holds it. A tree goes from a dense feature
    down to its sparser companions: each line has its density, its co-occurrence with the feature above, and its
    strongest tokens. Families of mutual matches need featlas correlate for each two SAEs; see the view families.

    \b
    Examples:
      featlas --db demo.duckdb families A --rule co-occurrence --limit 30
      featlas --db demo.duckdb families A -o families.csv
      featlas --db demo.duckdb families --rule mutual --min-value 0.5
    """
    from atlas.errors import UsageError

    if (rule or "co-occurrence") == "co-occurrence" and sae:
        _co_occurrence(session, sae, out, options)
    elif rule == "co-occurrence":
        raise UsageError(
            "families of co-occurrence are those of one SAE", hint="featlas families A --rule co-occurrence"
        )
    else:
        _mutual(session, sae, out, options)


def _co_occurrence(session: Session, sae: str, out: Out, options: dict[str, Any]) -> None:
    """Find the families, unless the atlas holds them, and print their trees."""
    from atlas.cli.kit.progress import progress
    from atlas.comparisons.families import find_families
    from atlas.db.sqlfiles import sql_text

    chosen = {name: options[name] for name in ("corpus", "threshold", "max_density", "repeats", "memory")}
    with progress(f"counting what fires together in {sae}", "features", quiet=session.quiet) as report:
        found = find_families(session.db, sae, wait=session.wait, on_progress=report, **chosen)
    with session.read() as atlas:
        rows = atlas.sql(
            sql_text("queries/comparisons/family_trees"), params={"sae": found.sae, "corpus": found.corpus}
        )
        taken = take(rows, out, total=rows.aggregate("count(*)").fetchall()[0][0])
    where = f"{found.sae} on {found.corpus}, {found.n_tokens:,} tokens"
    session.note(visible(f"{where}: {found.n_families:,} families of {found.n_members:,} features"))
    if found.quality is not None:
        session.note(f"co-occurrence with the head, over that below it: median {number(found.quality)}")
    if out.format_ == "table" and out.path is None and taken.rows:
        click.echo("\n".join(_tree_lines(taken, sae)))
        if taken.more:
            session.note(f"showing {len(taken.rows):,} of {taken.total:,} rows (--limit -1 for all)")
    else:
        write(taken, session, out, schema="featlas.cooccurrence_families/1")


def _tree_lines(taken: Taken, sae: str) -> list[str]:
    """The families as indented text."""
    column = {name: place for place, name in enumerate(taken.columns)}
    lines: list[str] = []
    for family in dict.fromkeys(row[column["family"]] for row in taken.rows):
        members = [row for row in taken.rows if row[column["family"]] == family]
        n, round_ = (members[0][column[name]] for name in ("n_members", "round"))
        lines += [f"family {family}  {n:,} features  round {round_}", *_branches(members, column, sae), ""]
    return lines[:-1]


def _branches(members: Sequence[Row], column: dict[str, int], sae: str) -> list[str]:
    """One family, each feature under the one above it."""
    below: dict[int | None, list[Row]] = {}
    for row in members:
        below.setdefault(row[column["parent"]], []).append(row)
    lines, open_rows = [], below[None][::-1]
    while open_rows:
        row = open_rows.pop()
        feature, depth, weight, density = (row[column[name]] for name in ("feature", "depth", "weight", "density"))
        name = "  " * (depth + 1) + str(FeatureRef(sae, feature))
        share = "" if weight is None else f"{weight:.2f}"
        strongest = dict.fromkeys(visible(token).strip() or "␣" for token in row[column["top_tokens"]] or ())
        tokens = " ".join(list(strongest)[:5])
        lines.append(f"{name:<24} {number(density):>9} {share:>5}  {tokens}".rstrip())
        open_rows += below.get(feature, [])[::-1]
    return lines


def _mutual(session: Session, sae: str | None, out: Out, options: dict[str, Any]) -> None:
    """Print the groups of mutual matches, of all SAEs or those that one has a member in."""
    from atlas.catalog.measures import known_measure
    from atlas.catalog.saes import sae_named
    from atlas.db.sqlfiles import sql_text
    from atlas.errors import UnknownName

    with session.read() as atlas:
        measure = known_measure(atlas, options["measure"])
        parameters = {
            "measure": measure,
            "min_value": options["min_value"],
            "sae": sae_named(atlas, sae) if sae else None,
        }
        known = [row[0] for row in atlas.fetch("comparisons/compared_measures")]
        if measure not in known:
            raise UnknownName("measure with stored pairs", measure, known, hint="featlas correlate --help")
        found = atlas.sql(sql_text("queries/comparisons/mutual_families"), params=parameters)
        n, n_families, n_consistent, n_closed = _counts(found)
        taken, rests_on = take(found, out, total=n), what_matches_rest_on(atlas, measure)
    least = f"mutual matches by {measure} of {number(options['min_value'])} or more"
    kinds = f"{n_consistent:,} consistent (no SAE twice), {n_closed:,} closed (all that were compared match)"
    session.note(rests_on)
    session.note(f"{n:,} features in {n_families:,} families of {least}: {kinds}")
    write(taken, session, out, schema="featlas.families/1")


def _counts(found: duckdb.DuckDBPyRelation) -> tuple[int, ...]:
    """Members, families, those without an SAE twice, and those in which all that were compared match."""
    families = "count(distinct family)"
    counted = found.aggregate(
        f"count(*), {families}, {families} filter (consistent), {families} filter (consistent and closed)"
    )
    return counted.fetchall()[0]
