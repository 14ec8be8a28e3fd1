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
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, TextColumn("eta"), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(title: str, unit: str, *, every_s: float = 10.0) -> Report:
    """Plain lines with the rate and the time left; the clock starts at the first report, when all is loaded."""
    started = last = 0.0
    done_before = 0

    def report(done: int, total: int) -> None:
        nonlocal started, last, done_before
        now = time.monotonic()
        if not started:
            started, last, done_before = now, now, done
        if now - last < every_s or done <= done_before:
            return
        last = now
        rate = (done - done_before) / (now - started)
        click.echo(f"{title}  {done:,}/{total:,} {unit}  {rate:,.0f}/s  eta {(total - done) / rate:,.0f} s", err=True)

    return report
