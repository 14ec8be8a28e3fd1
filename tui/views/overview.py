"""Which SAEs are in this atlas, what was computed of them, and what is missing?"""

from __future__ import annotations

from textual.app import ComposeResult

from atlas.queries.overview import Overview, overview
from atlas.render.columns import SCANS
from atlas.render.numbers import count
from atlas.render.overview import overview_lines
from atlas.render.spans import Line, Span
from tui.views.base.view import View
from tui.widgets.lines import Lines
from tui.widgets.vtable import VTable


class OverviewView(View, keys="overview"):
    """The SAEs of the atlas, each on the corpora it was measured on, and their comparisons."""

    NAME = "SAEs"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._held: Overview | None = None

    def compose(self) -> ComposeResult:
        yield VTable(SCANS, id="scans")
        yield Lines(id="pairings")

    def enter(self) -> None:
        self.query_one(VTable).focus()

    def reload(self) -> None:
        """Show the catalogue that the application holds, then ask for the rest."""
        self.rows = scans = self.catalogue.scans
        table = self.query_one(VTable)
        nothing = self.catalogue.nothing_here().replace("no features", "no SAE")
        table.reset(len(scans), cursor=table.cursor, message=nothing)
        table.styles.height = max(4, len(scans) + 2)
        self._draw()
        self.read(overview, self._take, group="rest")

    def _take(self, held: Overview) -> None:
        self._held = held
        self._draw()

    def _draw(self) -> None:
        scans, pairings, held = self.catalogue.scans, self.catalogue.pairings, self._held
        self.query_one(Lines).show(lambda size: overview_lines(scans, pairings, held, size.width))

    def on_vtable_chosen(self, message: VTable.Chosen) -> None:
        self.browser.ways.browse_scan(self.catalogue.scans[message.row])

    def action_scroll_rest(self, pages: int) -> None:
        self.scroll_pages(self.query_one(Lines), pages)

    def reference(self) -> str | None:
        table = self.query_one(VTable)
        return self.catalogue.scans[table.cursor].sae if table.n_rows else None

    def status(self) -> tuple[Line, Line]:
        """How much there is: an SAE that was measured twice is one SAE and two scans."""
        scans = self.catalogue.scans
        sizes = {scan.sae: scan.d_sae for scan in scans}
        counts = {
            "SAE": len(sizes),
            "scan": len(scans),
            "feature": sum(sizes.values()),
            "comparison": len(self.catalogue.pairings),
        }
        return [Span(" " + " · ".join(f"{count(n)} {name}{'s' * (n != 1)}" for name, n in counts.items()))], []
