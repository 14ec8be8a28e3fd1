"""A grid of values in the terminal: a shade and two digits a cell, so that nothing is told by colour alone."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.render.numbers import correlation

_SHADES = " ░▒▓█"
_NONE = "·"


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    marks: Sequence[Sequence[bool]],
) -> list[str]:
    """Lines of a grid.

    Args:
        rows: Names of the rows.
        columns: Names of the columns.
        values: One list a row, in [-1, 1]; None where there is none.
        marks: Cells that get a `*`, in the same places.

    Returns:
        A line of column names and one a row; a full block is 1, an empty one 0 or less.
    """
    width = max([5, *(len(name) for name in columns)])
    left = max((len(name) for name in rows), default=0)
    lines = [" " * left + "  " + " ".join(f"{name:>{width}}" for name in columns)]
    for name, line, marked in zip(rows, values, marks, strict=True):
        cells = [_cell(value, mark).rjust(width) for value, mark in zip(line, marked, strict=True)]
        lines.append(f"{name:<{left}}  " + " ".join(cells))
    return [line.rstrip() for line in lines]


def _cell(value: float | None, mark: bool) -> str:
    """One value with its shade."""
    if value is None:
        return f"{_NONE} "
    shade = _SHADES[min(4, int(max(value, 0.0) * 5))]
    return f"{shade}{correlation(value)}{'*' if mark else ' '}"
