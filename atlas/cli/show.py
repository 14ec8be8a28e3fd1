"""`featlas show`: one feature, or a pair, in the terminal."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from atlas.choices import DEFAULT_MEASURE
from atlas.cli.kit.group import Session
from atlas.cli.kit.params import MeasureName, OneOf, Whole
from atlas.cli.kit.text import to_json

if TYPE_CHECKING:
    from atlas.queries.browse_records import FeatureDetail, PairDetail
    from atlas.queries.feature_records import FeatureMore
    from atlas.queries.pair_records import PairMore
    from atlas.references import FeatureRef, PairRef
    from atlas.render.feature import Look

WIDTH = 100
"""Cells of a line where there is no terminal to ask."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of a feature is asked for."""

    corpus: str | None
    contexts: int
    kind: str
    measure: str


@click.command()
@click.argument("reference", metavar="REF")
@click.option(
    "--contexts", type=Whole(), default=10, show_default=True, help="Contexts of each feature, or of each group."
)
@click.option(
    "--kind",
    type=OneOf(["top", "quantile", "interval", "random", "silent"]),
    default="top",
    show_default=True,
    help="How the contexts of a feature were chosen.",
)
@click.option("--wrap", is_flag=True, help="Whole contexts, over several lines.")
@click.option("--own-scale", is_flag=True, help="Shade relative to the strongest token of each context.")
@click.option("--linear", is_flag=True, help="Bars of the histogram by the count, not by its log.")
@click.option(
    "--all", "everything", is_flag=True, help="Also every statistic with its meaning, all matches and tokens."
)
@click.option(
    "--measure",
    type=MeasureName(),
    default=DEFAULT_MEASURE,
    show_default=True,
    metavar="MEASURE",
    help="That ranks the candidates of a pair.",
)
@click.option(
    "--corpus",
    metavar="NAME",
    help="Corpus it was measured on.  [default: its newest scan's; of a pair: where they were compared]",
)
@click.option("--width", type=click.IntRange(min=40), help="Cells of a line.  [default: the terminal's]")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print.",
)
@click.pass_obj
def show(
    session: Session,
    reference: str,
    contexts: int,
    kind: Any,
    wrap: bool,
    own_scale: bool,
    linear: bool,
    everything: bool,
    measure: str,
    corpus: str | None,
    width: int | None,
    format_: str,
) -> None:
    """Show one feature, A:1081, or a pair, A:1081=B:3169: statistics, histogram, matches, contexts.

    \b
    Examples:
      featlas --db demo.duckdb show A:12
      featlas --db demo.duckdb show A:12 --kind quantile --contexts 2
      featlas --db demo.duckdb show A:12 --all
      featlas --db demo.duckdb show A:663=I:903 --contexts 5
    """
    from atlas.references import PairRef, parse_reference
    from atlas.render.ansi import coding_for, to_text
    from atlas.render.feature import Look

    wanted = parse_reference(reference)
    detail, more = _read(session, wanted, _Asked(corpus, contexts, kind, measure))
    if format_ == "json":
        schema = "featlas.pair/1" if isinstance(wanted, PairRef) else "featlas.feature/1"
        click.echo(to_json({"schema": schema, **asdict(detail), "more": asdict(more)}), color=True)
        return
    coding = coding_for(sys.stdout)
    look = Look(kind=kind, wrap=wrap, own_scale=own_scale, linear=linear, brackets=coding.brackets)
    cells = width or (shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH)
    for line in _lines(detail, more, cells, look, everything=everything):
        click.echo(to_text(line, coding), color=True)


def _read(session: Session, wanted: FeatureRef | PairRef, asked: _Asked) -> tuple[Any, Any]:
    """The feature or the pair, and what there is beyond it."""
    from dataclasses import replace

    from atlas.activations.joint import pair_more
    from atlas.catalog.measures import known_measure
    from atlas.queries import browse
    from atlas.queries.browse_feature import contexts_of, feature_more, with_neighbours
    from atlas.queries.browse_pair import pair_detail
    from atlas.references import FeatureRef

    with session.read() as atlas:
        if isinstance(wanted, FeatureRef):
            scan, number = browse.scan_named(atlas, wanted.sae, asked.corpus), wanted.feature_id
            detail = browse.feature_detail(atlas, scan, number, n_contexts=asked.contexts)
            if asked.kind != "top":
                found: Any = asked.kind
                detail = replace(detail, contexts=contexts_of(atlas, scan, number, found, most=asked.contexts))
            return detail, with_neighbours(atlas, scan, number, feature_more(atlas, scan, number))
        measure = known_measure(atlas, asked.measure)
        a, b = browse.scans_of_pair(atlas, wanted.a.sae, wanted.b.sae, asked.corpus)
        sides = (a, wanted.a.feature_id, b, wanted.b.feature_id)
        pair = pair_detail(atlas, *sides, measure=measure, n_contexts=asked.contexts)
        return pair, pair_more(atlas, pair)


def _lines(
    detail: FeatureDetail | PairDetail, more: FeatureMore | PairMore, cells: int, look: Look, *, everything: bool
) -> list[Any]:
    """The strips of the browser."""
    from atlas.queries.browse_records import PairDetail
    from atlas.queries.feature_records import FeatureMore
    from atlas.queries.pair_records import PairMore
    from atlas.render.feature import feature_lines
    from atlas.render.feature_more import more_lines
    from atlas.render.pair import pair_lines

    if isinstance(detail, PairDetail):
        assert isinstance(more, PairMore)
        most = max(len(detail.a.contexts), len(detail.b.contexts))
        return pair_lines(detail, cells, 2 * most + 40, look, more=more)
    assert isinstance(more, FeatureMore)
    lines = feature_lines(detail, cells, look, more=more)
    return [*lines, *(more_lines(detail, more, cells) if everything else [])]
