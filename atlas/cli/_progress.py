"""Progress on stderr: a bar with ETA on a terminal, a line every ten seconds elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Report = Callable[[int, int], None]


@contextmanager
def progress(title: str, unit: str, *, quiet: bool = False) -> Iterator[Report]:
    """Give a function `report(done, total)` that may be called as often as one likes.

    Args:
        title: What is going on.
        unit: What is counted, in the plural.
        quiet: Show nothing.
    """
    if quiet:
        yield lambda done, total: None
    elif sys.stderr.isatty():
        with _bar(title, unit) as report:
            yield report
    else:
        yield _lines(title, unit)


@contextmanager
def _bar(title: str, unit: str) -> Iterator[Report]:
    """A rich progress bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn())
    with Progress(*columns, TextColumn("eta"), TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(title: str, unit: str, *, every_s: float = 10.0) -> Report:
    """Plain lines with the rate and the time left."""
    started = last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < every_s or not done:
            return
        last = now
        left = (now - started) / done * (total - done)
        click.echo(f"{title}  {done:,}/{total:,} {unit}  {done / (now - started):,.0f}/s  eta {left:,.0f} s", err=True)

    return report
