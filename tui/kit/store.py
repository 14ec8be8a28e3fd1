"""The atlas behind all screens, opened late, read from worker threads, closed when a writer asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from atlas.errors import AtlasError, AtlasUnavailable

if TYPE_CHECKING:
    from atlas.db import Atlas

Answer = TypeVar("Answer")
Question = Callable[["Atlas"], Answer]


class Cancelled(AtlasError):
    """A query that the user cancelled."""


@dataclass(frozen=True, slots=True)
class State:
    """State of the database file."""

    kind: Literal["opening", "open", "released", "resting", "unavailable"]
    """`released`: closed for a writer, reopens by itself; `resting`: closed until the next key."""
    message: str = ""
    """One sentence for the status line; empty while it is open."""


class Store:
    """Read-only access to one atlas. `ask` and `come_back` block: call them from worker threads."""

    def __init__(self, path: Path, *, wait: float = 0) -> None:
        """Nothing is opened yet; the first opening waits `wait` seconds for a locked file."""
        self.path = path
        self.state = State("opening", f"opening {path.name} …")
        self._wait = wait
        self._atlas: Atlas | None = None
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)
        self._beside: list[Callable[[], None]] = []
        self._file: tuple[int, int] | None = None
        self._asked_at: float | None = None
        self._timings: list[float] = []

    def ask(self, question: Question[Answer]) -> Answer:
        """Run a query function; opens the file if it is not open.

        Raises:
            AtlasUnavailable: It is missing, locked, closed for others, or not an atlas.
            Cancelled: The user cancelled the query.
        """
        import duckdb

        with self._lock:
            atlas = self._ready()
            self._asked_at = time.monotonic()
            try:
                return question(atlas)
            except duckdb.InterruptException as error:
                raise Cancelled("cancelled") from error
            finally:
                self._timings = [*self._timings[-7:], 1000 * self.busy_for()]
                self._asked_at = None

    def ask_beside(self, question: Question[Answer], *, stop: Callable[[], None]) -> Answer:
        """Run a query function on its own connection, so that a slow one does not block the others.

        `stop` ends it: called, from any thread and more than once, when the file has to be closed.
        """
        from atlas.db import Atlas

        with self._lock:
            atlas = self._ready()
            own = Atlas(atlas.path, atlas.con.cursor(), writable=False)
            self._beside.append(stop)
        try:
            return question(own)
        finally:
            own.close()
            with self._left:
                self._beside.remove(stop)
                self._left.notify_all()

    @property
    def is_asked_beside(self) -> bool:
        return bool(self._beside)

    def timings(self) -> list[str]:
        return ["last questions: " + "  ".join(f"{ms:.0f} ms" for ms in self._timings)] if self._timings else []

    def busy_for(self) -> float:
        """Seconds that the running query has taken so far; 0 if there is none."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else time.monotonic() - asked_at

    def cancel(self) -> None:
        if self._atlas is not None and self._asked_at is not None:
            self._atlas.con.interrupt()

    def asked_to_leave(self) -> bool:
        """Whether a writer is waiting. Cheap: one check for a file."""
        from atlas.db.handover import read_notice

        return self._atlas is not None and read_notice(self.path) is not None

    def release(self) -> None:
        """Close the file, so that a writer may have it."""
        from atlas.db.handover import read_notice

        with self._lock:
            notice = read_notice(self.path)
            who = f"PID {notice.pid}" if notice else "another program"
            self._close()
            self.state = State("released", f"{self.path.name} is closed while {who} writes; it reopens by itself")

    def rest(self, why: str) -> None:
        with self._lock:
            self._close()
            self.state = State("resting", f"{self.path.name} is closed {why} – any key reopens it")

    def replaced(self) -> bool:
        return self._file is not None and self._file != (_identity(self.path) or self._file)

    def gone(self) -> str:
        """One sentence if the file that is open was deleted; what is open can still be read."""
        if self._file is None or _identity(self.path) is not None:
            return ""
        return f"{self.path.name} was deleted – what is open can still be read, until you quit"

    def come_back(self) -> bool:
        """Try to open the file again after a release or a failure; true if it is open now."""
        from atlas.db.handover import read_notice

        with self._lock:
            if read_notice(self.path) is not None:
                return False
            try:
                self._opened()
            except AtlasUnavailable:
                return False
            return True

    def close(self) -> None:
        with self._lock:
            self._close()

    def _ready(self) -> Atlas:
        """The open atlas, unless others have it; the caller holds the lock."""
        if self.state.kind in ("released", "resting"):
            raise AtlasUnavailable(self.state.message)
        return self._opened()

    def _opened(self) -> Atlas:
        from atlas.db import open_atlas

        if self._atlas is None:
            wait, self._wait = self._wait, 0
            try:
                self._atlas = open_atlas(self.path, wait=wait)
            except AtlasUnavailable as error:
                self.state = State("unavailable", _sentence(error))
                raise
            self.state, self._file = State("open"), _identity(self.path)
        return self._atlas

    def _close(self) -> None:
        """Close all connections, for only then the file is free; the caller holds the lock."""
        while self._beside:
            for stop in self._beside:
                stop()
            self._left.wait(0.05)
        if self._atlas is not None:
            self._atlas.close()
            self._atlas = self._file = None


def _identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file, which differ when it is replaced; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _sentence(error: AtlasUnavailable) -> str:
    return " – ".join([error.what, *([error.hint] if error.hint else []), "retrying every half second"])
