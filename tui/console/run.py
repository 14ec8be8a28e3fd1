"""One query while it runs: its time, and how it is stopped."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from atlas.errors import AtlasError
from atlas.queries import console
from atlas.queries.console import Cancelled, Result, SqlError
from atlas.render.spans import Line, Span

if TYPE_CHECKING:
    import duckdb

    from atlas.db import Atlas

QUICK = 0.15
"""Seconds after which the status line says that a query runs."""

LATE = 5
"""Seconds after which it says how to stop it."""


class SqlRun:
    """Made by the screen, answered in a worker thread, stopped from the screen."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._began = time.monotonic()
        self._con: duckdb.DuckDBPyConnection | None = None
        self._stopping = False

    def answer(self, atlas: Atlas) -> Result | AtlasError:
        """Runs in the worker thread; what is wrong with the SQL is an answer too."""
        try:
            return console.run_sql(atlas, self.text, self._hold)
        except (SqlError, Cancelled) as error:
            return error

    def _hold(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def stop(self) -> None:
        """Interrupt the query."""
        import duckdb

        self._stopping = True
        if self._con is not None:
            with suppress(duckdb.ConnectionException):  # it ended by itself
                self._con.interrupt()

    def tick(self) -> None:
        if self._stopping:
            self.stop()

    def line(self) -> Line:
        """The time for the status line; nothing of a quick query."""
        seconds = time.monotonic() - self._began
        if seconds < QUICK:
            return []
        late = " – esc cancels" if seconds > LATE else ""
        return [Span(f" {'|/-'[int(seconds * 8) % 3]} running {seconds:.1f} s{late}", tone="strong")]
