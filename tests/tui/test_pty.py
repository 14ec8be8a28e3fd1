"""The browser in a real pseudo-terminal: start, Esc, resize, quit, what NO_COLOR sends, and no terminal at all."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from atlas.catalog.remembered import load
from bench.terminal import Terminal

COLOUR = re.compile(rb"\x1b\[[0-9;]*?(?:[34]8;[25];|(?<=[\[;])(?:3|4|9|10)[0-7](?=[;m]))")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


def browser(path: Path, **env: str) -> Terminal:
    """The command in 80 x 24."""
    return Terminal(command(path), env={"COLORTERM": "truecolor", **env})


def command(path: Path, *options: str) -> list[str]:
    return [
        sys.executable,
        "-c",
        "from atlas.cli import main; main()",
        "--db",
        str(path),
        "tui",
        *(options or ("--fresh",)),
    ]


def test_start_open_resize_esc_and_quit_in_a_real_terminal(tiny):
    terminal = browser(tiny)
    terminal.wait_for("▸A")
    terminal.press(b"\r")
    terminal.wait_for("fires on 40 of 100 tokens")
    terminal.press(b"\x1b")
    terminal.wait_for("density▼")
    terminal.resize(50, 12)
    terminal.wait_for("featlas needs 60 x 15")
    terminal.resize(120, 36)
    terminal.wait_for("▸A")
    assert any("│" in line for line in terminal.lines)  # the pane beside the table
    terminal.press(b"q")
    assert terminal.exit_code() == 0
    assert COLOUR.search(terminal.raw)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_that_ends_it_leaves_what_is_remembered(tiny, tmp_path, name):
    terminal = Terminal(command(tiny, "--filter", "-dead"), env={"XDG_STATE_HOME": str(tmp_path)})
    terminal.wait_for("▸A")
    os.kill(terminal.pid, getattr(signal, name))
    assert terminal.exit_code() == 0
    (kept,) = (tmp_path / "featlas").glob("*.json")
    assert load(kept)[0].filter == "-dead"


def test_no_color_sends_no_colour_and_brackets_the_peak(tiny):
    terminal = browser(tiny, NO_COLOR="1")
    terminal.wait_for("⟦sad⟧")
    terminal.press(b"q")
    assert terminal.exit_code() == 0
    assert not COLOUR.search(terminal.raw)


def test_without_a_terminal_the_command_names_another(tiny):
    done = subprocess.run(command(tiny), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2
    assert "ls saes" in done.stderr
    assert "Traceback" not in done.stderr
