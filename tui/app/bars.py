"""The three lines around the views: title, status and keys."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import App

from atlas.render.spans import Line, Span, line_width
from atlas.render.text import clean
from tui.app.views import Stage
from tui.kit.keys import ALWAYS, Hints, hint
from tui.kit.store import Store
from tui.kit.troubles import Troubles, said, terminal, versions
from tui.widgets.lines import Bar

SLOW = 0.15
"""Seconds after which a question shows that it is being answered."""

CANCEL = 5.0
"""Seconds after which it says how to end it."""


class Bars:
    """Draws what the view in front says of itself, and what went wrong."""

    def __init__(self, app: App[None], store: Store, stage: Stage) -> None:
        self._app, self._store, self._stage = app, store, stage
        self.troubles = Troubles()
        self.flashed = ""
        """What the status line says until the next key that does something."""
        self.own_keys: Mapping[str, str] = {}
        """Custom keys, by the id of their binding."""
        self._was_slow = False

    def flash(self, text: str) -> None:
        """Say something in the status line until the next key that does something."""
        self.flashed = text
        if text:
            self.troubles.hear(text)
        self.refresh()

    def report(self, error: BaseException) -> None:
        """Say what went wrong in the status line, and in the feature table if it is empty."""
        self.troubles.add(error)
        self.flash(said(error) if self._store.state.kind == "open" else self.flashed)
        table = self._stage.browse.table
        table.message = self._store.state.message or self.flashed  # the store says why the file is closed
        table.refresh()

    def notes(self) -> list[str]:
        size = self._app.size
        about = [*versions(), terminal(self._app.console.color_system, (size.width, size.height))]
        return [*self.troubles.lines(), "", *about, "", *self._store.timings()]

    def refresh(self) -> None:
        """Title, status and keys of the view in front."""
        if not self._app.is_running or len(self._app.screen_stack) > 1:
            return
        view, width = self._stage.front, self._app.size.width
        title: Line = [Span(" featlas", tone="strong"), Span(f" {clean(self._store.path.name)}")]
        for crumb in view.crumbs():
            title += [Span(" › ", tone="dim"), Span(clean(crumb))]
        self._bar("title").show(title, [*self._waiting(), *view.corner(), Span("ro ", tone="dim")])
        left, right = view.status()
        trouble = self._store.state.message or self.flashed or self._store.gone()
        if trouble:
            left = [Span(f" {clean(trouble)}", tone="warn")]
            whole: Line = [Span("F12 ", tone="accent")] if line_width(left) > width else []
            right = right if line_width(left) + line_width(right) < width else whole
        self._bar("status").show(left, right)
        self._bar("keys").show(keys_line(*self._hints(), width))

    def _bar(self, name: str) -> Bar:
        return self._app.query_one(f"#{name}", Bar)

    def _hints(self) -> tuple[Hints, Hints]:
        hints, typing = self._stage.front.hints()
        always = () if typing else ALWAYS
        named = ([(hint(ids, self.own_keys, typing=typing), what) for ids, what in some] for some in (hints, always))
        shown, stay = map(tuple, named)
        return shown, stay

    def _waiting(self) -> Line:
        seconds = self._store.busy_for()
        if seconds < SLOW:
            return []
        wheel = "|/-\\"[int(seconds * 10) % 4]
        return [Span(f"{wheel} {seconds:.1f} s{' · esc cancels' if seconds > CANCEL else ''}  ", tone="accent")]

    def watch_slowness(self) -> None:
        """Turn the spinner while a query takes long, and remove it after."""
        slow = self._store.busy_for() > SLOW
        if slow or self._was_slow:
            self.refresh()
        self._was_slow = slow


def keys_line(hints: Hints, always: Hints, cells: int) -> Line:
    """Keys for the last line of the screen: as many as fit, some of them always."""
    room = cells - 1 - sum(len(f"{key} {what}  ") for key, what in always)
    shown = []
    for key, what in hints:
        room -= len(f"{key} {what}  ")
        if room < 0:
            break
        shown.append((key, what))
    line: Line = [Span(" ")]
    for key, what in (*shown, *always):
        line += [Span(key, tone="accent"), Span(f" {what}  ")]
    return line
