"""The atlas behind the views: opened in a thread after the first paint, lent to writers, opened again."""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import TYPE_CHECKING

from textual.events import Event, Key, MouseDown
from textual.worker import Worker, WorkerState, get_current_worker

from atlas.queries import browse, overview
from atlas.queries.browse_records import Pairing, Scan
from tui.app.shell import Shell
from tui.kit.messages import Answered

if TYPE_CHECKING:
    from atlas.db import Atlas

POLL = 0.5
"""Seconds between two looks for a writer that waits."""

IDLE = 600.0
"""Seconds without a key after which the file is let go of."""


class Catalogue(Shell):
    """Knows which scans and which comparisons there are."""

    scans: list[Scan]
    pairings: list[Pairing]
    _touched: float
    _unmeasured: list[str]
    """Names of the SAEs, if none was measured."""
    is_read = False
    """The catalogue was read, however little it holds."""

    @abstractmethod
    def arrived(self) -> None:
        """The catalogue was read, for the first time or again."""

    def nothing_here(self) -> str:
        """Why there is no feature, and what to type."""
        if not self.is_read or not self._unmeasured:
            return "no features here yet – run: featlas demo, or ingest"
        n = len(self._unmeasured)
        return f"{n} SAE{'s' if n > 1 else ''}, none measured yet – featlas ingest --help"

    def open_atlas(self) -> None:
        """Read the catalogue in a thread; the views follow."""
        self._in_thread(self._read_catalogue, "catalogue")

    def _in_thread(self, job: object, group: str) -> None:
        """Run something that waits for the database."""
        self.run_worker(job, group=group, exclusive=True, thread=True, exit_on_error=False)  # type: ignore[arg-type]

    def _read_catalogue(self) -> None:
        """Runs in the worker thread."""
        found = self.store.ask(_catalogue)
        self.post_message(Answered(get_current_worker(), self._show_catalogue, found))

    def on_answered(self, message: Answered) -> None:
        """Show what a worker has read."""
        message.deliver()
        self.refresh_bars()

    def _show_catalogue(self, found: tuple[list[Scan], list[Pairing], list[str]]) -> None:
        """The atlas is open: let every view read."""
        self.scans, self.pairings, self._unmeasured = found
        self.is_read = True
        self.arrived()

    def tend(self) -> None:
        """Let go of the file when a writer asks or nobody is here; come back when it has gone, or is another."""
        kind = self.store.state.kind
        if kind == "open" and self.store.asked_to_leave():
            self._in_thread(self.store.release, "tend")
        elif kind == "open" and self.store.replaced():
            self._in_thread(self._reopen, "tend")
        elif kind == "open" and time.monotonic() - self._touched > IDLE and not self.store.is_asked_beside:
            self._in_thread(lambda: self._rest(f"after {IDLE / 60:.0f} minutes without a key"), "tend")
        elif kind in ("released", "unavailable"):
            self._in_thread(self._come_back, "tend")
        self.refresh_bars()

    def let_go(self) -> None:
        """Close the file until the next key."""
        self._in_thread(lambda: self._rest("so that others may write"), "tend")

    def _rest(self, why: str) -> None:
        """Runs in the worker thread: close the file and say so."""
        self.store.rest(why)
        self.call_from_thread(self.refresh_bars)

    def come_back(self) -> None:
        """Open the file again."""
        self._in_thread(self._come_back, "tend")

    def _come_back(self) -> None:
        """Runs in the worker thread: open the file again, then read what may have changed."""
        if self.store.come_back():
            self._read_catalogue()

    def _reopen(self) -> None:
        """Runs in the worker thread: another file stands where ours stood."""
        self.store.close()
        self._come_back()
        self.call_from_thread(self.flash, f"{self.store.path.name} was replaced by another file, and was read again")

    async def on_event(self, event: Event) -> None:
        """Note that somebody is here; a file that rests is opened again."""
        if isinstance(event, Key | MouseDown):
            self._touched = time.monotonic()
            if self.store.state.kind == "resting":
                self.come_back()
            if (
                self._flash
                and not event.is_forwarded
                and (not self.typing or getattr(event, "key", "") in ("enter", "escape"))
            ):
                self.flash("")
        await super().on_event(event)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Workers of the application itself."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.report(event.worker.error)

    def now(self, scan: Scan) -> Scan | None:
        """A scan as it is now: one that was measured again has another number."""
        return self.scan_of(scan.sae, scan.corpus)

    def scan_of(self, sae: str, corpus: str) -> Scan | None:
        """A scan by names."""
        return next((scan for scan in reversed(self.scans) if (scan.sae, scan.corpus) == (sae, corpus)), None)


def _catalogue(atlas: Atlas) -> tuple[list[Scan], list[Pairing], list[str]]:
    """Scans and comparisons; where nothing was measured, the SAEs that could be."""
    scans = browse.scans(atlas)
    return scans, browse.pairings(atlas), [] if scans else [sae.alias for sae in overview.unmeasured(atlas)]
