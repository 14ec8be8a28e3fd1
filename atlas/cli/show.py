"""`featlas show`: one feature, or a pair, in the terminal."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from atlas.cli._group import Session
from atlas.cli._params import Whole
from atlas.cli._text import to_json

if TYPE_CHECKING:
    from atlas.queries.browse_records import FeatureDetail, PairDetail
    from atlas.references import FeatureRef, PairRef

WIDTH = 100
"""Cells of a line where there is no terminal to ask."""


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--contexts", type=Whole(), default=10, show_default=True, help="Contexts of each feature.")
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
def show(session: Session, reference: str, contexts: int, corpus: str | None, width: int | None, format_: str) -> None:
    """Show one feature, A:1081, or a pair, A:1081=B:3169: statistics, histogram, matches, contexts.

    \b
    Examples:
      featlas --db demo.duckdb show A:12
      featlas --db demo.duckdb show A:663=I:903 --contexts 5
    """
    from atlas.references import PairRef, parse_reference

    wanted = parse_reference(reference)
    detail = _read(session, wanted, corpus, contexts)
    if format_ == "json":
        schema = "featlas.pair/1" if isinstance(wanted, PairRef) else "featlas.feature/1"
        click.echo(to_json({"schema": schema, **asdict(detail)}), color=True)
        return
    cells = width or (shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH)
    for text in _printed(detail, cells):
        click.echo(text, color=True)


def _read(session: Session, wanted: FeatureRef | PairRef, corpus: str | None, contexts: int) -> Any:
    """The feature or the pair."""
    from atlas.queries import browse
    from atlas.references import FeatureRef

    with session.read() as atlas:
        if isinstance(wanted, FeatureRef):
            scan = browse.scan_named(atlas, wanted.sae, corpus)
            return browse.feature_detail(atlas, scan, wanted.feature_id, n_contexts=contexts)
        a, b = browse.scans_of_pair(atlas, wanted.a.sae, wanted.b.sae, corpus)
        return browse.pair_detail(atlas, a, wanted.a.feature_id, b, wanted.b.feature_id, n_contexts=contexts)


def _printed(detail: FeatureDetail | PairDetail, cells: int) -> list[str]:
    """The lines as this terminal shows them."""
    from atlas.queries.browse_records import PairDetail
    from atlas.render.ansi import coding_for, to_text
    from atlas.render.feature import feature_lines
    from atlas.render.pair import pair_lines

    coding = coding_for(sys.stdout)
    if isinstance(detail, PairDetail):
        most = max(len(detail.a.contexts), len(detail.b.contexts))
        lines = pair_lines(detail, cells, 2 * most + 40, brackets=coding.brackets)
    else:
        lines = feature_lines(detail, cells, brackets=coding.brackets)
    return [to_text(line, coding) for line in lines]
