"""A grid of scores as a picture: PNG or SVG with matplotlib, or a page of HTML without."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from atlas.errors import AtlasError

if TYPE_CHECKING:
    from atlas.matrix import Grid

Values = Mapping[tuple[str, str], tuple[float | None, float | None]]
"""Score and adjusted p-value of every cell, by full names of row and column."""

SIGNIFICANT = 0.05


def draw_grid(path: Path, grid: Grid, values: Values, subset: str) -> None:
    """Draw a grid.

    Args:
        path: File ending in .png, .svg or .html; an older one is replaced.
        grid: Rows and columns.
        values: Score and adjusted p-value of every cell.
        subset: The subset in words, for the caption.

    Raises:
        AtlasError: matplotlib is missing, or the file cannot be written.
    """
    try:
        if path.suffix.lower() == ".html":
            path.write_text(_page(grid, values, subset), encoding="utf-8")
        else:
            _draw(path, grid, values, subset)
    except ImportError as error:
        raise AtlasError(
            f"{path.suffix} needs matplotlib", hint='pip install "featlas[figures]", or --figure grid.html'
        ) from error
    except OSError as error:
        raise AtlasError(f"{path} cannot be written", why=error.strerror or str(error)) from error


def _text(value: float | None, p: float | None) -> str:
    """What stands in a cell."""
    if value is None:
        return "–"
    return f"{value:.2f}" + ("*" if p is not None and p <= SIGNIFICANT else "")


def _draw(path: Path, grid: Grid, values: Values, subset: str) -> None:
    """With matplotlib, readable at half a page."""
    import numpy as np
    from matplotlib.figure import Figure

    at = [[values.get((row.sae, column.sae), (None, None)) for column in grid.columns] for row in grid.rows]
    numbers = np.array([[np.nan if value is None else value for value, _ in line] for line in at], dtype=float)
    figure = Figure(figsize=(2.2 + 0.75 * len(grid.columns), 1.8 + 0.5 * len(grid.rows)), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(numbers, cmap="cividis", vmin=min(0.0, float(np.nanmin(numbers, initial=0.0))), vmax=1.0)
    for i, line in enumerate(at):
        for j, cell in enumerate(line):
            dark = cell[0] is None or cell[0] < 0.6
            axes.text(j, i, _text(*cell), ha="center", va="center", color="white" if dark else "black", fontsize=9)
    axes.set_xticks(range(len(grid.columns)), [column.sae for column in grid.columns], rotation=45, ha="right")
    axes.set_yticks(range(len(grid.rows)), [row.sae for row in grid.rows])
    axes.set_title(f"{grid.metric}; * adjusted p ≤ {SIGNIFICANT}\n{subset}", fontsize=9)
    figure.colorbar(image, label=grid.metric)
    figure.savefig(path, dpi=150)


def _page(grid: Grid, values: Values, subset: str) -> str:
    """One page without scripts."""
    head = "".join(f"<th>{escape(column.sae)}</th>" for column in grid.columns)
    body = []
    for row in grid.rows:
        cells = "".join(_cell(*values.get((row.sae, column.sae), (None, None))) for column in grid.columns)
        body.append(f"<tr><th>{escape(row.sae)}</th>{cells}</tr>")
    style = "table{border-collapse:collapse;font:14px sans-serif}td,th{padding:.4em .7em;border:1px solid #ccc}"
    caption = f"{escape(grid.metric)}; * adjusted p ≤ {SIGNIFICANT}; {escape(subset)}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(grid.metric)}</title>'
        f"<style>{style}</style>"
        f"<table><caption>{caption}</caption><tr><th></th>{head}</tr>{''.join(body)}</table></html>\n"
    )


def _cell(value: float | None, p: float | None) -> str:
    """A cell whose shade grows with the score."""
    share = 0.0 if value is None else max(0.0, min(1.0, value))
    ink = "#fff" if share > 0.6 else "#000"
    return f'<td style="background:rgba(0,68,136,{share:.2f});color:{ink}">{_text(value, p)}</td>'
