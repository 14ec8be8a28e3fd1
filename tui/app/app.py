"""The browser: shell painted first, atlas opened in a thread after it, one view in front."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType

from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.queries.browse_records import Pairing, Scan
from atlas.references import FeatureRef, PairRef
from atlas.render.text import clean
from tui.app.catalogue import POLL
from tui.app.clipboard import copy
from tui.app.commandline import CommandLine
from tui.app.commands import run
from tui.app.navigation import Navigator
from tui.app.session import Keeper, Start, leave_at_signals, restore
from tui.app.shell import SLOW
from tui.app.views import BY_NAME, VIEWS
from tui.kit.troubles import said
from tui.views.base.view import View
from tui.views.browse import BrowseView

if TYPE_CHECKING:
    from textual.command import Provider

    from tui.app.export import Export


def _provider() -> type[Provider]:
    """What the palette offers; imported when it opens."""
    from tui.app.palette import CommandProvider

    return CommandProvider


class FeatlasApp(Navigator):
    """Views over one atlas, and the keys that work in all of them."""

    COMMANDS: ClassVar = {_provider}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(v.keys, f"view('{v.name}')", v.about, id=f"app.{v.name}") for v in VIEWS if v.keys),
        Binding("escape", "back", "back", id="app.back"),
        Binding("left_square_bracket", "past(-1)", "back in history", id="app.past"),
        Binding("right_square_bracket", "past(1)", "forward in history", id="app.future"),
        Binding("y", "copy", "copy the reference", id="app.copy"),
        Binding("c", "copy_text", "copy the text", id="app.copy_text"),
        Binding("e", "export", "export what is shown", id="app.export"),
        Binding("plus", "maximise", "one pane on the whole screen, or all again", id="app.maximise"),
        Binding("colon", "command", "command line", id="app.command", priority=True),
        Binding("ctrl+p", "command_palette", "palette of commands", id="app.palette"),
        Binding("question_mark,f1", "help", "keys of this view", id="app.help"),
        Binding("f12", "errors", "last error, versions, timings", id="app.errors"),
        Binding("q,ctrl+c", "quit", "quit", id="app.quit"),
    ]

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
        super().__init__(path, wait=wait, colour=colour)
        if view is not None and view not in BY_NAME:
            raise UnknownName("view", view, list(BY_NAME))
        if theme is not None:
            self.use_theme(theme)
        self.scans: list[Scan] = []
        self.pairings: list[Pairing] = []
        self._start: Start | None = Start(start, view, line)
        self._keeper = Keeper(self, state)
        self._trail, self._past, self._future, self._coming = [], [], [], "browse"
        self._touched = time.monotonic()

    def on_mount(self) -> None:
        """Paint, then open the atlas."""
        self.browse_view.enter()
        self.refresh_bars()
        self.call_after_refresh(self.open_atlas)
        self.set_interval(POLL, self.tend)
        self.set_interval(SLOW, self.watch_slowness)
        self.set_interval(POLL, self._keeper.look)
        leave_at_signals(self.exit)

    def arrived(self) -> None:
        """The atlas is open: the first time show what was left or asked for, later read again."""
        start, self._start = self._start, None
        if start is not None:
            restore(self, self._keeper.path, start)
            self.tell_of_keys()
        else:
            for view in (view for view in self.query(View) if view.is_made):
                view.reload()

    def other_views(self) -> Iterator[View]:
        """All views but the feature table."""
        return (view for view in self.query(View) if view.is_made and not isinstance(view, BrowseView))

    def report(self, error: BaseException) -> None:
        """Say what went wrong in the status line, and in the table if it is empty."""
        super().report(error)
        self.browse_view.table.message = self.store.state.message or self._flash
        self.browse_view.table.refresh()

    def exit(self, *args: Any, **options: Any) -> None:
        """Remember how it is left, and end."""
        self._keeper.keep()
        super().exit(*args, **options)

    # the command line -------------------------------------------------------------------------------------------

    @property
    def command_line(self) -> CommandLine:
        """The line behind `:`."""
        return self.query_one(CommandLine)

    def open_command(self, text: str = "") -> None:
        """Let a command be typed."""
        self.command_line.open(text)

    def on_command_line_entered(self, message: CommandLine.Entered) -> None:
        """Run what was typed."""
        self.flash("")
        self.front.enter()
        if message.text:
            self.run_line(message.text)

    def run_line(self, line: str) -> None:
        """Run a command; what it cannot do is said in the status line."""
        try:
            run(self, line)
        except AtlasError as error:
            self.flash(said(error))

    def export_to(self, path: Path) -> None:
        """Write what is shown to a file, by the command that gives the same.

        Raises:
            UsageError: No command gives it, or the name does not say its format.
        """
        self._may_write()
        words = self._words()
        self._keeper.keep()  # a command reads the marks from there
        from tui.app.export import Export

        job = Export(self.store.path, tuple(words), path)
        self.flash(f"writing {path} …")
        self.run_worker(lambda: self._exported(job), group="export", thread=True, exit_on_error=False)

    def _words(self) -> list[str]:
        """The words after `featlas` that print what is shown.

        Raises:
            UsageError: There are none.
        """
        words = self.front.command()
        if words is None:
            raise UsageError(self.front.refusal(), hint="c copies the text")
        return words

    @property
    def remembers(self) -> bool:
        """Whether marks are kept, so that a command finds them."""
        return self._keeper.path is not None

    def _exported(self, job: Export) -> None:
        """Runs in the worker thread."""
        from tui.app.export import exported

        exported(job)
        self.troubles.note(f"last export: {job.line}")
        self.call_from_thread(self.flash, f"wrote {job.path} – {job.line}")

    def _may_write(self) -> None:
        """Refuse to write files for a web page.

        Raises:
            UsageError: This is one.
        """
        if self.is_web:
            raise UsageError("a web page writes no files", hint="featlas tui, in a terminal")

    def save_screen(self, name: str) -> None:
        """Save the screen as a picture."""
        self._may_write()
        path = Path(name or "featlas.svg").expanduser()
        try:
            path.write_text(self.export_screenshot(title="featlas"), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from error
        self.flash(f"wrote {path}")

    # keys -------------------------------------------------------------------------------------------------------

    def action_view(self, name: str) -> None:
        """One of the main views."""
        self.go(name)

    def action_back(self) -> None:
        """End a question that takes long, else undo within the view, else the view before."""
        if self.store.busy_for() > SLOW:
            self.front.cancel()
        elif not self.front.retreat() and (self._trail or self.front.id == "sql"):  # where q is a letter
            self._bring(self._trail.pop() if self._trail else "browse")
        self.refresh_bars()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where text is typed, a colon is a colon; over a box it means nothing."""
        return action != "command" or not (self.typing or len(self.screen_stack) > 1)

    def action_command(self) -> None:
        """Type a command."""
        self.open_command()

    def action_export(self) -> None:
        """Type the name of the file, if there is anything to write."""
        try:
            self._words()
        except AtlasError as error:
            self.flash(said(error))
        else:
            self.open_command(f"w {self.front.id}.csv")

    def action_copy(self) -> None:
        """Copy the reference of what is shown."""
        self.front.with_reference(lambda text: self._copy(text, f"copied {clean(text)}") if text else None)

    def action_copy_text(self) -> None:
        """Copy the row or the text that is shown."""
        text = self.front.copied()
        self._copy(text, f"copied {len(text.splitlines())} lines")

    def _copy(self, text: str, said: str) -> None:
        """Copy, and say where it is."""
        also = copy(self, text, beside=self._keeper.path.parent if self._keeper.path else None)
        self.flash(said + (f" – {also}" if also else ""))

    def action_maximise(self) -> None:
        """The first pane on the whole screen, or all of them again."""
        self.screen_stack[0].toggle_class("-maximised")
        self.front.call_after_refresh(self.refresh_bars)

    def action_help(self) -> None:
        """The keys that work here, from the focused widget outwards."""
        from tui.app.help import HelpScreen, keys_of

        nodes = [*([self.focused] if self.focused else []), self.front, self]
        self.push_screen(HelpScreen(self.front.NAME, keys_of(nodes, self.keys)))

    def action_errors(self) -> None:
        """What went wrong last, and on what."""
        from tui.app.help import NotesScreen

        self.push_screen(NotesScreen("last error", self.notes()))

    def copy_row(self) -> None:
        """The row of a table as JSON."""
        text = self.front.copied_row()
        self._copy(text, "copied the row as JSON") if text else self.flash(f"{self.front.NAME} has no row")

    def copy_report(self) -> None:
        """What a report of a problem needs."""
        self._copy("\n".join(self.notes()), "copied the last error, versions, terminal and colours")
