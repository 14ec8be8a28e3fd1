"""`featlas matrix`: one metric over every pair of SAEs of two lists."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.cli.kit.group import Session
from atlas.cli.kit.output import Out, output_options, take, write
from atlas.cli.kit.text import visible
from atlas.cli.options import comparison_of, scoring_options

if TYPE_CHECKING:
    from atlas.figures.heatmap import Drawn
    from atlas.scores.grid import Grid, Named


@click.command()
@click.argument("name", type=str)
@click.option("--rows", multiple=True, required=True, metavar="GLOB", help="SAEs A: names, aliases or patterns.")
@click.option("--cols", multiple=True, required=True, metavar="GLOB", help="SAEs B: names, aliases or patterns.")
@scoring_options
@click.option("--no-correlate", is_flag=True, help="Leave out SAEs that were not compared yet.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Scores at a time.")
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the grid: a file ending in .png, .svg or .html.",
)
@output_options
@click.pass_obj
def matrix(
    session: Session,
    name: str,
    rows: tuple[str, ...],
    cols: tuple[str, ...],
    figure: Path | None,
    out: Out,
    **given: Any,
) -> None:
    """Score every SAE of --rows against every SAE of --cols, and print the grid.

    Scores are stored as they are done: after an interrupt the same command resumes. p-values are adjusted for the
    grid (Benjamini and Hochberg); a star marks 0.05 and less. View grids holds the numbers.

    \b
    Examples:
      featlas --db demo.duckdb matrix svcca --rows 'tinyA_*' --cols 'tinyB_*'
      featlas --db demo.duckdb matrix rsa --rows B,D,E --cols J,K,L --concept Time --figure time.png
    """
    from atlas.db.sqlfiles import sql_text
    from atlas.figures.heatmap import SUFFIXES, Drawn, draw_grid
    from atlas.figures.style import check_figure

    if figure is not None:
        check_figure(figure, SUFFIXES)
    grid = _fill(session, name, rows, cols, given)
    with session.read() as atlas:
        found = atlas.sql(sql_text("queries/scores/grid_cells"), params={"grid": grid.grid_id})
        rows_found = found.select("sae_a, sae_b, value, null_mean, p_adjusted, n").fetchall()
        taken = take(found, out, total=len(rows_found))
        unscored = found.filter("problem is not null").select("sae_a, sae_b, problem").fetchall()
        sampled = atlas.fetch("scores/grid_sample", grid=grid.grid_id).rows
    problems = _problems(grid, unscored)
    about = "; ".join([grid.about, *(f"{corpus}, {n_tokens:,} tokens" for corpus, n_tokens in sampled)])
    cells = {(a, b): Drawn(*drawn) for a, b, *drawn in rows_found}
    session.note(f"grid {grid.grid_id}: {len(cells)} cells, {grid.n_computed} computed now; {visible(about)}")
    if given["measure"] == given["space"]:
        session.note(f"the pairs were chosen by the {given['space']} rows that are scored, and the null did not choose")
    for problem in problems:
        session.note(problem)
    if out.format_ == "table" and out.path is None:
        click.echo("\n".join(_picture(grid, cells)))
        session.note("next:  " + session.command("sql", f"from grids where grid = {grid.grid_id}"))
    else:
        write(taken, session, out, schema="featlas.matrix/1")
    if figure is not None:
        draw_grid(figure, grid, cells, about, problems)
        session.note(f"drew {figure}")


def _fill(session: Session, name: str, rows: tuple[str, ...], cols: tuple[str, ...], given: dict[str, Any]) -> Grid:
    """Compute what is missing of a grid."""
    from atlas.cli.kit.progress import progress
    from atlas.scores.grid import fill_grid

    wanted = comparison_of(name, given)
    with (
        progress("correlating", "pairs of SAEs", quiet=session.quiet) as on_pairs,
        progress(f"scoring {name}", "cells", quiet=session.quiet) as on_progress,
    ):
        return fill_grid(
            session.db,
            rows,
            cols,
            wanted,
            correlate=not given["no_correlate"],
            workers=given["workers"],
            wait=session.wait,
            on_pairs=on_pairs,
            on_progress=on_progress,
        )


def _problems(grid: Grid, unscored: list[tuple[str, str, str]]) -> list[str]:
    """Why cells have no score, each reason once with all of its cells."""
    alias = {saes.sae: saes.alias for saes in (*grid.rows, *grid.columns)}
    cells: dict[str, list[str]] = {}
    for a, b, problem in unscored:
        cells.setdefault(problem, []).append(f"{alias[a]} × {alias[b]}")
    return [visible(f"? {', '.join(places)}: {problem}") for problem, places in cells.items()]


def _picture(grid: Grid, cells: dict[tuple[str, str], Drawn]) -> list[str]:
    """The grid as text, and what its letters stand for."""
    from atlas.figures.heatmap import Drawn
    from atlas.render.ansi import coding_for, to_text
    from atlas.render.heatmap import MISSING, UNDEFINED, heatmap

    at = [[cells.get((row.sae, column.sae), Drawn()) for column in grid.columns] for row in grid.rows]
    lines = heatmap(
        [_label(row) for row in grid.rows],
        [_label(column) for column in grid.columns],
        [
            [
                _or_sign(cell.value, UNDEFINED if row == column else MISSING)
                for column, cell in zip(grid.columns, line, strict=True)
            ]
            for row, line in zip(grid.rows, at, strict=True)
        ],
        [[cell.marked for cell in line] for line in at],
    )
    coding = coding_for(sys.stdout)
    named = {saes.alias: saes.sae for saes in (*grid.rows, *grid.columns)}
    return [
        *(to_text(line, coding) for line in lines),
        "",
        *(f"{alias}  {visible(sae)}" for alias, sae in named.items()),
    ]


def _or_sign(value: float | None, sign: str) -> float | str:
    return sign if value is None else value


def _label(sae: Named) -> str:
    return sae.alias if sae.layer is None else f"{sae.alias} L{sae.layer}"
