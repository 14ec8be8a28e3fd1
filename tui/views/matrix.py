"""How alike are these layers? A stored grid of scores with what judges each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from textual.app import ComposeResult
from textual.events import Click
from textual.geometry import Size

from atlas.queries import grids
from atlas.queries.grids import GridHead, GridTable
from atlas.render.grid import LOOKS, Look, grid_lines
from atlas.render.heatmap import SCALES
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.view import View, following
from tui.widgets.lines import Lines

EMPTY = "no grid in this atlas – run: featlas matrix svcca --rows 'A,B' --cols 'C,D'"


class GridPane(Lines, can_focus=True, inherit_bindings=False):
    """Where the grid is drawn; the view holds the keys."""


class MatrixView(View, keys="matrix"):
    """One grid at a time; the lines below follow the cursor."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.heads: list[GridHead] | None = None
        self.grid: GridTable | None = None
        self.at = (0, 0)
        self._look = Look()
        self._others: list[tuple[str, float]] = []

    def compose(self) -> ComposeResult:
        yield GridPane(id="grid-pane")

    @property
    def pane(self) -> GridPane:
        return self.query_one(GridPane)

    def enter(self) -> None:
        self.pane.focus()
        if self.heads is None:
            self.reload()

    def reload(self) -> None:
        """Read the list of grids again, and the one that is shown."""
        if self.browser.is_front(self):
            self.read(grids.grid_heads, self._take_heads, group="grids")
        else:
            self.heads = None

    def _take_heads(self, heads: list[GridHead]) -> None:
        self.heads = heads
        place = self._place()
        if place is None:
            self.grid = None  # it was computed again, or is gone: its cells are those of nothing that is stored
        if heads:
            self._read_grid(heads[place or 0])
        else:
            self.drop("cells")
            self._draw()

    def show_metric(self, metric: str) -> None:
        self.read(grids.grid_heads, partial(self._take_metric, metric), group="grids")

    def _take_metric(self, metric: str, heads: list[GridHead]) -> None:
        self.heads = heads
        found = next((head for head in heads if head.metric == metric), None)
        if found is not None:
            self._read_grid(found)
            return
        self._take_heads(heads)
        stored = ", ".join(dict.fromkeys(head.metric for head in heads)) or "none"
        self.browser.flash(f"no matrix of {metric!r}; stored: {stored}")

    def show_sae(self, sae: str) -> None:
        self.read(grids.grid_heads, partial(self._take_sae, sae), group="grids")

    def _take_sae(self, sae: str, heads: list[GridHead]) -> None:
        self.heads = heads
        if heads:
            self._read_grid(heads[self._place() or 0], partial(self._put_sae, sae))

    def _put_sae(self, sae: str, grid: GridTable) -> None:
        self.grid = grid
        rows, columns = [name for name, _ in grid.rows], [name for name, _ in grid.columns]
        if sae in rows:
            self._put(rows.index(sae), self.at[1])
        elif sae in columns:
            self._put(self.at[0], columns.index(sae))
        else:
            self._put(*self.at)
            self.browser.flash(f"{sae} is not in this grid – tab shows others")

    def _place(self) -> int | None:
        """Index of the shown grid among the stored ones; None if it is not among them."""
        shown = self.grid.head.grid_id if self.grid else None
        return next((place for place, head in enumerate(self.heads or ()) if head.grid_id == shown), None)

    def _read_grid(self, head: GridHead, then: Callable[[GridTable], None] | None = None) -> None:
        self.read(lambda atlas: grids.grid_table(atlas, head), then or self._take_grid, group="cells")

    def _take_grid(self, grid: GridTable) -> None:
        self.grid = grid
        self._put(*self.at)

    def _put(self, row: int, column: int) -> None:
        if self.grid is None:
            return
        row = max(0, min(row, len(self.grid.rows) - 1))
        column = max(0, min(column, len(self.grid.columns) - 1))
        self.at, self._others = (row, column), []
        self._draw()
        cell = self.grid.at(row, column)
        if cell is not None and cell.score_id is not None:
            ask = partial(grids.other_metrics, score_id=cell.score_id)
            self.read(ask, self._take_others, group="others")

    def _take_others(self, others: list[tuple[str, float]]) -> None:
        self._others = others
        if others:
            self._draw()

    def _draw(self) -> None:
        grid, at, others = self.grid, self.at, self._others
        look = replace(self._look, colour=self.browser.styler.colour)

        def fitted(size: Size) -> list[Line]:
            return [[], [Span(f" {EMPTY}")]] if grid is None else grid_lines(grid, at, look, size, others)

        self.pane.show(fitted)
        self.browser.refresh_bars()

    def action_move(self, rows: int, columns: int) -> None:
        self._put(self.at[0] + rows, self.at[1] + columns)

    def action_edge(self, row: int) -> None:
        if self.grid is not None:
            self._put(row % len(self.grid.rows), self.at[1])

    def action_other(self, step: int) -> None:
        place = self._place()
        if place is not None and self.heads:
            self._read_grid(self.heads[(place + step) % len(self.heads)])

    def action_look(self) -> None:
        """The next way of drawing."""
        if self.grid is not None:
            look = self._look = replace(self._look, how=following([None, *LOOKS], self._look.how))
            self._draw()
            self.browser.flash(f"drawn as {look.how or 'what fits'}")

    def action_scale(self, scale: str) -> None:
        back = self._look.scale == scale
        self._look = replace(self._look, scale=next(s for s in SCALES if s == ("fixed" if back else scale)))
        self._draw()

    def action_open(self) -> None:
        """The matched pairs of the cell."""
        cell = self.grid.at(*self.at) if self.grid else None
        if cell is None:
            return
        corpus = cell.corpus or next((scan.corpus for scan in self.catalogue.scans if scan.sae == cell.sae_a), "")
        self.browser.ways.open_pairs(cell.sae_a, cell.sae_b, corpus, cell.corpus_b or corpus)

    def on_click(self, event: Click) -> None:
        self.pane.focus()

    def command(self) -> list[str] | None:
        query = self.sql()
        return ["sql", query] if query else None

    def sql(self) -> str | None:
        return f"from grids where grid = {self.grid.head.grid_id}" if self.grid else None

    def reference(self) -> str | None:
        """The pair of SAEs with its score."""
        cell = self.grid.at(*self.at) if self.grid else None
        if self.grid is None or cell is None:
            return None
        value = "" if cell.value is None else f" {cell.value:.6g}"
        return f"{cell.sae_a}={cell.sae_b} {self.grid.head.metric}{value}"

    def crumbs(self) -> list[str]:
        return ["matrix", *([self.grid.head.metric] if self.grid else [])]

    def corner(self) -> Line:
        """Which grid of how many."""
        place = self._place()
        if place is None or self.grid is None or not self.heads:
            return []
        return [Span(f"grid {self.grid.head.grid_id} · {place + 1} of {len(self.heads)}  ", tone="dim")]

    def status(self) -> tuple[Line, Line]:
        """How many cells, and how many lack a score."""
        if self.grid is None:
            return [], []
        head, scale = self.grid.head, self._look.scale
        without = head.n_cells - head.n_scored
        missing = f" · {count(without)} without a score (?)" if without else ""
        row, column = self.at
        left = f" {count(head.n_cells)} cells{missing} · {clean(str(head.created_at)[:16])}"
        shades = {"fixed": "0 to 1", "fit": "fitted", "rows": "by row"}[scale]
        return [Span(left, tone="dim")], [Span(f"shades {shades} · row {row + 1} column {column + 1} ")]
