"""From one day to the next: the browser as it was left, and what the command line asks for on top."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from atlas.catalog.remembered import Remembered, load, save
from atlas.errors import AtlasError
from atlas.filters.fields import SORTABLE
from atlas.references import FeatureRef, PairRef, parse_reference
from tui.app.start import HELD
from tui.app.views import VIEWS

if TYPE_CHECKING:
    from tui.app.app import FeatlasApp


@dataclass(frozen=True, slots=True)
class Start:
    """What the command line asks for."""

    reference: FeatureRef | PairRef | None = None
    """Shown first."""
    view: str | None = None
    """In front."""
    line: str | None = None
    """Filter of the feature table."""


def restore(app: FeatlasApp, path: Path | None, start: Start) -> None:
    """Bring the browser to where it was left, then to what was asked for.

    Args:
        app: The catalogue has been read.
        path: The file that remembers; None to begin afresh.
        start: Of the command line.
    """
    kept, note = load(path) if path else (Remembered(), "")
    app.marks |= set(kept.marks)
    app.marks_kept = frozenset(kept.marks)
    browse, bare = app.browse_view, start.reference is None and start.line is None
    browse.box.recall.texts = list(kept.filters)
    app.command_line.recall.texts = list(kept.commands)
    browse.sort, browse.ascending = (kept.sort, kept.reverse) if kept.sort in SORTABLE else ("density", False)
    line = start.line if start.line is not None else kept.filter if bare else ""
    trouble = browse.trouble_with(line)
    scan = app.scan_of(kept.sae, kept.corpus) if bare else None
    browse.show_scan(scan, wanted=_cursor(app, kept.cursor), line="" if trouble else line)
    for view in app.other_views():
        view.reload()
    if start.reference is not None:
        app.open_reference(start.reference)
    known = [entry.name for entry in VIEWS if entry.name not in HELD]
    view = start.view or (kept.view if bare else None)
    if view in known or view == "feature":
        app.go(view)
    app.forget_way()
    if note or trouble:
        app.flash(note or trouble)


class Keeper:
    """Writes down how the browser is left: at the end, and a moment after a mark, a filter or a scope has changed."""

    def __init__(self, app: FeatlasApp, path: Path | None) -> None:
        """Nothing was written yet.

        Args:
            app: What is kept of.
            path: The file that remembers; None to forget.
        """
        self.path = path
        self._app = app
        self._written: Remembered | None = None

    def keep(self) -> None:
        """Write everything; an atlas that was never open leaves what was kept before."""
        if self.path is not None and self._app.scans:
            self._write(self.path, _left(self._app))

    def look(self) -> None:
        """Write if more has changed than the place of the cursor."""
        if self.path is None or not self._app.scans:
            return
        now, old = _left(self._app), self._written
        if old is None or replace(now, view=old.view, cursor=old.cursor) != old:
            self._write(self.path, now)

    def _write(self, path: Path, state: Remembered) -> None:
        """Write the file; marks that another browser of this atlas made or took away meanwhile stay as it left them."""
        self._written, now, kept = state, frozenset(state.marks), self._app.marks_kept
        marks = (set(load(path)[0].marks) | now - kept) - (kept - now)
        self._app.marks_kept = now
        save(path, replace(state, marks=tuple(sorted(marks))))


def _left(app: FeatlasApp) -> Remembered:
    """How the browser stands."""
    browse = app.browse_view
    scope = browse.scope
    return Remembered(
        view=str(app.front.id),
        filter=browse.text,
        sort=browse.sort,
        reverse=browse.ascending,
        sae=scope.sae if scope else "",
        corpus=scope.corpus if scope else "",
        cursor=browse.reference() or "",
        marks=tuple(sorted(app.marks)),
        filters=tuple(browse.box.recall.texts),
        commands=tuple(app.command_line.recall.texts),
    )


def leave_at_signals(leave: Callable[[], None]) -> None:
    """End properly when the system asks for it or the terminal goes away; where signals are not to be had, do not."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(getattr(signal, name), leave)


def _cursor(app: FeatlasApp, text: str) -> tuple[int, int] | None:
    """Scan and number of the feature that the cursor was on."""
    try:
        reference = parse_reference(text)
    except AtlasError:
        return None
    if not isinstance(reference, FeatureRef):
        return None
    scan = next((scan for scan in reversed(app.scans) if scan.sae == reference.sae), None)
    return (scan.scan_id, reference.feature_id) if scan else None
