"""Drives the browser in tests and reads its screen as text. The only place that looks into Textual's compositor."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

import tui.views.base.listview
import tui.views.feature
import tui.widgets.typed
from tui.app.app import FeatlasApp
from tui.views.base.view import View

tui.views.base.listview.DEBOUNCE = 0.005  # the cursor of a test need not rest for long
tui.views.feature.REST = 0.005
tui.widgets.typed.DEBOUNCE = tui.widgets.typed.PATIENCE = 0.005

Script = Callable[[FeatlasApp, "Pilot[None]"], Awaitable[None]]


def drive(app: FeatlasApp, script: Script, *, size: tuple[int, int] = (120, 36)) -> None:
    """Run a script of keys and assertions against the browser."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settle(app, pilot)
            await script(app, pilot)

    asyncio.run(run())


def screen_after(path: Path, *keys: str, size: tuple[int, int] = (120, 36), **options) -> str:
    """What the screen shows after some keys."""
    shown: list[str] = []

    async def script(app: FeatlasApp, pilot: Pilot[None]) -> None:
        await press(app, pilot, *keys)
        shown.append(dump(app))

    drive(FeatlasApp(path, **options), script, size=size)
    return shown[0]


async def press(app: FeatlasApp, pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other, each until everything is read; `text:…` is typed in one go."""
    for key in keys:
        await send(app, pilot, *(key.removeprefix("text:") if key.startswith("text:") else [key]))
        await settle(app, pilot)


async def send(app: FeatlasApp, pilot: Pilot[None], *keys: str) -> None:
    """Press keys as fast as a pasted text comes. `Pilot.press` waits 40 ms and more after each."""
    assert app._driver is not None
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        event = Key(name, key if len(key) == 1 else None)
        event.set_sender(app)
        app._driver.send_message(event)
    await pilot._wait_for_screen()


async def settle(app: FeatlasApp, pilot: Pilot[None]) -> None:
    """Wait until nothing was read for three short looks; a failed worker is not an error here."""
    quiet = 0
    while quiet < 3:
        await pilot.pause(0.012)
        reading = any(not worker.is_finished for worker in app.workers)
        quiet = 0 if reading or any(not view.is_made for view in app.query(View)) else quiet + 1


def dump(app: FeatlasApp) -> str:
    """The screen as text, one line a row."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def styles_of(app: FeatlasApp, text: str) -> list:
    """Styles of the pieces of the screen that hold a text."""
    strips = app.screen._compositor.render_strips()
    return [segment.style for strip in strips for segment in strip if text in segment.text]


def make_atlas(path: Path, *, saes: int = 3, d_sae: int = 300) -> Path:
    """A synthetic atlas, as `bench/make_atlas.py` writes it."""
    from atlas.db import open_atlas

    maker = _maker()
    with open_atlas(path, create=True) as atlas, atlas.transaction():
        maker.write(atlas, maker.Size(saes, d_sae, n_contexts=200), 0)
    return path


def _maker():
    """The module of the benchmark script, which is in no package."""
    if "make_atlas" not in sys.modules:
        file = Path(__file__).parents[2] / "bench" / "make_atlas.py"
        spec = importlib.util.spec_from_file_location("make_atlas", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["make_atlas"] = module
        spec.loader.exec_module(module)
    return sys.modules["make_atlas"]
