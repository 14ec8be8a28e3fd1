"""Which SAEs are in this atlas, and which of them were compared?"""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar

from textual.app import ComposeResult

from atlas.queries.browse_records import Pairing, Scan
from atlas.render.numbers import correlation, count, percent
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.lines import Lines
from tui.view import View
from tui.vtable import Column, VTable

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
    HINTS: ClassVar = (("⏎", "features"), ("1", "browse"), ("2", "pairs"), ("j/k", "move"), ("y", "copy name"))

    def compose(self) -> ComposeResult:
        """The table, and the comparisons below."""
        yield VTable(COLUMNS, id="scans")
        yield Lines(id="pairings")

    def enter(self) -> None:
        """Focus the table."""
        self.query_one(VTable).focus()

    def reload(self) -> None:
        """Show the catalogue that the application holds."""
        scans, pairings, table = self.browser.scans, self.browser.pairings, self.query_one(VTable)
        table.reset(len(scans), cursor=table.cursor, message="no SAE here yet – featlas demo, or featlas ingest --help")
        table.styles.height = max(4, len(scans) + 2)
        self.query_one("#pairings", Lines).show(lambda _: comparison_lines(scans, pairings))

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

    def reference(self) -> str | None:
        """Name of the SAE under the cursor."""
        table = self.query_one(VTable)
        return self.browser.scans[table.cursor].sae if table.n_rows else None

    def status(self) -> tuple[Line, Line]:
        """How much there is."""
        scans = self.browser.scans
        features = sum(scan.d_sae for scan in scans)
        return [
            Span(f" {len(scans)} scans · {count(features)} features · {len(self.browser.pairings)} comparisons")
        ], []


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


def comparison_lines(scans: list[Scan], pairings: list[Pairing]) -> list[Line]:
    """Every comparison with its chance level, then what could be compared and was not."""
    if not scans:
        return []
    lines: list[Line] = [[], [Span(" comparisons", tone="strong"), Span("   median best r · by chance", tone="dim")]]
    for pairing in pairings:
        names = f" {pairing.alias_a} ↔ {pairing.alias_b}"
        numbers = f"   {correlation(pairing.median_best, digits=3)} · {correlation(pairing.chance, digits=3)}"
        sample = f"   {clean(pairing.corpus)}, {count(pairing.n_tokens)} tokens"
        lines.append([Span(names), Span(numbers, tone="strong"), Span(sample, tone="dim")])
    missing = [
        (a.alias, b.alias)
        for a, b in combinations(scans, 2)
        if a.corpus == b.corpus and a.sae != b.sae and not any(p.between(a.sae, b.sae) for p in pairings)
    ]
    if missing:
        first = " ".join(missing[0])
        names = "  ".join(f"{a}↔{b}" for a, b in missing[:8]) + (" …" if len(missing) > 8 else "")
        lines.append([Span(f" missing: {names}", tone="dim"), Span(f"   featlas correlate {first}")])
    return lines
