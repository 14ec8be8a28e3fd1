"""The browser: shell painted first, atlas opened in a thread after it, one view in front."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from atlas.queries.browse_records import Pairing, Scan
from atlas.references import FeatureRef, PairRef
from atlas.render.text import clean
from tui.catalogue import POLL
from tui.help import HelpScreen, keys_of
from tui.navigation import Navigator
from tui.overview import OverviewView
from tui.view import View
from tui.views import VIEWS


class FeatlasApp(Navigator):
    """Views over one atlas, and the keys that work in all of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(v.keys, f"view('{v.name}')", v.about, id=f"app.{v.name}") for v in VIEWS if v.keys),
        Binding("escape", "back", "back", id="app.back"),
        Binding("y", "copy", "copy the reference", id="app.copy"),
        Binding("question_mark,f1", "help", "keys of this view", id="app.help"),
        Binding("q,ctrl+c", "quit", "quit", id="app.quit"),
    ]

    def __init__(
        self,
        path: Path,
        *,
        wait: float = 0,
        start: FeatureRef | PairRef | None = None,
        colour: bool | None = None,
    ) -> None:
        """Prepare to browse one atlas.

        Args:
            path: The database file.
            wait: Seconds that the first opening waits for a locked file.
            start: What to show first; the feature table if None.
            colour: Shade by colour; None asks the terminal and NO_COLOR.
        """
        super().__init__(path, wait=wait, colour=colour)
        self.scans: list[Scan] = []
        self.pairings: list[Pairing] = []
        self._start = start
        self._trail: list[str] = []

    def on_mount(self) -> None:
        """Paint, then open the atlas."""
        self.browse_view.enter()
        self.refresh_bars()
        self.call_after_refresh(self.open_atlas)
        self.set_interval(POLL, self.tend)

    def arrived(self) -> None:
        """The atlas is open: let every view read, and show what the command line named."""
        start, self._start = self._start, None
        if start is None:
            for view in self.query(View):
                view.reload()
        else:
            self.query_one(OverviewView).reload()
            self.open_reference(start)

    def report(self, error: BaseException) -> None:
        """Say what went wrong in the status line, and in the table if it is empty."""
        super().report(error)
        self.browse_view.table.message = self.store.state.message or self._flash
        self.browse_view.table.refresh()

    # keys -------------------------------------------------------------------------------------------------------

    def action_view(self, name: str) -> None:
        """One of the main views."""
        self.go(name)

    def action_back(self) -> None:
        """Undo within the view, else the view before."""
        if not self.front.retreat() and self._trail:
            self._bring(self._trail.pop())
        self.refresh_bars()

    def action_copy(self) -> None:
        """Copy the reference of what is shown."""
        reference = self.front.reference()
        if reference is not None:
            self.copy_to_clipboard(reference)
            self.flash(f"copied {clean(reference)}")

    def action_help(self) -> None:
        """The keys that work here, from the focused widget outwards."""
        nodes = [*([self.focused] if self.focused else []), self.front, self]
        self.push_screen(HelpScreen(self.front.NAME, keys_of(nodes)))
