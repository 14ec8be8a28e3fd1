"""The browser in a real pseudo-terminal: start, Esc, quit, and what NO_COLOR sends."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from pathlib import Path

import pyte
import pytest

COLOUR = re.compile(rb"\x1b\[[0-9;]*?(?:[34]8;[25];|(?<=[\[;])(?:3|4|9|10)[0-7](?=[;m]))")


class Terminal:
    """A child process in a pseudo-terminal of 80 x 24."""

    def __init__(self, path: Path, **environment: str) -> None:
        self.screen, self.raw = pyte.Screen(80, 24), b""
        self._stream = pyte.ByteStream(self.screen)
        kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLORTERM")}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            code = "from atlas.cli import main; main()"
            words = [sys.executable, "-c", code, "--db", str(path), "tui"]
            os.execve(
                sys.executable, words, kept | {"TERM": "xterm-256color", "LINES": "24", "COLUMNS": "80"} | environment
            )
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def wait_for(self, text: str, seconds: float = 15) -> str:
        """Read until the screen holds a text."""
        deadline = time.monotonic() + seconds
        while text not in "\n".join(self.screen.display):
            assert time.monotonic() < deadline, "\n".join(self.screen.display)
            self.read()
        return "\n".join(self.screen.display)

    def read(self) -> None:
        """Take what has arrived."""
        if select.select([self.fd], [], [], 0.1)[0]:
            data = os.read(self.fd, 65_536)
            self.raw += data
            self._stream.feed(data)

    def press(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self.fd, keys)

    def exit_code(self) -> int:
        """Wait for the end."""
        for _ in range(100):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            try:
                self.read()
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the browser did not end")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_start_open_esc_and_quit_in_a_real_terminal(tiny):
    terminal = Terminal(tiny, COLORTERM="truecolor")
    terminal.wait_for("▸A")
    terminal.press(b"\r")
    terminal.wait_for("fires on 40 of 100 tokens")
    terminal.press(b"\x1b")
    terminal.wait_for("density▼")
    terminal.press(b"q")
    assert terminal.exit_code() == 0
    assert COLOUR.search(terminal.raw)


def test_no_color_sends_no_colour_and_brackets_the_peak(tiny):
    terminal = Terminal(tiny, COLORTERM="truecolor", NO_COLOR="1")
    terminal.wait_for("⟦sad⟧")
    terminal.press(b"q")
    assert terminal.exit_code() == 0
    assert not COLOUR.search(terminal.raw)
