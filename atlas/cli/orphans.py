"""`featlas orphans`: features of one SAE without a counterpart in another, by a named rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.matches import COMPARED_ON, compute_matching, counted, refuse_corpus_b, what_matches_rest_on
from atlas.cli.kit.output import Out, Taken, output_options, take, write
from atlas.cli.kit.params import Finite, MeasureName, OneOf, Size
from atlas.cli.kit.text import number, visible
from atlas.cli.options import add_options
from atlas.queries.orphans import ORPHAN_RULES

if TYPE_CHECKING:
    import duckdb

    from atlas.catalog.compared import Compared
    from atlas.db import Atlas

_CHANCE = {"top-1": "median of the best values", "assignment": "mean value", "paulo-belrose": "mean value"}
_REASONS = (
    "never fires",
    "no counterpart",
    "no counterpart by encoder",
    "another counterpart by encoder",
    "under the threshold",
)


def corpus_options(command: Any) -> Any:
    return add_options(COMPARED_ON, command)


@click.command()
@click.argument("a")
@click.argument("b", required=False)
@click.option("--rule", type=OneOf(ORPHAN_RULES), default="top-1", show_default=True, help="What makes a counterpart.")
@click.option(
    "--measure", type=MeasureName(), metavar="MEASURE", help="Of top-1 and assignment.  [default: activation, decoder]"
)
@click.option("--threshold", type=Finite(), default=0.7, show_default=True, help="Minimum value of a counterpart.")
@corpus_options
@click.option(
    "--memory",
    type=Size(),
    metavar="SIZE",
    help="assignment and paulo-belrose: what they may take.  [default: half of what is available]",
)
@click.option("--shared", is_flag=True, help="List the shared features instead.")
@click.option("--sweep", is_flag=True, help="Print the share of shared features at every threshold from 0 to 1.")
@output_options
@click.pass_obj
def orphans(session: Session, a: str, b: str | None, out: Out, **options: Any) -> None:
    """List the features of SAE A that have no counterpart in SAE B; without B, in none it was compared with.

    top-1: the best partner, as featlas correlate stored it, reaches the threshold. assignment: the partner in the
    assignment of the largest sum does; by decoder this is the rule of arXiv 2506.17673. paulo-belrose: the assignments
    by decoder and by encoder agree and both cosines reach it (arXiv 2501.16615). Without B: no mutual match reaches it.

    \b
    Examples:
      featlas --db demo.duckdb orphans A B
      featlas --db demo.duckdb orphans A
      featlas --db demo.duckdb orphans A B --rule paulo-belrose --sweep
    """
    options["measure"] = _measure(options["rule"], options["measure"])
    if b is None:
        taken, notes = _of_all(session, a, options, out)
    else:
        taken, notes = _of_two(session, a, b, options, out)
    for note in notes:
        session.note(note)
    write(taken, session, out, schema="featlas.orphans/1")


def _measure(rule: str, measure: str | None) -> str:
    """The measure that a rule looks at."""
    from atlas.errors import UsageError

    if measure is None:
        return "activation" if rule == "top-1" else "decoder"
    if rule == "paulo-belrose":
        raise UsageError("--rule paulo-belrose looks at decoder and encoder cosines; leave out --measure")
    return measure


def _of_two(session: Session, a: str, b: str, options: dict[str, Any], out: Out) -> tuple[Taken, list[str]]:
    """Features of A by a rule of `shared_features`."""
    from atlas.catalog.compared import settle
    from atlas.db.sqlfiles import sql_text
    from atlas.filters.subset import Subset

    rule = options["rule"]
    wanted = ("decoder", "encoder") if rule == "paulo-belrose" else (options["measure"],)
    corpus = _computed(session, a, b, wanted, options)
    with session.read() as atlas:
        how = "best" if rule == "top-1" else "assignment"
        every = [settle(atlas, a, b, Subset(match=how, measure=by), corpus, newest=True) for by in wanted]
        asked = {name: getattr(every[0], name) for name in ("sae_a", "sae_b", "corpus")}
        asked |= {"rule": rule, "measure": every[0].subset.measure}
        if options["sweep"]:
            found = atlas.sql(sql_text("queries/comparisons/list_sharing"), params=asked)
            return take(found, out), [_heading(rule, every)]
        found = atlas.sql(
            sql_text("queries/comparisons/list_orphans"), params=asked | {"threshold": options["threshold"]}
        )
        taken, counts = _listed(found, options["shared"], rule, out)
    steps = [(name, counts[name]) for name in _REASONS if counts[name]]
    n, n_shared = sum(counts.values()), counts[None]
    lines = [f"  {n:>9,}  features of {visible(every[0].sae_a)}", *(f"  {count:>9,}  {name}" for name, count in steps)]
    return taken, [
        _heading(rule, every),
        *lines,
        f"  {n_shared:>9,}  shared at {number(options['threshold'])} or more, {n_shared / max(n, 1):.1%}",
    ]


def _listed(found: duckdb.DuckDBPyRelation, shared: bool, rule: str, out: Out) -> tuple[Taken, Any]:
    """The orphans, or the shared features, and how many features fell for which reason."""
    from collections import Counter

    counts = Counter(row[0] for row in found.select("orphan_because").fetchall())
    drop = ["is_shared"] + (["orphan_because"] if shared else [])
    drop += [] if rule == "paulo-belrose" else ["encoder_partner", "encoder_value"]
    listed = found.filter("is_shared" if shared else "not is_shared")
    listed = listed.select(", ".join(f'"{name}"' for name in found.columns if name not in drop))
    total = counts[None] if shared else sum(counts.values()) - counts[None]
    return take(listed, out, total=total), counts


def _computed(session: Session, a: str, b: str, measures: Sequence[str], options: dict[str, Any]) -> str | None:
    """The corpus of A that a rule of assignments was computed on now, or before; for top-1 the one that was named."""
    corpus: str | None = options["corpus"]
    if options["rule"] == "top-1":
        refuse_corpus_b(options["corpus_b"], "--rule assignment and --rule paulo-belrose")
        return corpus
    of = {"corpus_b": options["corpus_b"], "memory": options["memory"]}
    for measure in measures:
        corpus = compute_matching(session, a, b, "assignment", measure, corpus=corpus, **of).corpus
    return corpus


def _heading(rule: str, every: Sequence[Compared]) -> str:
    """What was compared by which rule, and the chance level of the values by each measure."""
    levels, first = [], every[0]
    for row in (compared.stored for compared in every):
        chance = row["chance"] if "total" in row or first.sae_a == row["sae_a"] else row["chance_ba"]
        by = f" by {row['measure']}" if len(every) > 1 else ""
        levels.append(("not stored" if chance is None else number(chance)) + by)
    by = " and ".join(compared.subset.measure for compared in every)
    where = f"{first.sae_a} in {first.sae_b} on {first.corpus}"
    sample = f"{where}, {counted(first.stored)}: {rule} by {by}"
    return visible(f"{sample}; chance level, {_CHANCE[rule]}: {' and '.join(levels)}")


def _of_all(session: Session, a: str, options: dict[str, Any], out: Out) -> tuple[Taken, list[str]]:
    """Features of A that no other SAE has a mutual match for."""
    from atlas.catalog.measures import known_measure
    from atlas.catalog.saes import sae_named
    from atlas.db.sqlfiles import sql_text
    from atlas.errors import UsageError

    refuse_corpus_b(options["corpus_b"], "two SAEs")
    if options["rule"] != "top-1" or options["sweep"]:
        raise UsageError("--sweep and the rules of assignments compare two SAEs", hint=f"featlas orphans {a} B --sweep")
    with session.read() as atlas:
        options["measure"] = known_measure(atlas, options["measure"])
        sae = sae_named(atlas, a)
        corpus = _corpus(atlas, sae, options)
        asked = {"sae": sae, "corpus": corpus, "measure": options["measure"], "threshold": options["threshold"]}
        rests_on = what_matches_rest_on(atlas, options["measure"], sae, corpus)
        found = atlas.sql(sql_text("queries/comparisons/list_lone_features"), params=asked)
        counted = found.aggregate("n_counterparts, any_value(n_compared) as others, count(*) as n").order(
            "n_counterparts"
        )
        counts = counted.fetchall()
        listed = found.filter("n_counterparts > 0" if options["shared"] else "n_counterparts = 0")
        total = sum(n for counterparts, _, n in counts if (counterparts > 0) == options["shared"])
        taken = take(listed, out, total=total)
    level = number(options["threshold"])
    heading = (
        f"{sae} on {corpus}: mutual matches by {options['measure']} of {level} or more with {counts[0][1]} other SAEs"
    )
    lines = [f"  {n:>9,}  have a counterpart in {counterparts} of them" for counterparts, _, n in counts]
    return taken, [visible(heading), rests_on, *lines]


def _corpus(atlas: Atlas, sae: str, options: dict[str, Any]) -> str:
    """The corpus on which an SAE was compared by the measure: the one that was named, else the newest."""
    from atlas.errors import AtlasError, UnknownName

    names = [row[0] for row in atlas.fetch("catalog/compared_corpora", sae=sae, measure=options["measure"])]
    if not names:
        raise AtlasError(
            f"{sae} was not compared with another SAE by {options['measure']}",
            hint=f"featlas correlate {sae} B --measure {options['measure']}",
        )
    if options["corpus"] not in (None, *names):
        raise UnknownName(f"corpus on which {sae} was compared", options["corpus"], names)
    return options["corpus"] or names[0]
