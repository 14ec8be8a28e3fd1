"""A program in a pseudo-terminal: what it paints, and when."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte


class Terminal:
    """A child process with a screen. What it sends is read at once and drawn afterwards: drawing delays nothing."""

    def __init__(
        self, command: Sequence[str], *, columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        """Start the program.

        Args:
            command: Program and arguments.
            columns: Of the terminal.
            rows: Of the terminal.
            env: Variables beside those of this process, NO_COLOR and COLORTERM left out.
        """
        self.screen = pyte.Screen(columns, rows)
        self.raw = b""
        """All that was sent."""
        self._stream = pyte.ByteStream(self.screen)
        left_out = ("NO_COLOR", "COLORTERM", "LINES", "COLUMNS")  # the last two would fix the size for good
        kept = {key: value for key, value in os.environ.items() if key not in left_out}
        kept |= {"TERM": "xterm-256color", **(env or {})}
        self.started = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(command[0], list(command), kept)

    @property
    def lines(self) -> list[str]:
        """The screen, as far as it was drawn."""
        return list(self.screen.display)

    def resize(self, columns: int, rows: int) -> None:
        """Another size, as if the window was dragged."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def press(self, keys: bytes) -> float:
        """Send keys; returns when."""
        now = time.monotonic()
        os.write(self.fd, keys)
        return now

    def chunks(self, *, quiet: float, at_most: float = 30.0) -> list[tuple[float, bytes]]:
        """What arrives until nothing has for `quiet` seconds: (time, bytes) each. Nothing is drawn."""
        found: list[tuple[float, bytes]] = []
        deadline = time.monotonic() + at_most
        while time.monotonic() < deadline and select.select([self.fd], [], [], quiet)[0]:
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                break
            found.append((time.monotonic(), data))
        return found

    def draw(self, chunks: Sequence[tuple[float, bytes]], until: Callable[[list[str]], bool]) -> float | None:
        """Draw what has arrived; when the screen first held what is waited for, None if it never did."""
        reached = None
        for at, data in chunks:
            self.raw += data
            self._stream.feed(data)
            if reached is None and until(self.lines):
                reached = at
        return reached

    def wait_for(self, text: str, seconds: float = 15) -> str:
        """Read and draw until the screen holds a text; the screen as one string."""
        deadline = time.monotonic() + seconds
        while text not in "\n".join(self.lines):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {text!r} on the screen:\n" + "\n".join(self.lines))
            self.draw(self.chunks(quiet=0.1, at_most=0.1), lambda lines: False)
        return "\n".join(self.lines)

    def exit_code(self, seconds: float = 10) -> int:
        """Wait for the end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            self.draw(self.chunks(quiet=0.1, at_most=0.1), lambda lines: False)
        raise TimeoutError("the program did not end")
