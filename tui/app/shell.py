"""The frame around the views: title, status and key lines, how things look, and the store that they ask."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.events import Resize
from textual.widgets import ContentSwitcher, Input, Static, TextArea

from atlas.errors import UnknownName
from atlas.render.spans import Line, Span, line_width
from atlas.render.text import clean
from tui.app.commandline import CommandLine
from tui.app.keys import replaced, trouble_with
from tui.app.views import BY_NAME
from tui.kit.store import Store
from tui.kit.styles import Styler
from tui.kit.troubles import Troubles, said, terminal, versions
from tui.views.base.view import Hints, View, keys_line
from tui.widgets.lines import Bar, Lines
from tui.widgets.vtable import VTable

SLOW = 0.15
"""Seconds after which a question shows that it is being answered."""

CANCEL = 5.0
"""Seconds after which it says how to end it."""

SMALLEST = (60, 15)
"""Columns and rows below which nothing useful fits."""


class Shell(App[None]):
    """One view in front, three lines around it."""

    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (100, "-wide")]

    def __init__(self, path: Path, *, wait: float = 0, colour: bool | None = None) -> None:
        """Prepare the screen; the atlas is opened later.

        Args:
            path: The database file.
            wait: Seconds that the first opening waits for a locked file.
            colour: Shade by colour; None asks the terminal and NO_COLOR.
        """
        refused = bool(os.environ.get("NO_COLOR"))  # Textual chooses its colour filter while it is made
        super().__init__(ansi_color=True if refused or colour is False else None)
        self.store = Store(path, wait=wait)
        if colour is None:
            colour = self.console.color_system in ("truecolor", "256") and not refused
        self.styler = Styler(colour=colour, dark=self.current_theme.dark)
        if not colour:
            self.theme = "ansi-dark"
        self._has_colour = colour
        self.animation_level = "none"
        self._flash = ""
        self._was_slow = False
        self.marks: set[tuple[str, int]] = set()
        self.marks_kept: frozenset[tuple[str, int]] = frozenset()
        self.listed: frozenset[tuple[str, int]] | None = None
        self.troubles = Troubles()
        self.keys: dict[str, str] = {}
        """Keys of one's own, by the id of their binding."""
        self._keys_note = ""

    def compose(self) -> ComposeResult:
        """Title, views, status, keys."""
        yield Bar(id="title")
        with ContentSwitcher(initial="browse", id="views"):
            yield BY_NAME["browse"].made()
        yield CommandLine(id="command")
        yield Bar(id="status")
        yield Bar(id="keys")
        yield Static("", id="small", markup=False)

    def use_keys(self, keys: dict[str, str], note: str = "") -> None:
        """Other keys, by the id of their binding; `note` says what is wrong with their file."""
        self.keys, self._keys_note = keys, note
        self.set_keymap(keys)

    def tell_of_keys(self) -> None:
        """Say in one line what is wrong with one's own keys: once, after the first rows."""
        note = self._keys_note or (trouble_with(self.keys) if self.keys else "")
        if note:
            self.flash(note)

    def use_theme(self, name: str) -> None:
        """Other colours.

        Raises:
            UnknownName: There is no such theme.
        """
        if name not in self.available_themes:
            raise UnknownName("theme", name, sorted(self.available_themes))
        self.theme = name
        if not self.is_running:
            self.use_styler(Styler(colour=self.styler.colour, dark=self.current_theme.dark))

    def watch_theme(self) -> None:
        """Shades for a light or a dark screen, by whatever way the theme was changed."""
        self.use_styler(Styler(colour=self.styler.colour, dark=self.current_theme.dark))

    def use_styler(self, styler: Styler) -> None:
        """Draw everything in other styles."""
        self.styler = styler
        if self.is_running:
            for widget in (*self.query(VTable), *self.query(Lines), *self.query(Bar)):
                widget.refresh()

    def toggle_coding(self) -> None:
        """Shade by colour, or by underline and bold."""
        if not self._has_colour:
            self.flash("this terminal shows no colours: activation is underlined and bold")
            return
        self.use_styler(Styler(colour=not self.styler.colour, dark=self.current_theme.dark))
        self.flash("activation by colour" if self.styler.colour else "activation by underline, bold and ⟦peak⟧")

    def toggle_mark(self, sae: str, feature_id: int) -> None:
        """Mark a feature, or take its mark away."""
        self.marks ^= {(sae, feature_id)}

    @property
    def typing(self) -> bool:
        """Whether keys go into a text. Keys that open a line are taken first, or letters right after would be lost."""
        return isinstance(self.focused, Input | TextArea)

    @property
    def front(self) -> View:
        """The view that is shown."""
        return self.query_one(f"#{self.query_one(ContentSwitcher).current}", View)

    def with_view(self, name: str, then: Callable[[Any], None]) -> None:
        """Do something with a view; one that was never shown is made first."""
        view = self.query_one_optional(f"#{name}", View)
        if view is None:
            view = BY_NAME[name].made()
            view.display = False
            self.query_one(ContentSwitcher).mount(view)
        view.once_made(then)

    def is_front(self, view: View) -> bool:
        """Whether a view is the one that is shown."""
        return self.query_one(ContentSwitcher).current == view.id

    # bars -------------------------------------------------------------------------------------------------------

    def flash(self, text: str) -> None:
        """Say something in the status line until the next key that does something."""
        self._flash = text
        if text:
            self.troubles.hear(text)
        self.refresh_bars()

    def report(self, error: BaseException) -> None:
        """Say what went wrong in the status line; why the file is closed says the store."""
        self.troubles.add(error)
        self.flash(said(error) if self.store.state.kind == "open" else self._flash)

    def notes(self) -> list[str]:
        """The last error, and on what it happened."""
        system = self.console.color_system
        about = [*versions(), terminal(system, (self.size.width, self.size.height)), "", *self.store.timings()]
        return [*self.troubles.lines(), "", *about]

    def refresh_bars(self) -> None:
        """Title, status and keys of the view in front."""
        if not self.is_running or len(self.screen_stack) > 1:
            return
        view = self.front
        title: Line = [Span(" featlas", tone="strong"), Span(f" {clean(self.store.path.name)}")]
        for crumb in view.crumbs():
            title += [Span(" › ", tone="dim"), Span(clean(crumb))]
        self.query_one("#title", Bar).show(title, [*self._waiting(), *view.corner(), Span("ro ", tone="dim")])
        left, right = view.status()
        trouble = self.store.state.message or self._flash or self.store.gone()
        if trouble:
            left = [Span(f" {clean(trouble)}", tone="warn")]
            cut = line_width(left) > self.size.width
            whole: Line = [Span("F12 ", tone="accent")] if cut else []
            right = right if line_width(left) + line_width(right) < self.size.width else whole
        self.query_one("#status", Bar).show(left, right)
        self.query_one("#keys", Bar).show(keys_line(*self._hints(view), self.size.width))

    def _hints(self, view: View) -> tuple[Hints, Hints]:
        """Keys for the last line, as they are now: those that give way, and those that stay."""
        shown, always = view.hints()
        moved = replaced((VTable, type(view), type(self)), self.keys) if self.keys else {}
        return tuple((moved.get(key, key), what) for key, what in shown), always

    def _waiting(self) -> Line:
        """A wheel and the time while a question takes long."""
        seconds = self.store.busy_for()
        if seconds < SLOW:
            return []
        wheel = "|/-\\"[int(seconds * 10) % 4]
        return [Span(f"{wheel} {seconds:.1f} s{' · esc cancels' if seconds > CANCEL else ''}  ", tone="accent")]

    def watch_slowness(self) -> None:
        """Turn the wheel while a question takes long, and take it away after."""
        slow = self.store.busy_for() > SLOW
        if slow or self._was_slow:
            self.refresh_bars()
        self._was_slow = slow

    def on_resize(self, event: Resize) -> None:
        """Say so when the terminal is too small; refit the key line."""
        columns, rows = SMALLEST
        small = event.size.width < columns or event.size.height < rows
        self.screen_stack[0].set_class(small, "-small")
        if small:
            text = f"featlas needs {columns} x {rows}; this terminal has {event.size.width} x {event.size.height}."
            self.query_one("#small", Static).update(text)
        self.call_after_refresh(self.refresh_bars)

    def on_unmount(self) -> None:
        """Leave the file to others."""
        self.store.close()
