"""The browser in a web browser, through textual-serve: on this machine only, one program for each page."""

from __future__ import annotations

import shlex
import sys
from importlib import import_module
from pathlib import Path

from atlas.errors import AtlasError

HOST = "127.0.0.1"
"""Nobody else is let in: the pages ask for no password."""

_START = "from atlas.cli import main; main()"


def serve(db: Path, words: list[str], port: int) -> None:
    """Serve until ctrl+c.

    Args:
        db: The atlas; every page opens it read-only.
        words: What `featlas tui` was given beside `--web`.
        port: On this machine.

    Raises:
        AtlasError: textual-serve is not installed, or the port is taken.
    """
    try:
        server = import_module("textual_serve.server")
    except ImportError as error:
        raise AtlasError("--web needs textual-serve", hint='pip install "featlas[web]"') from error
    try:
        server.Server(command_line(db, words), host=HOST, port=port, title="featlas").serve()
    except OSError as error:
        raise AtlasError(f"port {port} cannot be used", why=error.strerror, hint="give another: --port 8001") from error


def command_line(db: Path, words: list[str]) -> str:
    """What each page runs; pages share no memory of how the browser was left."""
    return shlex.join([sys.executable, "-c", _START, "--db", str(db.absolute()), "tui", "--fresh", *words])
