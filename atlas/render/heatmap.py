"""A grid of values in the terminal: a shade and two digits per cell, so that colour is never needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from atlas.render.numbers import correlation
from atlas.render.spans import Line, Span, merged

SHADES = "·░▒▓█"
"""From low to high, each a fifth of the scale."""

MISSING, UNDEFINED = "?", "×"
"""Signs of a cell without a score: none was made, or there can be none."""

SCALES = ("fixed", "fit", "rows")
"""fixed: 0 to 1; fit: from minimum to maximum; rows: from minimum to maximum of each row."""

Scale = Literal["fixed", "fit", "rows"]


@dataclass(frozen=True, slots=True)
class Heat:
    """A grid to draw."""

    rows: Sequence[str]
    """Short names of the rows."""
    columns: Sequence[str]
    """Short names of the columns."""
    values: Sequence[Sequence[float | str]]
    """One sequence a row: values in [-1, 1], or the sign of a cell without one."""
    marks: Sequence[Sequence[bool]]
    """Cells that get a `*`, in the same places."""
    scale: Scale = "fixed"
    """What the shades span; the numbers stay as they are."""

    @property
    def ends(self) -> list[tuple[float, float]]:
        """Lower and upper end of the scale of every row."""
        known = [[value for value in line if not isinstance(value, str)] for line in self.values]
        if self.scale == "fixed":
            return [(0.0, 1.0)] * len(known)
        everything = [value for line in known for value in line]
        return [_span(line if self.scale == "rows" else everything) for line in known]


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | str]],
    marks: Sequence[Sequence[bool]],
) -> list[Line]:
    """Lines of a whole grid, column names first; the arguments are the fields of `Heat`."""
    return value_lines(Heat(rows, columns, values, marks), cells=10**6, height=10**6)


def value_lines(heat: Heat, *, cells: int, height: int, cursor: tuple[int, int] | None = None) -> list[Line]:
    """The part of a grid around the cursor that fits, with its numbers.

    Args:
        heat: The grid.
        cells: Width.
        height: Lines, that of the column names among them.
        cursor: Row and column that get a `▸` in the place of their shade.
    """
    digits = max([3, *(len(_text(value)) for line in heat.values for value in line)])
    width = max([digits + 2, *(len(name) for name in heat.columns)])
    left = max((len(name) for name in heat.rows), default=0)
    row, column = cursor or (0, 0)
    down = visible(len(heat.rows), height - 1, row)
    across = visible(len(heat.columns), (cells - left - 3) // (width + 1), column)
    head = " ".join(f"{heat.columns[place]:>{width}}" for place in across)
    lines: list[Line] = [[Span(f"{_edge(across, len(heat.columns)):<{left + 1}} {head}", tone="dim")]]
    for place in down:
        name = Span(f"{_mark(place, down, len(heat.rows), cursor)}{heat.rows[place]:<{left}} ")
        line = [name]
        for other in across:
            line += [Span(" "), *_cell(heat, place, other, width, digits, at_cursor=cursor == (place, other))]
        lines.append(merged(line))
    return lines


def block_lines(
    heat: Heat, *, cells: int, height: int, cursor: tuple[int, int] | None = None, colour: bool = True
) -> list[Line]:
    """The same without numbers, two columns a cell: with colour two rows a line, without a shade for each."""
    left = max((len(name) for name in heat.rows), default=0)
    row, column = cursor or (0, 0)
    step = 2 if colour else 1
    across = visible(len(heat.columns), (cells - left - 2) // 2, column)
    first = visible(len(heat.rows), step * (height - 1), row)
    place = 2 * (column - across.start)
    name = heat.columns[column] if heat.columns else ""
    header = f"{' ' * place}▾ {name}" if place + len(name) + 2 <= cells - left - 2 else f"{name} ▾".rjust(place + 1)
    lines: list[Line] = [[Span(f"{'':<{left + 2}}{header}")]]
    for upper in range(first.start, first.stop, step):
        shown = row if cursor and upper <= row < upper + step else upper
        label = Span(f"{_mark(shown, first, len(heat.rows), cursor)}{heat.rows[shown]:<{left}} ")
        levels = [[_level(heat, one, other) for other in across] for one in range(upper, min(upper + step, first.stop))]
        body = (
            [_half(levels, place) for place in range(len(across))]
            if colour
            else [Span(2 * _shade(heat, upper, other)) for other in across]
        )
        lines.append([label, *merged(body)])
    return lines


def fits(heat: Heat, cells: int) -> bool:
    width = max([5, *(len(name) for name in heat.columns)])
    left = max((len(name) for name in heat.rows), default=0)
    return left + 3 + len(heat.columns) * (width + 1) <= cells


def scale_line(heat: Heat) -> Line:
    """What the shades stand for."""
    if heat.scale == "rows":
        steps = "· minimum  ▒ middle  █ maximum of the row"
    else:
        low, high = heat.ends[0] if heat.ends else (0.0, 1.0)
        edges = [low + (high - low) * fifth / 5 for fifth in range(1, 5)]
        steps = "  ".join(f"{shade} <{correlation(edge)}" for shade, edge in zip(SHADES, edges, strict=False))
        steps += f"  {SHADES[-1]} ≥{correlation(edges[-1])}"
    signs = f"  * adj. p ≤ .05  {MISSING} no score  {UNDEFINED} same SAE"
    return [Span(f" {steps}{signs}", tone="dim")]


def visible(n: int, room: int, around: int) -> range:
    """The part of `n` places that is shown in some room, with one of them near the middle."""
    room = max(1, min(n, room))
    first = max(0, min(around - room // 2, n - room))
    return range(first, min(n, first + room))


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _share(heat: Heat, row: int, column: int) -> float | None:
    """Place of a value on its scale, in [0, 1]; None where there is none."""
    value = heat.values[row][column]
    if isinstance(value, str):
        return None
    low, high = heat.ends[row]
    return max(0.0, min(1.0, (value - low) / (high - low)))


def _shade(heat: Heat, row: int, column: int) -> str:
    share = _share(heat, row, column)
    return str(heat.values[row][column]) if share is None else SHADES[min(4, int(share * 5))]


def _level(heat: Heat, row: int, column: int) -> int:
    """Colour of a value, 1 to 7; 0 where there is none."""
    share = _share(heat, row, column)
    return 0 if share is None else 1 + min(6, int(share * 7))


def _half(levels: list[list[int]], place: int) -> Span:
    """Two rows in one line: the upper is the letter, the lower the ground."""
    upper, lower = levels[0][place], levels[1][place] if len(levels) > 1 else 0
    if upper and lower:
        return Span("▀▀", ground=lower, ink=upper)
    return Span("▀▀" if upper else "▄▄" if lower else "  ", ink=upper or lower)


def _text(value: float | str) -> str:
    return "" if isinstance(value, str) else correlation(value)


def _cell(heat: Heat, row: int, column: int, width: int, digits: int, *, at_cursor: bool) -> Line:
    value = heat.values[row][column]
    shade = "▸" if at_cursor else _shade(heat, row, column)
    mark = "*" if heat.marks[row][column] else " "
    text = f"{shade} {mark}" if isinstance(value, str) else f"{shade}{_text(value):>{digits}}{mark}"
    if at_cursor and isinstance(value, str):
        text = f"▸{value} "
    space = Span(" " * (width - len(text)))
    if at_cursor:
        return [space, Span(text, tone="badge")]
    return [space, Span(text, ground=_level(heat, row, column))]


def _mark(place: int, shown: range, n: int, cursor: tuple[int, int] | None) -> str:
    """Before a row: the cursor, or an arrow where more rows follow."""
    if cursor is not None and place == cursor[0]:
        return "▸"
    if place == shown.start and place > 0:
        return "↑"
    return "↓" if place == shown.stop - 1 and place < n - 1 else " "


def _edge(shown: range, n: int) -> str:
    return ("←" if shown.start > 0 else "") + ("→" if shown.stop < n else "")
