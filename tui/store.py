"""The one object the screens hold: the atlas, opened late, read from worker threads, let go of when a writer asks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from atlas.errors import AtlasUnavailable

if TYPE_CHECKING:
    from atlas.db import Atlas

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class State:
    """How the database stands."""

    kind: Literal["opening", "open", "released", "unavailable"]

    message: str = ""
    """One sentence for the status line; empty while it is open."""


class Store:
    """Read-only access to one atlas. `ask` and `come_back` block: call them from worker threads."""

    def __init__(self, path: Path, *, wait: float = 0) -> None:
        """Remember where the atlas is; nothing is opened yet.

        Args:
            path: The database file.
            wait: Seconds that the first opening waits for a locked file.
        """
        self.path = path
        self.state = State("opening", f"opening {path.name} …")
        self._wait = wait
        self._atlas: Atlas | None = None
        self._lock = threading.Lock()

    def ask(self, question: Callable[[Atlas], Answer]) -> Answer:
        """Answer a question; opens the file if it is not open.

        Raises:
            AtlasUnavailable: It is missing, locked, released for a writer, or no atlas.
        """
        with self._lock:
            if self.state.kind == "released":
                raise AtlasUnavailable(self.state.message)
            return question(self._opened())

    def asked_to_leave(self) -> bool:
        """Whether a writer waits for us. Cheap: one look for a file."""
        from atlas.handover import read_notice

        return self._atlas is not None and read_notice(self.path) is not None

    def release(self) -> None:
        """Close the file, so that a writer may have it."""
        from atlas.handover import read_notice

        with self._lock:
            notice = read_notice(self.path)
            who = f"PID {notice.pid}" if notice else "another program"
            self._close()
            self.state = State("released", f"{self.path.name} is lent to {who} for writing, back when it is done")

    def come_back(self) -> bool:
        """Try to open the file again after a release or a failure; true if it is open now."""
        from atlas.handover import read_notice

        with self._lock:
            if read_notice(self.path) is not None:
                return False
            try:
                self._opened()
            except AtlasUnavailable:
                return False
            return True

    def close(self) -> None:
        """Close the file for good."""
        with self._lock:
            self._close()

    def _opened(self) -> Atlas:
        """The open atlas; the caller holds the lock."""
        from atlas.db import open_atlas

        if self._atlas is None:
            wait, self._wait = self._wait, 0
            try:
                self._atlas = open_atlas(self.path, wait=wait)
            except AtlasUnavailable as error:
                self.state = State("unavailable", _sentence(error))
                raise
            self.state = State("open")
        return self._atlas

    def _close(self) -> None:
        """Close the connection; the caller holds the lock."""
        if self._atlas is not None:
            self._atlas.close()
            self._atlas = None


def _sentence(error: AtlasUnavailable) -> str:
    """What is wrong and what to type, on one line."""
    return error.what + (f" – {error.hint}" if error.hint else "")
