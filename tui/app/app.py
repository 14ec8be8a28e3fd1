"""The application: the frame on the screen, the keys that work everywhere, and the parts behind them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.events import Event, Key, MouseDown, Resize
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from atlas.errors import AtlasError, UnknownName
from atlas.references import FeatureRef, PairRef
from atlas.render.text import clean
from tui.app.bars import SLOW
from tui.app.commands import run_line
from tui.app.desk import Desk
from tui.app.keeper import leave_at_signals
from tui.app.keys import trouble_with
from tui.app.looks import refuses_colour
from tui.app.session import Start, restore
from tui.app.tending import POLL
from tui.app.views import BY_NAME, Stage
from tui.kit.browser import Answered, Host
from tui.kit.keys import bindings, keys_of
from tui.kit.troubles import said
from tui.widgets.lines import Bar
from tui.widgets.typed import CommandLine

if TYPE_CHECKING:
    from textual.command import Provider

SMALLEST = (60, 15)
"""Columns and rows below which nothing useful fits."""


def _provider() -> type[Provider]:
    """What the palette offers; imported when it opens."""
    from tui.app.palette import CommandProvider

    return CommandProvider


class FeatlasApp(Host):
    """Views over one atlas, three lines around them, and the keys that work in all of them."""

    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (100, "-wide")]
    COMMANDS: ClassVar = {_provider}
    BINDINGS = bindings("app")

    def __init__(
        self,
        path: Path,
        *,
        wait: float = 0,
        start: FeatureRef | PairRef | None = None,
        view: str | None = None,
        line: str | None = None,
        colour: bool | None = None,
        theme: str | None = None,
        state: Path | None = None,
    ) -> None:
        """Prepare to browse one atlas.

        Args:
            path: The database file.
            wait: Seconds that the first opening waits for a locked file.
            start: What to show first; what was left, or the feature table, if None.
            view: Name of the view in front.
            line: Filter of the feature table.
            colour: Shade by colour; None asks the terminal and NO_COLOR.
            theme: Name of a theme.
            state: File that remembers how the browser was left; None to forget.

        Raises:
            UnknownName: There is no such theme or view.
        """
        super().__init__(ansi_color=True if refuses_colour() or colour is False else None)  # decides its colour filter
        if view is not None and view not in BY_NAME:
            raise UnknownName("view", view, list(BY_NAME))
        self.browser = self.desk = Desk(self, path, wait=wait, colour=colour, state=state)
        if theme is not None:
            self.desk.looks.use_theme(theme)
        self.animation_level = "none"
        self._start = Start(start, view, line)
        self._keys_note = ""

    def use_keys(self, keys: dict[str, str], note: str = "") -> None:
        """Other keys, by the id of their binding; `note` says what is wrong with their file."""
        self.desk.bars.own_keys, self._keys_note = keys, note
        self.set_keymap(keys)

    def compose(self) -> ComposeResult:
        """Title, views, status, keys."""
        yield Bar(id="title")
        yield from Stage.compose()
        yield CommandLine(id="command")
        yield Bar(id="status")
        yield Bar(id="keys")
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        """Paint, then open the atlas."""
        desk = self.desk
        desk.arrived = self._arrived
        desk.stage.browse.enter()
        desk.refresh_bars()
        self.call_after_refresh(desk.tending.open)
        self.set_interval(POLL, desk.tending.look)
        self.set_interval(SLOW, desk.bars.watch_slowness)
        self.set_interval(POLL, desk.keeper.look)
        leave_at_signals(self.exit)

    def _arrived(self) -> None:
        """The atlas is open for the first time: show what was left or asked for, then what is wrong with the keys."""
        restore(self.desk, self._start)
        own = self.desk.bars.own_keys
        note = self._keys_note or (trouble_with(own) if own else "")
        if note:
            self.desk.flash(note)

    def exit(self, *args: Any, **options: Any) -> None:
        self.desk.keeper.keep()
        super().exit(*args, **options)

    def on_unmount(self) -> None:
        self.desk.store.close()

    async def on_event(self, event: Event) -> None:
        """Note that somebody is here; what the status line said is over with the next key that does something."""
        if isinstance(event, Key | MouseDown):
            self.desk.tending.touch()
            ends = not self.desk.typing or getattr(event, "key", "") in ("enter", "escape")
            if self.desk.bars.flashed and not event.is_forwarded and ends:
                self.desk.flash("")
        await super().on_event(event)

    def on_answered(self, message: Answered) -> None:
        message.deliver()
        self.desk.refresh_bars()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.desk.report(event.worker.error)

    def watch_theme(self) -> None:
        if self.is_running:
            self.desk.looks.fit_theme()

    def on_resize(self, event: Resize) -> None:
        """Say so when the terminal is too small; refit the key line."""
        columns, rows = SMALLEST
        small = event.size.width < columns or event.size.height < rows
        self.screen_stack[0].set_class(small, "-small")
        if small:
            text = f"featlas needs {columns} x {rows}; this terminal has {event.size.width} x {event.size.height}."
            self.query_one("#small", Static).update(text)
        self.call_after_refresh(self.desk.refresh_bars)

    def on_command_line_entered(self, message: CommandLine.Entered) -> None:
        """Run what was typed."""
        self.desk.flash("")
        self.desk.stage.front.enter()
        if message.text:
            run_line(self.desk, message.text)

    def action_view(self, name: str) -> None:
        self.desk.ways.go(name)

    def action_back(self) -> None:
        """End a question that takes long, else undo within the view, else the view before."""
        front = self.desk.stage.front
        if self.desk.store.busy_for() > SLOW:
            front.cancel()
        elif not front.retreat():
            self.desk.ways.back()
        self.desk.refresh_bars()

    def action_past(self, step: int) -> None:
        self.desk.ways.past(step)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where text is typed, a colon is a colon; over a box it means nothing."""
        return action != "command" or not (self.desk.typing or len(self.screen_stack) > 1)

    def action_command(self) -> None:
        self.desk.command_line.open("")

    def action_export(self) -> None:
        """Type the name of the file, if there is anything to write."""
        try:
            self.desk.words()
        except AtlasError as error:
            self.desk.flash(said(error))
        else:
            self.desk.command_line.open(f"w {self.desk.stage.front.id}.csv")

    def action_copy(self) -> None:
        copy = self.desk.copy
        self.desk.stage.front.with_reference(lambda text: copy(text, f"copied {clean(text)}") if text else None)

    def action_copy_text(self) -> None:
        text = self.desk.stage.front.copied()
        self.desk.copy(text, f"copied {len(text.splitlines())} lines")

    def action_maximise(self) -> None:
        self.screen_stack[0].toggle_class("-maximised")
        self.desk.stage.front.call_after_refresh(self.desk.refresh_bars)

    def action_help(self) -> None:
        """The keys that work here, from the focused widget outwards."""
        from tui.app.help import HelpScreen

        front = self.desk.stage.front
        kinds = [*([type(self.focused)] if self.focused else []), type(front), type(self)]
        self.push_screen(HelpScreen(front.NAME, keys_of(kinds, self.desk.bars.own_keys)))

    def action_errors(self) -> None:
        from tui.app.help import NotesScreen

        self.push_screen(NotesScreen("last error", self.desk.bars.notes()))
