"""The views that were made so far, and which of them is in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from tui.app.views import BY_NAME
from tui.views.base.view import View
from tui.views.browse import BrowseView


class Stage:
    """One view in front; the others are made when they are first looked at."""

    def __init__(self, app: App[None]) -> None:
        self._app = app

    @staticmethod
    def compose() -> ComposeResult:
        with ContentSwitcher(initial="browse", id="views"):
            yield BY_NAME["browse"].made()

    @property
    def _switcher(self) -> ContentSwitcher:
        return self._app.query_one(ContentSwitcher)

    @property
    def front(self) -> View:
        return self._app.query_one(f"#{self._switcher.current}", View)

    @property
    def browse(self) -> BrowseView:
        return self._app.query_one(BrowseView)

    @property
    def made(self) -> list[View]:
        return [view for view in self._app.query(View) if view.is_made]

    def is_front(self, view: Widget) -> bool:
        return self._switcher.current == view.id

    def put_front(self, view: View) -> None:
        self._switcher.current = view.id
        view.enter()

    def with_view(self, name: str, then: Callable[[Any], None]) -> None:
        """Do something with a view; one that was never shown is made first."""
        view = self._app.query_one_optional(f"#{name}", View)
        if view is None:
            view = BY_NAME[name].made()
            view.display = False
            self._switcher.mount(view)
        view.once_made(then)
