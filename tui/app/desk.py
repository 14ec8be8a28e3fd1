"""The browser behind the screen: its parts, and what views, commands and the palette ask of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from textual.widgets import Input, TextArea

from atlas.catalog.remembered import Remembered
from atlas.errors import UsageError
from tui.app.bars import Bars
from tui.app.keeper import Keeper
from tui.app.looks import Looks
from tui.app.tending import Tending
from tui.app.views import Stage
from tui.app.ways import Ways
from tui.kit.browser import Host
from tui.kit.catalogue import Catalogue
from tui.kit.store import Store
from tui.kit.styles import Styler
from tui.widgets.typed import CommandLine


class Desk:
    """Every part of the browser once; a `Browser` to the views."""

    def __init__(self, host: Host, path: Path, *, wait: float, colour: bool | None, state: Path | None) -> None:
        """Nothing is opened and nothing drawn yet; `host` draws and runs workers, the rest is as it was given to it."""
        self.host = host
        self.store = Store(path, wait=wait)
        self.catalogue = Catalogue([], [], [], is_read=False)
        self.marks: set[tuple[str, int]] = set()
        self.listed: frozenset[tuple[str, int]] | None = None
        self.stage = Stage(host)
        self.bars = Bars(host, self.store, self.stage)
        self.is_front, self.with_view = self.stage.is_front, self.stage.with_view
        self.flash, self.report, self.refresh_bars = self.bars.flash, self.bars.report, self.bars.refresh
        self.looks = Looks(host, self.flash, colour=colour)
        self.toggle_coding = self.looks.toggle_coding
        self.ways = Ways(self, self.stage)
        self.tending = Tending(host, self.store, self.bars, self._take)
        self.arrived: Callable[[], None] = self._reload
        """What to do when the atlas was read: the first time something else than later."""
        self.keeper = Keeper(state, self._left)

    @property
    def styler(self) -> Styler:
        return self.looks.styler

    @property
    def typing(self) -> bool:
        """Whether keys go into a text. Keys that open a line are taken first, or letters right after would be lost."""
        return isinstance(self.host.focused, Input | TextArea)

    @property
    def remembers(self) -> bool:
        return self.keeper.path is not None

    def _take(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        then, self.arrived = self.arrived, self._reload
        then()

    def _reload(self) -> None:
        for view in self.stage.made:
            view.reload()

    def _left(self) -> Remembered | None:
        """State of the browser to remember; None if the atlas was never open."""
        if not self.catalogue.scans:
            return None
        browse = self.stage.browse
        scope = browse.scope
        return Remembered(
            view=str(self.stage.front.id),
            filter=browse.text,
            sort=browse.sort,
            reverse=browse.ascending,
            sae=scope.sae if scope else "",
            corpus=scope.corpus if scope else "",
            cursor=browse.reference() or "",
            marks=tuple(sorted(self.marks)),
            filters=tuple(browse.box.recall.texts),
            commands=tuple(self.command_line.recall.texts),
        )

    @property
    def command_line(self) -> CommandLine:
        return self.host.query_one(CommandLine)

    def words(self) -> list[str]:
        """The words after `featlas` that print what is shown.

        Raises:
            UsageError: There are none.
        """
        front = self.stage.front
        words = front.command()
        if words is None:
            raise UsageError(front.refusal(), hint="c copies the text")
        return words

    def copy(self, text: str, said: str) -> None:
        """Copy a text every way there is; most terminals take OSC 52, none says whether it did: a file has it too."""
        self.host.copy_to_clipboard(text)
        if self.keeper.path and not _to_system(text):
            path = self.keeper.path.parent / "copied.txt"
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                said += f" – also in {path}"
        self.flash(said)

    def may_write(self) -> None:
        """Refuse to write files for a web page.

        Raises:
            UsageError: This is one.
        """
        if self.host.is_web:
            raise UsageError("files cannot be written from a web page", hint="featlas tui, in a terminal")


def _to_system(text: str) -> bool:
    """Copy through pyperclip, if it is installed and finds a clipboard."""
    try:
        pyperclip = import_module("pyperclip")
    except ImportError:
        return False
    try:
        pyperclip.copy(text)
    except pyperclip.PyperclipException:
        return False
    return True
