"""The browser: shell painted first, atlas opened in a thread after it, one view in front."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import ContentSwitcher, Static
from textual.worker import Worker, WorkerState, get_current_worker

from atlas.errors import AtlasError
from atlas.queries import browse
from atlas.queries.browse_records import FeatureDetail, Pairing, Scan
from atlas.references import FeatureRef, PairRef
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.browse import BrowseView
from tui.feature import FeatureView
from tui.help import HelpScreen, keys_of
from tui.lines import Bar
from tui.messages import Answered
from tui.overview import OverviewView
from tui.pair import PairKey, PairView
from tui.pairs import PairsView
from tui.start import located
from tui.store import Store
from tui.styles import Styler
from tui.view import View, keys_line

SMALLEST = (60, 15)
"""Columns and rows below which nothing useful fits."""

POLL = 0.5
"""Seconds between two looks for a writer that waits."""


class FeatlasApp(App[None]):
    """Views over one atlas. Holds the catalogue: which scans and which comparisons there are."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "view('browse')", "browse features", id="app.browse"),
        Binding("2", "view('pairs')", "matched pairs", id="app.pairs"),
        Binding("o,0", "view('overview')", "SAEs and comparisons", id="app.overview"),
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
        refused = bool(os.environ.get("NO_COLOR"))  # Textual chooses its colour filter while it is made
        super().__init__(ansi_color=True if refused or colour is False else None)
        self.store = Store(path, wait=wait)
        self.scans: list[Scan] = []
        self.pairings: list[Pairing] = []
        if colour is None:
            colour = self.console.color_system in ("truecolor", "256") and not refused
        if not colour:
            self.theme = "ansi-dark"
        self.styler = Styler(colour=colour, dark=self.current_theme.dark)
        self.animation_level = "none"
        self._start = start
        self._trail: list[str] = []
        self._flash = ""

    def compose(self) -> ComposeResult:
        """Title, views, status, keys."""
        yield Bar(id="title")
        with ContentSwitcher(initial="browse", id="views"):
            yield OverviewView(id="overview")
            yield BrowseView(id="browse")
            yield FeatureView(id="feature")
            yield PairsView(id="pairs")
            yield PairView(id="pair")
        yield Bar(id="status")
        yield Bar(id="keys")
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        """Paint, then open the atlas."""
        self.browse_view.enter()
        self.refresh_bars()
        self.call_after_refresh(self._open)
        self.set_interval(POLL, self._tend)

    # the atlas --------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Read the catalogue in a thread; the views follow."""
        self.run_worker(self._read_catalogue, group="catalogue", exclusive=True, thread=True, exit_on_error=False)

    def _read_catalogue(self) -> None:
        """Runs in the worker thread."""
        found = self.store.ask(lambda atlas: (browse.scans(atlas), browse.pairings(atlas)))
        self.post_message(Answered(get_current_worker(), self._show_catalogue, found))

    def on_answered(self, message: Answered) -> None:
        """Show what a worker has read."""
        message.deliver()
        self.refresh_bars()

    def _show_catalogue(self, found: tuple[list[Scan], list[Pairing]]) -> None:
        """The atlas is open: let every view read."""
        self.scans, self.pairings = found
        start, self._start = self._start, None
        if start is None:
            for view in self.query(View):
                view.reload()
        else:
            self.query_one(OverviewView).reload()
            self._go_to(start)

    def _tend(self) -> None:
        """Let go of the file when a writer asks; come back when it has gone."""
        kind = self.store.state.kind
        if kind == "open" and self.store.asked_to_leave():
            self.run_worker(self.store.release, group="tend", exclusive=True, thread=True, exit_on_error=False)
        elif kind in ("released", "unavailable"):
            self.run_worker(self._come_back, group="tend", exclusive=True, thread=True, exit_on_error=False)
        self.refresh_bars()

    def _come_back(self) -> None:
        """Runs in the worker thread: open the file again, then read what may have changed."""
        if self.store.come_back():
            self._read_catalogue()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Workers of the application itself."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.report(event.worker.error)

    def report(self, error: BaseException) -> None:
        """Say what went wrong in the status line; why the file is closed says the store."""
        if self.store.state.kind == "open":
            self._flash = error.what if isinstance(error, AtlasError) else f"{type(error).__name__}: {error}"
        self.browse_view.table.message = self.store.state.message or self._flash
        self.browse_view.table.refresh()
        self.refresh_bars()

    def scan_of(self, sae: str, corpus: str) -> Scan | None:
        """A scan by names."""
        return next((scan for scan in reversed(self.scans) if (scan.sae, scan.corpus) == (sae, corpus)), None)

    # views ------------------------------------------------------------------------------------------------------

    @property
    def browse_view(self) -> BrowseView:
        """The feature table."""
        return self.query_one(BrowseView)

    @property
    def feature_view(self) -> FeatureView:
        """One feature."""
        return self.query_one(FeatureView)

    @property
    def front(self) -> View:
        """The view that is shown."""
        return self.query_one(f"#{self.query_one(ContentSwitcher).current}", View)

    def is_front(self, view: View) -> bool:
        """Whether a view is the one that is shown."""
        return self.query_one(ContentSwitcher).current == view.id

    def go(self, name: str) -> None:
        """Show a view; esc comes back."""
        current = self.query_one(ContentSwitcher).current
        if current != name:
            self._trail = [past for past in self._trail if past != name] + ([current] if current else [])
        self._bring(name)

    def _bring(self, name: str) -> None:
        """Put a view in front."""
        self.query_one(ContentSwitcher).current = name
        self._flash = ""
        self.front.enter()
        self.refresh_bars()

    def browse_scan(self, scan: Scan | None, *, feature_id: int | None = None) -> None:
        """Browse the features of one scan."""
        self.browse_view.show_scan(scan, feature_id=feature_id)
        self.go("browse")

    def pair_of(self, detail: FeatureDetail) -> None:
        """A feature beside its best partners, one after the other."""
        keys = [
            (detail.scan, detail.feature.feature_id, other, partner.feature_id)
            for partner in detail.partners
            if (other := self.scan_of(partner.sae, detail.scan.corpus))
        ]
        if keys:
            self.open_pair(lambda row: keys[row], 0, len(keys))
        else:
            self.flash(f"{detail.reference} has no stored partner – featlas correlate {detail.scan.alias} OTHER")

    def open_pair(self, at: Callable[[int], PairKey | None], row: int, n_rows: int) -> None:
        """Show one pair of a list."""
        self.query_one(PairView).open(at, row, n_rows)
        self.go("pair")

    def _go_to(self, start: FeatureRef | PairRef) -> None:
        """Show what the command line named."""
        try:
            places = located(start, self.scans)
        except AtlasError as error:
            self.browse_scan(None)
            self.flash(error.what)
            return
        scan, feature_id = places[0]
        self.browse_scan(scan, feature_id=feature_id)
        if len(places) == 1:
            self.go("feature")
        else:
            self.open_pair(lambda row: (*places[0], *places[1]), 0, 1)

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

    # bars -------------------------------------------------------------------------------------------------------

    def flash(self, text: str) -> None:
        """Say something in the status line until the view changes."""
        self._flash = text
        self.refresh_bars()

    def refresh_bars(self) -> None:
        """Title, status and keys of the view in front."""
        if not self.is_running or isinstance(self.screen, HelpScreen):
            return
        view = self.front
        title: Line = [Span(" featlas", tone="strong"), Span(f" {clean(self.store.path.name)}")]
        for crumb in view.crumbs():
            title += [Span(" › ", tone="dim"), Span(clean(crumb))]
        self.query_one("#title", Bar).show(title, [*view.corner(), Span("ro ", tone="dim")])
        left, right = view.status()
        trouble = self.store.state.message or self._flash
        self.query_one("#status", Bar).show([Span(f" {clean(trouble)}", tone="warn")] if trouble else left, right)
        self.query_one("#keys", Bar).show(keys_line(view.HINTS, self.size.width))

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
