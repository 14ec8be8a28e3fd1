"""A view needs no more of the application than the protocol `Browser` says."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import ComposeResult
from textual.widget import Widget

from atlas.db import open_atlas
from tui.kit.browser import Host
from tui.kit.catalogue import Catalogue
from tui.kit.store import Store
from tui.kit.styles import Styler
from tui.views.overview import OverviewView
from tui.widgets.vtable import VTable


class Asked:
    """Stands for the ways to other views, and writes down which was taken."""

    def __init__(self) -> None:
        self.taken: list[tuple[object, ...]] = []

    def __getattr__(self, name: str):
        return lambda *args, **options: self.taken.append((name, *args, *options.values()))


class Stub:
    """The smallest possible browser."""

    typing = remembers = False
    listed: frozenset[tuple[str, int]] | None = None

    def __init__(self, path) -> None:
        self.store, self.marks = Store(path), set[tuple[str, int]]()
        self.ways: Any = Asked()
        self.styler = Styler(colour=False, dark=True)
        self.errors: list[BaseException] = []
        with open_atlas(path) as atlas:
            self.catalogue = Catalogue.of(atlas)

    def is_front(self, view: Widget) -> bool:
        return True

    def report(self, error: BaseException) -> None:
        self.errors.append(error)

    def toggle_coding(self) -> None: ...
    def with_view(self, name, then) -> None: ...
    def flash(self, text: str) -> None: ...
    def refresh_bars(self) -> None: ...


class One(Host):
    """An application of one view."""

    def __init__(self, stub: Stub) -> None:
        super().__init__()
        self.browser = stub

    def compose(self) -> ComposeResult:
        yield OverviewView(id="overview")


def test_a_view_stands_by_itself_in_another_application(tiny):
    stub = Stub(tiny)

    async def run() -> None:
        async with One(stub).run_test(size=(160, 30)) as pilot:
            table = pilot.app.query_one(VTable)
            table.focus()
            await pilot.press("down", "enter")
            await pilot.app.workers.wait_for_complete()
            assert table.record()["name"] == "little/two"
            assert stub.ways.taken == [("browse_scan", stub.catalogue.scans[1])]
            stub.store.close()

    asyncio.run(run())
    assert stub.errors == []
