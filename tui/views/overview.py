"""Which SAEs are in this atlas, what was computed of them, and what is missing?"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from atlas.queries.browse_records import Scan
from atlas.queries.overview import Overview, overview
from atlas.render.numbers import count, percent
from atlas.render.overview import overview_lines
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.views.base.view import View
from tui.widgets.lines import Lines
from tui.widgets.vtable import Column, VTable

COLUMNS = (
    Column("SAE", 3),
    Column("name", 18, grow=3),
    Column("model", 10, grow=1, spare=5),
    Column("hook", 12, grow=1, spare=6),
    Column("features", 9, right=True),
    Column("alive", 7, right=True, spare=1),
    Column("dense", 5, right=True, spare=4),
    Column("L0", 6, right=True, spare=2),
    Column("FVU", 5, right=True, spare=3),
    Column("corpus", 9, grow=1),
    Column("tokens", 11, right=True),
)


class OverviewView(View):
    """The SAEs of the atlas, each on the corpora it was measured on, and their comparisons."""

    NAME = "SAEs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "scroll_rest(1)", "scroll what is below the table", id="overview.down"),
        Binding("shift+tab", "scroll_rest(-1)", "scroll it back", id="overview.up"),
    ]
    HINTS: ClassVar = (
        ("⏎", "features"),
        ("1", "browse"),
        ("2", "pairs"),
        ("j/k", "move"),
        ("tab", "scroll"),
        ("y", "copy name"),
    )

    def __init__(self, *, id: str) -> None:
        """Nothing to show yet."""
        super().__init__(id=id)
        self._held: Overview | None = None

    def compose(self) -> ComposeResult:
        """The table, and the comparisons below."""
        yield VTable(COLUMNS, id="scans")
        yield Lines(id="pairings")

    def enter(self) -> None:
        """Focus the table."""
        self.query_one(VTable).focus()

    def reload(self) -> None:
        """Show the catalogue that the application holds, then ask for the rest."""
        scans, table = self.browser.scans, self.query_one(VTable)
        nothing = self.browser.nothing_here().replace("no features", "no SAE")
        table.reset(len(scans), cursor=table.cursor, message=nothing)
        table.styles.height = max(4, len(scans) + 2)
        self._draw()
        self.read(overview, self._take, group="rest")

    def _take(self, held: Overview) -> None:
        """Matchings, scores, grids and what is missing were read."""
        self._held = held
        self._draw()

    def _draw(self) -> None:
        """Fill the pane below the table."""
        scans, pairings, held = self.browser.scans, self.browser.pairings, self._held
        self.query_one(Lines).show(lambda size: overview_lines(scans, pairings, held, size.width))

    def on_vtable_wanted(self, message: VTable.Wanted) -> None:
        """All scans are in memory: hand them over."""
        table = message.table
        window = table.missing()
        if window is not None:
            table.deliver(table.generation, window, [_cells(scan) for scan in self.browser.scans])

    def on_vtable_moved(self, message: VTable.Moved) -> None:
        """Nothing follows the cursor here but the status line."""
        self.browser.refresh_bars()

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        """Browse the features of one scan."""
        self.browser.browse_scan(self.browser.scans[message.row])

    def action_scroll_rest(self, pages: int) -> None:
        """Scroll what is below the table."""
        pane = self.query_one(Lines)
        pane.scroll_relative(y=pages * max(1, pane.size.height - 1), animate=False)

    def reference(self) -> str | None:
        """Name of the SAE under the cursor."""
        table = self.query_one(VTable)
        return self.browser.scans[table.cursor].sae if table.n_rows else None

    def status(self) -> tuple[Line, Line]:
        """How much there is: an SAE that was measured twice is one SAE and two scans."""
        scans = self.browser.scans
        sizes = {scan.sae: scan.d_sae for scan in scans}
        counts = (
            (len(sizes), "SAEs"),
            (len(scans), "scans"),
            (sum(sizes.values()), "features"),
            (len(self.browser.pairings), "comparisons"),
        )
        return [Span(" " + " · ".join(f"{count(n)} {name[:-1] if n == 1 else name}" for n, name in counts))], []


def _cells(scan: Scan) -> tuple[str, ...]:
    """One line of the table."""
    return (
        scan.alias,
        clean(scan.sae),
        clean(scan.model),
        clean(scan.hook_name.removeprefix("blocks.").replace(".hook_", ".")),
        count(scan.d_sae),
        percent(scan.n_alive / scan.d_sae),
        count(scan.n_dense),
        f"{scan.l0:.1f}",
        "·" if scan.fvu is None else f"{scan.fvu:.3f}",
        clean(scan.corpus),
        count(scan.n_tokens),
    )
