"""The browser in a web browser, through textual-serve: on this machine only, one program for each page."""

from __future__ import annotations

import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError

HOST = "127.0.0.1"
"""Only this machine may connect: the pages ask for no password."""

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
        base = import_module("textual_serve.server").Server
        web = import_module("aiohttp.web")
    except ImportError as error:
        raise AtlasError("--web needs textual-serve", hint='pip install "featlas[web]"') from error

    @web.middleware
    async def guard(request: Any, handler: Any) -> Any:
        """Turn pages of other sites away: they may open a web socket to this machine."""
        if not allowed(request.headers.get("Host"), request.headers.get("Origin"), port):
            raise web.HTTPForbidden
        return await handler(request)

    class Guarded(base):
        """The server of textual-serve behind a guard."""

        async def _make_app(self) -> Any:
            app = await super()._make_app()
            app.middlewares.append(guard)
            return app

    try:
        Guarded(command_line(db, words), host=HOST, port=port, title="featlas").serve()
    except OSError as error:
        raise AtlasError(f"port {port} cannot be used", why=error.strerror, hint="give another: --port 8001") from error


def allowed(host: str | None, origin: str | None, port: int) -> bool:
    ours = [name + end for name in (HOST, "localhost") for end in ([f":{port}", ""] if port == 80 else [f":{port}"])]
    return host in ours and (origin is None or origin == f"http://{host}")


def command_line(db: Path, words: list[str]) -> str:
    """What each page runs; pages neither use nor change what was remembered."""
    return shlex.join([sys.executable, "-c", _START, "--db", str(db.absolute()), "tui", "--fresh", *words])
