"""What the browser reads of stored grids: the list of them, then the cells of one."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas.queries.browse import records

if TYPE_CHECKING:
    from atlas.db import Atlas


@dataclass(frozen=True, slots=True)
class GridHead:
    """One stored grid."""

    grid_id: int
    metric: str
    n_cells: int
    """Pairs of SAEs that were asked for."""
    n_scored: int
    """Those that have a score."""
    subset: str
    """Which pairs of features, in words; empty if no cell has a score."""
    space: str
    """Rows that were compared: decoder, encoder or activation."""
    null_kind: str
    """What the null is made of: shuffle, subsets, density or norm."""
    null_n: int
    """Draws of the null."""
    created_at: datetime.datetime
    """UTC."""
    run_id: int
    command: str
    """The command that made it."""


@dataclass(frozen=True, slots=True)
class GridCell:
    """A pair of SAEs in a grid; all numbers are None where there is no score."""

    row_place: int
    """From 0, in the order of model, layer and name."""
    column_place: int
    sae_a: str
    """SAE of the row."""
    alias_a: str
    layer_a: int | None
    sae_b: str
    """SAE of the column."""
    alias_b: str
    layer_b: int | None
    score_id: int | None
    problem: str | None
    """Why there is no score; None if there is one."""
    n: int | None
    """Matched pairs of features."""
    value: float | None
    null_mean: float | None
    null_std: float | None
    p_value: float | None
    p_adjusted: float | None
    """For the cells of the grid (Benjamini and Hochberg 1995)."""
    low: float | None
    """Lower end of the 95 % bootstrap interval; None if it was not asked for."""
    high: float | None
    dims_a: int | None
    """Directions kept of the row's side; None where the metric keeps all."""
    dims_b: int | None
    forced: int | None
    """Correlations that are 1 by rank alone (n pairs < directions); None where the metric has none."""
    corpus: str | None
    """On which the features were matched."""
    corpus_b: str | None
    """That of the column's side; another where two tokenizations of a text were aligned."""


@dataclass(frozen=True, slots=True)
class GridTable:
    """A grid with its cells."""

    head: GridHead
    rows: tuple[tuple[str, str], ...]
    """(full name, short label) of each row."""
    columns: tuple[tuple[str, str], ...]
    """The same of each column."""
    cells: dict[tuple[int, int], GridCell]
    """By row and column; a pair that was not asked for has none."""

    def at(self, row: int, column: int) -> GridCell | None:
        return self.cells.get((row, column))


def grid_heads(atlas: Atlas) -> list[GridHead]:
    """Every stored grid, the newest first."""
    return records(GridHead, atlas.fetch("browse/grids"))


def grid_table(atlas: Atlas, head: GridHead) -> GridTable:
    """The cells of one grid."""
    cells: list[GridCell] = records(GridCell, atlas.fetch("browse/grid_cells", grid=head.grid_id))
    rows = {cell.row_place: (cell.sae_a, short_label(cell.alias_a, cell.layer_a)) for cell in cells}
    columns = {cell.column_place: (cell.sae_b, short_label(cell.alias_b, cell.layer_b)) for cell in cells}
    return GridTable(
        head=head,
        rows=tuple(rows[place] for place in sorted(rows)),
        columns=tuple(columns[place] for place in sorted(columns)),
        cells={(cell.row_place, cell.column_place): cell for cell in cells},
    )


def other_metrics(atlas: Atlas, score_id: int) -> list[tuple[str, float]]:
    """(metric, score) of the other metrics on the same pairs of features, the newest of each."""
    return atlas.fetch("browse/grid_beside", score=score_id).rows  # type: ignore[return-value]


def short_label(alias: str, layer: int | None) -> str:
    return alias if layer is None else f"{alias} L{layer}"
