"""`featlas matrix`: one metric over every pair of SAEs of two lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.cli._group import Session
from atlas.cli._output import Out, output_options, take, write
from atlas.cli._score import null_options, settings_of
from atlas.cli._subset import subset_of, subset_options
from atlas.cli._text import visible

if TYPE_CHECKING:
    from atlas.matrix import Grid, Named

SIGNIFICANT = 0.05
"""Cells of an adjusted p-value of at most this get a star."""


@click.command()
@click.argument("name", type=str)
@click.option("--rows", multiple=True, required=True, metavar="GLOB", help="SAEs A: names, aliases or patterns.")
@click.option("--cols", multiple=True, required=True, metavar="GLOB", help="SAEs B: names, aliases or patterns.")
@subset_options
@null_options
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

    Scores are stored as they are done: the same command goes on where it was interrupted. p-values are adjusted for the
    grid (Benjamini and Hochberg); a star marks 0.05 and less. View grids holds the numbers.

    \b
    Examples:
      featlas --db demo.duckdb matrix svcca --rows 'tinyA_*' --cols 'tinyB_*'
      featlas --db demo.duckdb matrix rsa --rows B,D,E --cols J,K,L --concept Time --figure time.png
    """
    from atlas.cli._progress import progress
    from atlas.matrix import fill_grid
    from atlas.sqlfiles import sql_text

    _check_figure(figure)
    subset, (settings, options) = subset_of(given), settings_of(name, given)
    with (
        progress("correlating", "pairs of SAEs", quiet=session.quiet) as on_pairs,
        progress(f"scoring {name}", "cells", quiet=session.quiet) as on_progress,
    ):
        grid = fill_grid(
            session.db,
            name,
            rows,
            cols,
            subset=subset,
            corpus=given["corpus"],
            correlate=not given["no_correlate"],
            workers=given["workers"],
            wait=session.wait,
            on_pairs=on_pairs,
            on_progress=on_progress,
            options=options,
            **settings,
        )
    with session.read() as atlas:
        found = atlas.sql(sql_text("queries/grid_cells"), params={"grid": grid.grid_id})
        cells = found.select("sae_a, sae_b, value, p_adjusted").fetchall()
        taken = take(found, out, total=len(cells))
    values = {(a, b): (value, p) for a, b, value, p in cells}
    session.note(
        f"grid {grid.grid_id}: {len(cells)} cells, {grid.n_computed} computed now; {visible(subset.in_words())}"
    )
    if out.format_ == "table" and out.path is None:
        click.echo("\n".join(_picture(grid, values)))
        session.note(session.command("matrix", name, "…", "--format", "json") + "  for every number; view grids")
    else:
        write(taken, session, out, schema="featlas.matrix/1")
    if figure is not None:
        from atlas.figures.heatmap import draw_grid

        draw_grid(figure, grid, values, subset.in_words())
        session.note(f"drew {figure}")


def _check_figure(figure: Path | None) -> None:
    """Say before the work is done that its picture has no place."""
    from atlas.errors import AtlasError, UsageError

    if figure is None:
        return
    if figure.suffix.lower() not in (".png", ".svg", ".html"):
        raise UsageError(f"{figure.name} does not say its format", hint="end the name in .png, .svg or .html")
    if not figure.parent.is_dir():
        raise AtlasError(f"there is no folder {figure.parent} to draw {figure.name} in", hint="make it first")


def _picture(grid: Grid, values: dict[tuple[str, str], tuple[float | None, float | None]]) -> list[str]:
    """The grid as text, and what its letters stand for."""
    from atlas.render.heatmap import heatmap

    at = [[values.get((row.sae, column.sae), (None, None)) for column in grid.columns] for row in grid.rows]
    lines = heatmap(
        [_label(row) for row in grid.rows],
        [_label(column) for column in grid.columns],
        [[value for value, _ in line] for line in at],
        [[p is not None and p <= SIGNIFICANT for _, p in line] for line in at],
    )
    named = {saes.alias: saes.sae for saes in (*grid.rows, *grid.columns)}
    return [*lines, "", *(f"{alias}  {visible(sae)}" for alias, sae in named.items())]


def _label(sae: Named) -> str:
    """Letter and layer."""
    return sae.alias if sae.layer is None else f"{sae.alias} L{sae.layer}"
