"""How a writer asks open readers to close the file: a small notice file beside the database."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True)
class Notice:
    """Who wants to write."""

    pid: int
    """Process id."""
    command: str
    """Command line of that process."""
    since: float
    """Unix time, in seconds."""


class WriterNotice:
    """Leaves `<db>.writer` while a writer waits for the lock and takes it away afterwards.

    The browser looks for the notice twice a second, closes its connection when it sees one and comes back when the
    notice is gone and the file can be opened again.
    """

    PATIENCE: ClassVar[float] = 3.0
    """Seconds a writer gives open readers to close the file."""

    def __init__(self, database: Path) -> None:
        self._path = notice_path(database)

    def __enter__(self) -> Self:
        notice = {"pid": os.getpid(), "command": " ".join(sys.argv[:6]), "since": time.time()}
        try:
            self._path.write_text(json.dumps(notice), encoding="utf-8")
        except OSError:
            self.__exit__()  # a courtesy only: whether the folder can be written shows at the database itself
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def notice_path(database: Path) -> Path:
    return Path(f"{database}.writer")


def read_notice(database: Path) -> Notice | None:
    """The notice of a living writer, or None."""
    try:
        raw = json.loads(notice_path(database).read_text(encoding="utf-8"))
        notice = Notice(int(raw["pid"]), str(raw["command"]), float(raw["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        os.kill(notice.pid, 0)
    except PermissionError:
        return notice  # alive, of another user
    except OSError:
        return None
    return notice
