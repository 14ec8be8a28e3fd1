"""What views, widgets and the console may ask of the browser: they see no more of the application than this."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from textual.app import App
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker

from atlas.queries.browse_records import FeatureDetail, Scan
from tui.kit.catalogue import Catalogue
from tui.kit.store import Store
from tui.kit.styles import Styler

PairKey = tuple[Scan, int, Scan, int]
"""Scan and feature on the left, scan and feature on the right."""

PairAt = Callable[[int], PairKey | None]
"""The pair in a row of some list."""


class Ways(Protocol):
    """How a view leads to another one; esc comes back."""

    def go(self, name: str) -> None: ...
    def browse_scan(self, scan: Scan | None, *, feature_id: int | None = None, line: str = "") -> None: ...
    def browse_features(self, keys: Sequence[tuple[int, int]], about: str) -> None: ...
    def open_feature(self, scan: Scan, feature_id: int) -> None: ...
    def open_pairs(self, sae_a: str, sae_b: str, corpus: str, corpus_b: str) -> None: ...
    def open_pair(self, at: PairAt, row: int, n_rows: int, *, measure: str = "activation") -> None: ...
    def pair_of(self, detail: FeatureDetail) -> None: ...


class Browser(Protocol):
    """The browser as its views know it."""

    store: Store
    catalogue: Catalogue
    marks: set[tuple[str, int]]
    """(SAE, feature) of the marked features."""
    listed: frozenset[tuple[str, int]] | None
    """(SAE, feature) of the list that a view has handed over last; None before that."""

    @property
    def ways(self) -> Ways: ...
    @property
    def styler(self) -> Styler: ...
    @property
    def typing(self) -> bool:
        """Whether keys go into a text."""
        ...

    @property
    def remembers(self) -> bool:
        """Whether marks are kept, so that a command finds them."""
        ...

    def toggle_coding(self) -> None: ...
    def is_front(self, view: Widget) -> bool: ...
    def with_view(self, name: str, then: Callable[[Any], None]) -> None:
        """Do something with a view; one that was never shown is made first."""

    def flash(self, text: str) -> None:
        """Say something in the status line until the next key."""

    def report(self, error: BaseException) -> None: ...
    def refresh_bars(self) -> None: ...


@dataclass
class Answered(Message, bubble=False):
    """A worker has read what a view asked for; `then` shows it, unless a newer question has taken its place."""

    worker: Worker[Any]
    then: Callable[[Any], None]
    answer: Any

    def deliver(self) -> None:
        """Show the answer, or drop it if it is stale."""
        if not self.worker.is_cancelled:
            self.then(self.answer)


class Host(App[None]):
    """An application around a browser."""

    browser: Browser


def browser_of(widget: Widget) -> Browser:
    """The browser that a widget is part of."""
    host = widget.app
    assert isinstance(host, Host)
    return host.browser
