"""The atlas behind the views: opened in a thread after the first paint, closed for writers, opened again."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.app import App
from textual.worker import get_current_worker

from tui.app.bars import Bars
from tui.kit.browser import Answered
from tui.kit.catalogue import Catalogue
from tui.kit.store import Store

POLL = 0.5
"""Seconds between two looks for a writer that waits."""

IDLE = 600.0
"""Seconds without a key after which the file is closed."""


class Tending:
    """Opens the file, and closes it when a writer asks or nobody is here."""

    def __init__(self, app: App[None], store: Store, bars: Bars, arrived: Callable[[Catalogue], None]) -> None:
        """Nothing is opened yet; `arrived` takes the catalogue when it was read, for the first time or again."""
        self._app, self._store, self._bars, self._arrived = app, store, bars, arrived
        self._touched = time.monotonic()

    def open(self) -> None:
        self._in_thread(self._read, "catalogue")

    def touch(self) -> None:
        self._touched = time.monotonic()
        if self._store.state.kind == "resting":
            self.come_back()

    def look(self) -> None:
        """Close the file for a writer or when nobody is here; reopen it after a writer or when it was replaced."""
        kind = self._store.state.kind
        if kind == "open" and self._store.asked_to_leave():
            self._in_thread(self._store.release, "tend")
        elif kind == "open" and self._store.replaced():
            self._in_thread(self._reopen, "tend")
        elif kind == "open" and time.monotonic() - self._touched > IDLE and not self._store.is_asked_beside:
            self._in_thread(lambda: self._rest(f"after {IDLE / 60:.0f} minutes without a key"), "tend")
        elif kind in ("released", "unavailable"):
            self.come_back()
        self._bars.refresh()

    def let_go(self) -> None:
        self._in_thread(lambda: self._rest("so that others may write"), "tend")

    def come_back(self) -> None:
        self._in_thread(self._come_back, "tend")

    def _in_thread(self, job: Callable[[], None], group: str) -> None:
        self._app.run_worker(job, group=group, exclusive=True, thread=True, exit_on_error=False)

    def _read(self) -> None:
        found = self._store.ask(Catalogue.of)
        self._app.post_message(Answered(get_current_worker(), self._arrived, found))

    def _rest(self, why: str) -> None:
        self._store.rest(why)
        self._app.call_from_thread(self._bars.refresh)

    def _come_back(self) -> None:
        if self._store.come_back():
            self._read()

    def _reopen(self) -> None:
        self._store.close()
        self._come_back()
        said = f"{self._store.path.name} was replaced by another file, and was read again"
        self._app.call_from_thread(self._bars.flash, said)
