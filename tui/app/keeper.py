"""Saves the state of the browser, and exits cleanly on a signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from atlas.catalog.remembered import Remembered, load, save


class Keeper:
    """Writes at the end, and a moment after a mark, a filter or a scope has changed."""

    def __init__(self, path: Path | None, left: Callable[[], Remembered | None]) -> None:
        """Nothing was written yet; without a `path` nothing ever is.

        `left` gives the state of the browser; None if the atlas was never open: then the file stays as it is.
        """
        self.path = path
        self._left = left
        self._written: Remembered | None = None
        self.kept: frozenset[tuple[str, int]] = frozenset()
        """Marks as the file has them."""

    def keep(self) -> None:
        if self.path is not None and (now := self._left()):
            self._write(self.path, now)

    def look(self) -> None:
        """Write if more has changed than the place of the cursor."""
        if self.path is None or not (now := self._left()):
            return
        old = self._written
        if old is None or replace(now, view=old.view, cursor=old.cursor) != old:
            self._write(self.path, now)

    def _write(self, path: Path, state: Remembered) -> None:
        """Write the file; marks that another browser of this atlas made or took away meanwhile stay as it left them."""
        self._written, now = state, frozenset(state.marks)
        marks = (set(load(path)[0].marks) | now - self.kept) - (self.kept - now)
        self.kept = now
        save(path, replace(state, marks=tuple(sorted(marks))))


def leave_at_signals(leave: Callable[[], None]) -> None:
    """Exit cleanly on a signal or when the terminal goes away; does nothing where signals are not available."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(getattr(signal, name), leave)
