"""How things look: the theme, and activation by colour or without."""

from __future__ import annotations

import os
from collections.abc import Callable

from textual.app import App

from atlas.errors import UnknownName
from tui.kit.styles import Styler
from tui.widgets.lines import Bar, Lines
from tui.widgets.vtable import VTable


def refuses_colour() -> bool:
    return bool(os.environ.get("NO_COLOR"))


class Looks:
    """Holds the styler that fits the terminal and the theme."""

    def __init__(self, app: App[None], flash: Callable[[str], None], *, colour: bool | None) -> None:
        """Choose the coding: `colour` as it was asked for, None asks the terminal and NO_COLOR."""
        self._app, self._flash = app, flash
        if colour is None:
            colour = app.console.color_system in ("truecolor", "256") and not refuses_colour()
        self._has_colour = colour
        self.styler = Styler(colour=colour, dark=app.current_theme.dark)
        if not colour:
            app.theme = "ansi-dark"

    def use_theme(self, name: str) -> None:
        """Other colours.

        Raises:
            UnknownName: There is no such theme.
        """
        if name not in self._app.available_themes:
            raise UnknownName("theme", name, sorted(self._app.available_themes))
        self._app.theme = name
        self.fit_theme()

    def fit_theme(self) -> None:
        """Shades that suit a light or a dark screen."""
        self._use(colour=self.styler.colour)

    def toggle_coding(self) -> None:
        """Shade by colour, or by underline and bold."""
        if not self._has_colour:
            self._flash("this terminal shows no colours: activation is underlined and bold")
            return
        self._use(colour=not self.styler.colour)
        self._flash("activation by colour" if self.styler.colour else "activation by underline, bold and ⟦peak⟧")

    def _use(self, *, colour: bool) -> None:
        self.styler = Styler(colour=colour, dark=self._app.current_theme.dark)
        if self._app.is_running:
            for widget in (*self._app.query(VTable), *self._app.query(Lines), *self._app.query(Bar)):
                widget.refresh()
