"""The start of a session: the browser as it was left, then what the command line asks for."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.catalog.remembered import Remembered, load
from atlas.errors import AtlasError
from atlas.filters.fields import SORTABLE
from atlas.references import FeatureRef, PairRef, parse_reference
from tui.app.desk import Desk
from tui.app.views import BY_NAME
from tui.kit.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Start:
    """What the command line asks for."""

    reference: FeatureRef | PairRef | None = None
    """Shown first."""
    view: str | None = None
    """In front."""
    line: str | None = None
    """Filter of the feature table."""


def restore(desk: Desk, start: Start) -> None:
    """Bring the browser to where it was left, then to what was asked for; the catalogue has been read."""
    kept, note = load(desk.keeper.path) if desk.keeper.path else (Remembered(), "")
    desk.marks |= set(kept.marks)
    desk.keeper.kept = frozenset(kept.marks)
    browse, bare = desk.stage.browse, start.reference is None and start.line is None
    browse.box.recall.texts = list(kept.filters)
    desk.command_line.recall.texts = list(kept.commands)
    browse.sort, browse.ascending = (kept.sort, kept.reverse) if kept.sort in SORTABLE else ("density", False)
    line = start.line if start.line is not None else kept.filter if bare else ""
    trouble = browse.trouble_with(line)
    scan = desk.catalogue.scan_of(kept.sae, kept.corpus) if bare else None
    browse.show_scan(scan, wanted=_cursor(desk.catalogue, kept.cursor), line="" if trouble else line)
    for view in desk.stage.made:
        if view is not browse:
            view.reload()
    if start.reference is not None:
        desk.ways.open_reference(start.reference)
    view = start.view or (kept.view if bare else None)
    if view == "feature" or (view in BY_NAME and not BY_NAME[view].held):
        desk.ways.go(view)
    desk.ways.forget()
    if note or trouble:
        desk.flash(note or trouble)


def _cursor(catalogue: Catalogue, text: str) -> tuple[int, int] | None:
    try:
        reference = parse_reference(text)
    except AtlasError:
        return None
    scan = catalogue.newest_of(reference.sae) if isinstance(reference, FeatureRef) else None
    return (scan.scan_id, reference.feature_id) if scan and isinstance(reference, FeatureRef) else None
