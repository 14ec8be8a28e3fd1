"""A grid of scores as a picture: PNG or SVG with matplotlib, or a page of HTML without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from atlas.errors import AtlasError

if TYPE_CHECKING:
    from atlas.scores.grid import Grid

SUFFIXES = (".png", ".svg", ".html")
"""Formats of a grid."""

SIGNIFICANT = 0.05
"""Cells of an adjusted p-value of at most this are marked."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn of one cell."""

    value: float | None = None
    """The score; None where the cell has none."""
    null_mean: float | None = None
    """Mean score of its null."""
    p_adjusted: float | None = None
    """p-value adjusted for the grid."""
    n: int | None = None
    """Matched pairs of features."""

    @property
    def marked(self) -> bool:
        """Whether the adjusted p-value is at most `SIGNIFICANT`."""
        return self.p_adjusted is not None and self.p_adjusted <= SIGNIFICANT

    @property
    def text(self) -> str:
        """The score with its mark, two digits."""
        return "–" if self.value is None else f"{self.value:.2f}" + ("*" if self.marked else "")

    @property
    def small(self) -> str:
        """What judges it: the null and the sample."""
        return "" if self.null_mean is None else f"null {self.null_mean:.2f}\nn {self.n:,}"


Values = Mapping[tuple[str, str], Drawn]
"""Every cell, by full names of row and column."""


def draw_grid(path: Path, grid: Grid, values: Values, about: str, problems: Sequence[str] = ()) -> None:
    """Draw a grid.

    Args:
        path: File ending in .png, .svg or .html; an older one is replaced.
        grid: Rows and columns.
        values: Score and adjusted p-value of every cell.
        about: What the scores are and rest on, for the caption.
        problems: Why cells have no score, for a note below it.

    Raises:
        AtlasError: The file cannot be written.
    """
    try:
        if path.suffix.lower() == ".html":
            path.write_text(_page(grid, values, [about, *problems]), encoding="utf-8")
        else:
            _draw(path, grid, values, [about, *problems])
    except OSError as error:
        raise AtlasError(f"{path} cannot be written", why=error.strerror or str(error)) from error


def _draw(path: Path, grid: Grid, values: Values, said: Sequence[str]) -> None:
    """With matplotlib, readable at half a page."""
    import numpy as np
    from matplotlib.figure import Figure

    at = [[values.get((row.sae, column.sae), Drawn()) for column in grid.columns] for row in grid.rows]
    numbers = np.array([[np.nan if cell.value is None else cell.value for cell in line] for line in at], dtype=float)
    width = 3.2 + 0.8 * len(grid.columns)
    figure = Figure(figsize=(width, 2.2 + 0.65 * len(grid.rows)), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(numbers, cmap="cividis", vmin=min(0.0, float(np.nanmin(numbers, initial=0.0))), vmax=1.0)
    for i, line in enumerate(at):
        for j, cell in enumerate(line):
            ink = "white" if cell.value is None or cell.value < 0.6 else "black"
            axes.text(j, i - 0.17, cell.text, ha="center", va="center", color=ink, fontsize=10)
            axes.text(j, i + 0.22, cell.small, ha="center", va="center", color=ink, fontsize=6)
    axes.set_xticks(range(len(grid.columns)), [column.sae for column in grid.columns], rotation=45, ha="right")
    axes.set_yticks(range(len(grid.rows)), [row.sae for row in grid.rows])
    caption = [line for text in said for line in wrap(text, int(width * 13))]
    figure.suptitle("\n".join([f"{grid.metric}; * adjusted p ≤ {SIGNIFICANT}", *caption]), fontsize=8)
    figure.colorbar(image, label=grid.metric)
    figure.savefig(path, dpi=150)


def _page(grid: Grid, values: Values, said: Sequence[str]) -> str:
    """One page without scripts."""
    head = "".join(f"<th>{escape(column.sae)}</th>" for column in grid.columns)
    body = []
    for row in grid.rows:
        cells = "".join(_cell(values.get((row.sae, column.sae), Drawn())) for column in grid.columns)
        body.append(f"<tr><th>{escape(row.sae)}</th>{cells}</tr>")
    style = "table{border-collapse:collapse;font:14px sans-serif}td,th{padding:.4em .7em;border:1px solid #ccc}"
    caption = f"{escape(grid.metric)}; * adjusted p ≤ {SIGNIFICANT}; {'<br>'.join(map(escape, said))}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(grid.metric)}</title>'
        f"<style>{style}</style>"
        f"<table><caption>{caption}</caption><tr><th></th>{head}</tr>{''.join(body)}</table></html>\n"
    )


def _cell(cell: Drawn) -> str:
    """A cell whose shade grows with the score."""
    share = 0.0 if cell.value is None else max(0.0, min(1.0, cell.value))
    ink = "#fff" if share > 0.6 else "#000"
    small = cell.small.replace("\n", " · ")
    style = f"background:rgba(0,68,136,{share:.2f});color:{ink}"
    return f'<td style="{style}">{cell.text}<br><small>{small}</small></td>'
