"""What all studies have in common on the command line: SAEs, tables, formats, figures."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.output import Out, Taken, output_options, write
from atlas.cli.kit.text import visible

if TYPE_CHECKING:
    from atlas.studies.findings import Findings

_SAES = click.argument("saes", nargs=-1, metavar="[SAE]...")
_CORPUS = click.option("--corpus", metavar="NAME", help="Corpus; needed only if there are several.")


def study_command(name: str, *options: Any, help: str) -> click.Command:
    """`featlas study NAME`: measure, print a table, draw if asked to.

    `atlas.studies.NAME.measure(db, saes, corpus=…, wait=…, on_progress=…, **options)` gives the findings, and
    `atlas.figures.NAME.draw(findings)` the figure; dashes of the name are underscores there.

    Args:
        name: Of the study.
        options: Click options, given to `measure` by their names.
        help: With examples; what `--help` prints.
    """

    @_SAES
    @_CORPUS
    @click.option("--table", metavar="NAME", help="Which of its tables to print.  [default: the first]")
    @click.option("--figure", type=click.Path(path_type=Path, dir_okay=False), help="Also draw: .png, .svg or .pdf.")
    @output_options
    @click.pass_obj
    def study(
        session: Session, saes: tuple[str, ...], table: str | None, figure: Path | None, out: Out, **given: Any
    ) -> None:
        if figure is not None:
            check(figure)
        found = _measured(session, name, saes, given)
        show(session, found, table, out)
        if figure is not None:
            draw(session, name, found, figure)

    return click.command(name, help=help)(_with(options, study))


def figure_command(name: str, *options: Any) -> click.Command:
    """`featlas figure NAME`: measure and draw."""

    @_SAES
    @_CORPUS
    @click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"File to draw: .png, .svg or .pdf.  [default: {name}.png]",
    )
    @click.pass_obj
    def figure(session: Session, saes: tuple[str, ...], output: Path | None, **given: Any) -> None:
        path = output or Path(f"{name}.png")
        check(path)
        draw(session, name, _measured(session, name, saes, given), path)

    return click.command(name, help=f"Draw study {name}: featlas study {name} --help says what it measures.")(
        _with(options, figure)
    )


def _with(options: Sequence[Any], command: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command


def _measured(session: Session, name: str, saes: Sequence[str], given: dict[str, Any]) -> Findings:
    """Run the study."""
    from atlas.cli.kit.progress import progress

    module = import_module(f"atlas.studies.{name.replace('-', '_')}")
    with progress(f"study {name}", "steps", quiet=session.quiet) as report:
        return module.measure(session.db, saes, wait=session.wait, on_progress=report, **given)


def show(session: Session, found: Findings, table: str | None, out: Out) -> None:
    """Sentences and one table; in formats for machines the table alone."""
    chosen = found.table(table)
    if out.format_ == "table" and out.path is None:
        said = (f"{found.study}: {found.sample}", *found.lines, "", chosen.about)
        click.echo("\n".join(visible(line) for line in said))
    n = len(chosen.rows)
    shown = chosen.rows if out.most < 0 else chosen.rows.head(out.most)
    whole = shown.to_arrow() if out.format_ == "parquet" else None
    taken = Taken(tuple(shown.columns), () if whole is not None else shown.rows(), whole, len(shown) < n, n)
    write(taken, session, out, schema=f"featlas.study.{found.study}.{chosen.name}/1")
    others = [f"--table {other.name}" for other in found.tables if other is not chosen]
    if others and out.path is None:
        session.note(f"other tables: {', '.join(others)}")


def check(figure: Path) -> None:
    """Refuse a figure that could not be drawn or written, before anything is measured."""
    from atlas.figures.style import check_figure

    check_figure(figure)


def draw(session: Session, name: str, found: Findings, path: Path) -> None:
    """Draw what study `name` found into the file `path`."""
    from atlas.figures.style import save

    save(import_module(f"atlas.figures.{name.replace('-', '_')}").draw(found), path)
    session.note(f"drew {path}")
