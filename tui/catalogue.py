"""The atlas behind the views: opened in a thread after the first paint, lent to writers, opened again."""

from __future__ import annotations

from abc import abstractmethod

from textual.worker import Worker, WorkerState, get_current_worker

from atlas.queries import browse
from atlas.queries.browse_records import Pairing, Scan
from tui.messages import Answered
from tui.shell import Shell

POLL = 0.5
"""Seconds between two looks for a writer that waits."""


class Catalogue(Shell):
    """Knows which scans and which comparisons there are."""

    scans: list[Scan]
    pairings: list[Pairing]

    @abstractmethod
    def arrived(self) -> None:
        """The catalogue was read, for the first time or again."""

    def open_atlas(self) -> None:
        """Read the catalogue in a thread; the views follow."""
        self.run_worker(self._read_catalogue, group="catalogue", exclusive=True, thread=True, exit_on_error=False)

    def _read_catalogue(self) -> None:
        """Runs in the worker thread."""
        found = self.store.ask(lambda atlas: (browse.scans(atlas), browse.pairings(atlas)))
        self.post_message(Answered(get_current_worker(), self._show_catalogue, found))

    def on_answered(self, message: Answered) -> None:
        """Show what a worker has read."""
        message.deliver()
        self.refresh_bars()

    def _show_catalogue(self, found: tuple[list[Scan], list[Pairing]]) -> None:
        """The atlas is open: let every view read."""
        self.scans, self.pairings = found
        self.arrived()

    def tend(self) -> None:
        """Let go of the file when a writer asks; come back when it has gone."""
        kind = self.store.state.kind
        if kind == "open" and self.store.asked_to_leave():
            self.run_worker(self.store.release, group="tend", exclusive=True, thread=True, exit_on_error=False)
        elif kind in ("released", "unavailable"):
            self.run_worker(self._come_back, group="tend", exclusive=True, thread=True, exit_on_error=False)
        self.refresh_bars()

    def _come_back(self) -> None:
        """Runs in the worker thread: open the file again, then read what may have changed."""
        if self.store.come_back():
            self._read_catalogue()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Workers of the application itself."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.report(event.worker.error)

    def scan_of(self, sae: str, corpus: str) -> Scan | None:
        """A scan by names."""
        return next((scan for scan in reversed(self.scans) if (scan.sae, scan.corpus) == (sae, corpus)), None)
