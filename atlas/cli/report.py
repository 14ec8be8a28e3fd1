"""`featlas report`: one page of HTML with what an atlas holds and what chosen studies say of it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.text import visible

if TYPE_CHECKING:
    from atlas.pages.report import Section

DEFAULT_STUDIES = ("distribution", "positions")

_WHAT = ("metric", "sae_a", "sae_b", "corpus", "subset", "space", "n")
_SCORES = (*_WHAT, "value", "null_mean", "null_std", "null_n", "z", "p_value", "run_id")

_MOST_SCORES = 200


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="File to write.",
)
@click.option(
    "--study",
    "studies",
    multiple=True,
    metavar="'NAME …'",
    help=f"A study with its arguments, in quotes. Repeatable.  [default: {', '.join(DEFAULT_STUDIES)}]",
)
@click.pass_obj
def report(session: Session, output: Path, studies: tuple[str, ...]) -> None:
    """Write one page of HTML: status, SAEs, scores, grids, and the figures of chosen studies.

    The page stands alone: no scripts, nothing from the network. Every part names the command that shows the same.

    \b
    Examples:
      featlas --db demo.duckdb report
      featlas --db demo.duckdb report -o seeds.html --study 'distribution B C' --study 'description-length B C'
    """
    from atlas.cli.studies import STUDIES
    from atlas.errors import AtlasError, UnknownName
    from atlas.pages.report import page

    asked = [shlex.split(study) for study in studies or DEFAULT_STUDIES]
    for words in asked:
        if not words or words[0] not in STUDIES:
            raise UnknownName("study", words[0] if words else "", list(STUDIES))
    if not output.parent.is_dir():
        raise AtlasError(f"there is no folder {output.parent} to write {output.name} in", hint="make it first")
    sections = [*_holdings(session), *(_study(session, words) for words in asked)]
    try:
        output.write_text(page(f"featlas: {visible(session.db.name)}", sections), encoding="utf-8")
    except OSError as error:
        raise AtlasError(f"{output} cannot be written", why=error.strerror or str(error)) from error
    session.note(f"wrote {output}: {len(sections)} parts, {output.stat().st_size / 1e6:.1f} MB")


def _holdings(session: Session) -> list[Section]:
    """What the atlas holds: status, SAEs with their scans, scores, grids."""
    from atlas.cli.status import holdings
    from atlas.db.sqlfiles import sql_text
    from atlas.pages.report import Section, grid, table
    from atlas.queries.grids import grid_heads, grid_table

    with session.read() as atlas:
        status = table(("", ""), holdings(atlas))
        saes, scans = atlas.fetch("catalog/list_saes"), atlas.fetch("catalog/list_scans")
        scores = atlas.sql(sql_text("queries/catalog/list_scores")).select(*_SCORES)
        rows = scores.limit(_MOST_SCORES).fetchall()
        n = scores.aggregate("count(*)").fetchall()[0][0]
        grids = [(head, grid(grid_table(atlas, head))) for head in grid_heads(atlas)]
    cut = f"<p>the newest {len(rows):,} of {n:,}; run_id: see featlas runs</p>" if n else ""
    return [
        Section("Status", session.command("status"), status),
        Section("SAEs", session.command("ls", "saes"), table(saes.columns, saes.rows)),
        Section("Scans", session.command("ls", "scans"), table(scans.columns, scans.rows)),
        Section("Scores", session.command("scores"), cut + table(_SCORES, rows)),
        *(Section(f"Grid {head.grid_id}: {head.metric}", head.command, body) for head, body in grids),
    ]


def _study(session: Session, words: list[str]) -> Section:
    """What a study prints, and its figure; its error where it cannot be done, so that the rest of the page stands."""
    import io
    import tempfile
    from contextlib import redirect_stdout

    from atlas.cli.studies import study
    from atlas.errors import AtlasError
    from atlas.pages.report import Section, inline_svg, said

    printed, title, command = io.StringIO(), f"Study {words[0]}", session.command("study", *words)
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "figure.svg"
        try:
            with (
                redirect_stdout(printed),
                study.make_context(
                    "study", [*words, "--figure", str(drawn), "--limit", "20"], obj=replace(session, quiet=True)
                ) as context,
            ):
                study.invoke(context)
        except (AtlasError, click.ClickException) as error:
            problem = error.format_message() if isinstance(error, click.ClickException) else str(error)
            session.note(f"study {' '.join(words)}: {problem}")
            return Section(title, command, said(problem, bad=True))
        figure = inline_svg(drawn.read_text(encoding="utf-8"))
    return Section(title, command, said(printed.getvalue()) + figure)
