"""The last error and the versions: the lines of F12."""

from __future__ import annotations

import os
import platform
import sys
import traceback

from atlas.errors import AtlasError
from atlas.render.text import clean

MESSAGES = 8
"""Messages of the status line that are kept."""

_PACKAGES = ("featlas", "textual", "rich", "duckdb", "numpy", "polars")


def said(error: BaseException) -> str:
    """An error on one line: what is wrong, and what to type, or else why."""
    if not isinstance(error, AtlasError):
        return f"{type(error).__name__}: {error}"
    more = error.hint or error.why
    return error.what + (f" – {more}" if more else "")


class Troubles:
    """Remembers the last error with the end of its traceback."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._notes: list[str] = []
        self._said: list[str] = []

    def add(self, error: BaseException) -> None:
        """Keep an error; never the values of variables."""
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        places = [f"  {os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        self._lines = [f"{type(error).__name__}: {error}", *places]

    def note(self, text: str) -> None:
        self._notes = [text]

    def hear(self, text: str) -> None:
        """Keep what the status line said: it may have been truncated there."""
        self._said = [*(line for line in self._said if line != text), text][-MESSAGES:]

    def lines(self) -> list[str]:
        text = "\n".join(self._lines) or "no error so far"
        heard = ["", "last messages", *(f"  {line}" for line in reversed(self._said))] if self._said else []
        return [clean(line) for line in [*text.splitlines(), *self._notes, *heard]]


def versions() -> list[str]:
    """Versions of the program and of its main dependencies."""
    from importlib.metadata import PackageNotFoundError, version

    known = []
    for name in _PACKAGES:
        try:
            known.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            known.append(f"{name} from a checkout")
    system = f"Python {platform.python_version()} on {sys.platform}"
    return [" · ".join(known), system]


def terminal(colour_system: str | None, size: tuple[int, int]) -> str:
    named = " ".join(f"{name}={clean(os.environ.get(name, ''))}" for name in ("TERM", "COLORTERM", "NO_COLOR"))
    return f"{named} · colours: {colour_system or 'none'} · {size[0]} x {size[1]}"
