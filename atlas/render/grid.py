"""A stored grid on the screen: head, cells, scale, and all about the cell under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atlas.queries.grids import GridCell, GridTable
from atlas.render import heatmap
from atlas.render.heatmap import MISSING, UNDEFINED, Heat, Scale
from atlas.render.numbers import correlation, count, probability
from atlas.render.spans import Line, Span, fit, labelled
from atlas.render.text import clean

SIGNIFICANT = 0.05
"""Cells of an adjusted p-value of at most this have a star."""

LOOKS = ("values", "blocks", "shades")
"""values: shade and number; blocks: two columns a cell, two rows a line, by colour; shades: the same by characters."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a grid is drawn."""

    how: str | None = None
    """One of `LOOKS`; None takes numbers where all columns fit."""
    scale: Scale = "fixed"
    """What the shades span."""
    colour: bool = True
    """Whether shades of colour can be told apart."""

    def of(self, heat: Heat, cells: int) -> str:
        if self.how is not None:
            return self.how
        return "values" if heatmap.fits(heat, cells) else "blocks" if self.colour else "shades"


def grid_lines(
    grid: GridTable,
    at: tuple[int, int],
    look: Look,
    size: tuple[int, int],
    others: Sequence[tuple[str, float]] = (),
) -> list[Line]:
    """A grid in some width and height; the part around the cursor where not all of it fits.

    Args:
        grid: With its cells.
        at: Row and column of the cursor.
        look: How to draw it.
        size: Width and height.
        others: (metric, score) of other metrics for the same pairs of features as the cell under the cursor.
    """
    cells, height = size
    heat = heat_of(grid, look.scale)
    head, foot = _head(grid), [[], *cell_lines(grid, at, others)]
    room = max(2, height - len(head) - len(foot) - 2)
    how = look.of(heat, cells)
    if how == "values":
        body = heatmap.value_lines(heat, cells=cells, height=room, cursor=at)
    else:
        body = heatmap.block_lines(heat, cells=cells, height=room, cursor=at, colour=how == "blocks")
    legend = _ramp_line(heat) if how == "blocks" else heatmap.scale_line(heat)
    return [fit(line, cells) for line in (*head, *body, [], legend, *foot)][: max(height, 1)]


def heat_of(grid: GridTable, scale: Scale = "fixed") -> Heat:
    """The numbers of a grid, ready to draw."""
    places = [[(row, column) for column in range(len(grid.columns))] for row in range(len(grid.rows))]
    return Heat(
        [clean(label) for _, label in grid.rows],
        [clean(label) for _, label in grid.columns],
        [[_value(grid, *place) for place in line] for line in places],
        [[_marked(grid.at(*place)) for place in line] for line in places],
        scale,
    )


def cell_lines(grid: GridTable, at: tuple[int, int], others: Sequence[tuple[str, float]]) -> list[Line]:
    """What is stored about one cell: names, score with its null, sample and interval."""
    row, column = at
    names: Line = [Span(f" {clean(grid.rows[row][0])} × {clean(grid.columns[column][0])}", tone="strong")]
    cell = grid.at(row, column)
    if cell is None or cell.value is None:
        same = grid.rows[row][0] == grid.columns[column][0]
        why = "an SAE is not scored against itself" if same else "this pair of SAEs was not asked for"
        return [names, [Span(f" {clean(cell.problem) if cell and cell.problem else why}")], []]
    judged = [
        (f" {clean(grid.head.metric)}", correlation(cell.value, digits=3)),
        ("null", correlation(cell.null_mean, digits=3)),
        ("p", probability(cell.p_value)),
        ("adjusted p", probability(cell.p_adjusted)),
        ("n", count(cell.n or 0)),
    ]
    more = [(" 95 % of resamples", f"{_short(cell.low)} to {_short(cell.high)}")] if cell.low is not None else []
    more += [("dims", f"{cell.dims_a} / {cell.dims_b}")] if cell.dims_a is not None else []
    more += [("forced", str(cell.forced))] if cell.forced else []
    more += [("corpus", clean(cell.corpus or ""))]
    beside = [(clean(metric), correlation(value, digits=3)) for metric, value in others]
    return [
        names,
        labelled(*judged),
        labelled(*[(f" {name.strip()}" if not place else name, value) for place, (name, value) in enumerate(more)]),
        [Span(" same pairs: ", tone="dim"), *labelled(*beside)] if beside else [],
    ]


def _head(grid: GridTable) -> list[Line]:
    head = grid.head
    size = f"{len(grid.rows)} × {len(grid.columns)} SAEs"
    null = f"null: {head.null_kind}, {count(head.null_n)} draws"
    return [
        [
            Span(f" {clean(head.metric)}", tone="strong"),
            Span(f" of {head.space} rows   {size}   {null}   run {head.run_id}"),
        ],
        [Span(f" {clean(head.subset)}", tone="dim")],
        [],
    ]


def _value(grid: GridTable, row: int, column: int) -> float | str:
    """The score, or the sign of why there is none."""
    cell = grid.at(row, column)
    if cell is not None and cell.value is not None:
        return cell.value
    return UNDEFINED if grid.rows[row][0] == grid.columns[column][0] else MISSING


def _marked(cell: GridCell | None) -> bool:
    return cell is not None and cell.p_adjusted is not None and cell.p_adjusted <= SIGNIFICANT


def _ramp_line(heat: Heat) -> Line:
    low, high = heat.ends[0] if heat.ends else (0.0, 1.0)
    ends = ("minimum", "maximum of the row") if heat.scale == "rows" else (correlation(low), correlation(high))
    bars = [Span("▀▀", ground=level, ink=level) for level in range(1, 8)]
    return [
        Span(f" {ends[0]} ", tone="dim"),
        *bars,
        Span(f" {ends[1]}   blank: no score   v: {heatmap.SHADES}", tone="dim"),
    ]


def _short(value: float | None) -> str:
    return correlation(value, digits=3)
