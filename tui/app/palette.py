"""The palette: every command, and their usual values, found by a few letters."""

from __future__ import annotations

from asyncio import to_thread, wait_for
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from atlas.errors import AtlasError
from atlas.filters.fields import SORTABLE
from atlas.queries.grids import grid_heads
from atlas.render.text import clean
from tui.app.commands import COMMANDS, run_line
from tui.app.desk import Desk
from tui.app.views import VIEWS
from tui.kit.browser import Host
from tui.kit.keys import hint, readable

PATIENCE = 0.3
"""Seconds that the palette waits for the database."""


class CommandProvider(Provider):
    """Offers the table of commands; what needs a value opens the command line."""

    _metrics: Sequence[str] = ()

    @property
    def _desk(self) -> Desk:
        assert isinstance(self.app, Host)
        assert isinstance(self.app.browser, Desk)
        return self.app.browser

    async def startup(self) -> None:
        """Ask which metrics have a grid, but not for long: the rest is wanted at once."""
        with suppress(AtlasError, TimeoutError):
            heads = await wait_for(to_thread(self._desk.store.ask, grid_heads), PATIENCE)
            self._metrics = list(dict.fromkeys(head.metric for head in heads))

    async def discover(self) -> Hits:
        for text, line in self._choices():
            yield DiscoveryHit(Content(text), partial(self._run, line), text=text)

    async def search(self, query: str) -> Hits:
        """What fits some letters."""
        matcher = self.matcher(query)
        for text, line in self._choices():
            score = matcher.match(f"{text} {line}")  # the names of commands and views count as well
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self._run, line), text=text)

    def _run(self, line: str) -> None:
        """Run a line, or let the rest of it be typed."""
        if line.endswith(" "):
            self.app.call_after_refresh(self._desk.command_line.open, line)
        else:
            run_line(self._desk, line)

    def _choices(self) -> Iterator[tuple[str, str]]:
        """(what is shown, the line that it runs)."""
        own = self._desk.bars.own_keys
        for command in COMMANDS:
            keys = hint(command.keys, own) if "." in command.keys else command.keys
            text = command.about + " …" * bool(command.takes) + (f"   {keys}" if keys else "")
            yield text, command.name + " " * command.needs
        for entry in VIEWS:
            keys = "" if entry.held else f"   {readable(own.get(f'app.{entry.name}', entry.keys))}"
            yield f"view: {entry.about}{keys}", f"view {entry.name}"
        for metric in self._metrics:
            yield f"open matrix: {clean(metric)}", f"matrix {metric}"
        for scan in {scan.sae: scan for scan in self._desk.catalogue.scans}.values():
            yield f"features of SAE {clean(scan.alias)} {clean(scan.sae)}", f"sae {scan.sae}"
        for about, line in _FILTERS:
            yield about, f"features {line}"
        for sort in SORTABLE:
            yield f"sort by {sort}, largest first", f"sort -{sort}"
            yield f"sort by {sort}, smallest first", f"sort {sort}"
        for past in reversed(self._desk.stage.browse.box.recall.texts):
            yield f"recent filter: {clean(past)}", f"filter {past}"
        for theme in sorted(self.app.available_themes):
            yield f"theme: {theme}", f"theme {theme}"


_FILTERS = (
    ("dead features", "dead"),
    ("next unlabelled features", "-labelled -dead"),
    ("unmatched features, without a partner", "-matched -dead"),
    ("features whose best partner chooses them too", "mutual"),
    ("features that are neither function words nor punctuation", "concept"),
)
"""Common filters."""
