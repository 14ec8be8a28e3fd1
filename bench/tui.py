"""Latency of the browser in a pseudo-terminal, from the key that is written to the byte that shows its effect.

Run: python bench/make_atlas.py big.duckdb --saes 4 --d-sae 32768
     python bench/tui.py big.duckdb
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

try:
    from bench.terminal import Terminal
except ImportError:  # as a script: its own folder is on the path
    from terminal import Terminal

QUIET = 0.35
"""Seconds without a byte after which an action has ended."""

BUDGETS = {"start to rows": 1200, "cursor key": 16, "page": 33, "detail": 100, "sort": 150, "filter": 100}
"""Milliseconds, medians, on an idle machine of two cores."""


@dataclass(frozen=True, slots=True)
class Table:
    """The feature table as it stands on a screen."""

    lines: list[str]

    @property
    def rows(self) -> list[str]:
        """Rows below the header, without the pane to their right."""
        at = next((i for i, line in enumerate(self.lines) if "density" in line and "feat" in line), None)
        if at is None:
            return []
        return [line.split("│")[0].rstrip() for line in self.lines[at + 1 : -2]]

    @property
    def cursor(self) -> int | None:
        """Line of the row under the cursor."""
        return next((i for i, row in enumerate(self.rows) if row.startswith("▸")), None)

    @property
    def read(self) -> bool:
        """All rows are there."""
        return self.cursor is not None and not any(row[:2].strip("▸ ") == "·" for row in self.rows)


def measured(terminal: Terminal, keys: bytes, reached: Callable[[Table, Table], bool]) -> tuple[float, float]:
    """Milliseconds from keys to what they should show, and to the last byte."""
    before = Table(terminal.lines)
    pressed = terminal.press(keys)
    chunks = terminal.chunks(quiet=QUIET)
    shown = terminal.draw(chunks, lambda lines: reached(before, Table(lines)))
    if shown is None:
        raise RuntimeError(f"{keys!r} did not show:\n" + "\n".join(terminal.lines))
    return 1000 * (shown - pressed), 1000 * (chunks[-1][0] - pressed)


def other_rows(before: Table, now: Table) -> bool:
    """The first row is another one, and all are read."""
    return now.read and now.rows[0][1:] != before.rows[0][1:]


def other_list(before: Table, now: Table) -> bool:
    """The status line counts other rows, and all that show are read."""
    return now.read and now.lines[-2] != before.lines[-2]


def run(path: Path, columns: int, rows: int, repeats: int) -> dict[str, list[float]]:
    """Times of every action in one size of terminal, in milliseconds."""
    found: dict[str, list[float]] = {name: [] for name in BUDGETS}
    command = [sys.executable, "-c", "from atlas.cli import main; main()", "--db", str(path), "tui", "--fresh"]
    terminal = Terminal(command, columns=columns, rows=rows, env={"COLORTERM": "truecolor"})
    chunks = terminal.chunks(quiet=2.0)
    shown = terminal.draw(chunks, lambda lines: Table(lines).read)
    if shown is None:
        raise RuntimeError("no rows:\n" + "\n".join(terminal.lines))
    found["start to rows"].append(1000 * (shown - terminal.started))
    for _ in range(repeats):
        row, settled = measured(terminal, b"j", lambda before, now: now.cursor != before.cursor)
        found["cursor key"].append(row)
        if columns >= 100:
            found["detail"].append(settled)
        found["page"].append(measured(terminal, b"\x1b[6~", other_rows)[0])
        measured(terminal, b"g", other_rows)
    for _ in range(max(3, repeats // 4)):
        found["sort"].append(measured(terminal, b"s", other_rows)[0])
        terminal.press(b"/")
        terminal.draw(terminal.chunks(quiet=QUIET), lambda lines: True)
        found["filter"].append(measured(terminal, b"w", other_list)[0])
        measured(terminal, b"\x1b", lambda before, now: True)
        measured(terminal, b"\x1b", other_list)
    terminal.press(b"q")
    terminal.exit_code()
    return {name: times for name, times in found.items() if times}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--starts", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{'':<18}{'80x24 median':>14}{'worst':>9}{'120x36 median':>16}{'worst':>9}{'budget':>10}   ms")
    sizes = [[run(arguments.path, c, r, arguments.repeats) for _ in range(arguments.starts)] for c, r in SIZES]
    for name, budget in BUDGETS.items():
        cells = []
        for runs in sizes:
            times = [time for found in runs for time in found.get(name, [])]
            cells += [f"{statistics.median(times):.0f}", f"{max(times):.0f}"] if times else ["·", "·"]
        print(f"{name:<18}{cells[0]:>14}{cells[1]:>9}{cells[2]:>16}{cells[3]:>9}{budget:>10}")


SIZES = ((80, 24), (120, 36))

if __name__ == "__main__":
    main()
