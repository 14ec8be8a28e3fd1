"""Serving the browser to a web browser: only to this machine, only its own pages."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from atlas.cli import run
from tests.support.tui_pilot import drive, dump, press
from tui.app.app import FeatlasApp
from tui.web import HOST, allowed, command_line


def test_only_this_machine_and_its_own_pages_are_let_in():
    assert HOST == "127.0.0.1"
    assert allowed("127.0.0.1:8000", None, 8000)
    assert allowed("localhost:8000", "http://localhost:8000", 8000)
    assert not allowed("127.0.0.1:8000", "http://elsewhere.example", 8000)
    assert not allowed("127.0.0.1:8000", "null", 8000)
    assert not allowed("elsewhere.example:8000", "http://elsewhere.example:8000", 8000)
    assert not allowed("127.0.0.1:9000", None, 8000)
    assert not allowed(None, None, 8000)


def test_without_textual_serve_the_command_says_what_to_install(tiny, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    assert run(["--db", str(tiny), "tui", "--web"]) == 1
    assert 'pip install "featlas[web]"' in capsys.readouterr().err


def test_a_page_runs_the_browser_with_the_same_options_and_no_memory(tmp_path):
    line = command_line(tmp_path / "a b.duckdb", ["A:1", "--filter", "max>3"])
    assert f"'{tmp_path}/a b.duckdb' tui --fresh A:1 --filter 'max>3'" in line


def test_a_page_writes_no_files(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(FeatlasApp, "is_web", True)

    async def script(app, pilot):
        for line in (f"w {tmp_path}/x.csv", f"screenshot {tmp_path}/x.svg"):
            await press(app, pilot, "colon", f"text:{line}", "enter")
            assert "files cannot be written from a web page" in dump(app)
        assert not list(tmp_path.glob("x.*"))

    drive(FeatlasApp(tiny), script)


def test_the_server_answers_here_and_turns_other_sites_away(tiny):
    pytest.importorskip("textual_serve")
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-c", "from atlas.cli import main; main()", "--db", str(tiny), "tui", "--web"]
    with subprocess.Popen(
        [*words, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            assert _status(port, {}) == 200
            assert _status(port, {"Origin": "http://elsewhere.example"}) == 403
            assert _status(port, {"Host": "elsewhere.example"}) == 403
        finally:
            server.kill()


def _status(port: int, headers: dict[str, str]) -> int:
    request = urllib.request.Request(f"http://{HOST}:{port}/", headers=headers)
    deadline = time.monotonic() + 20
    while True:
        try:
            return urllib.request.urlopen(request, timeout=5).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
