"""What all views share: reading in worker threads, title, status and key hints."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from textual.containers import Container
from textual.timer import Timer
from textual.worker import Worker, WorkerState, get_current_worker

from atlas.render.spans import Line
from tui.kit.browser import Answered, Browser, browser_of
from tui.kit.catalogue import Catalogue
from tui.kit.keys import HINTS, Hints, bindings
from tui.kit.store import Question
from tui.widgets.lines import Lines
from tui.widgets.vtable import WINDOW, VTable

Answer = TypeVar("Answer")
Item = TypeVar("Item")


def following(items: Sequence[Item], item: object, step: int = 1) -> Item:
    """The item some steps after another one, wrapping around; an unknown item counts as the one before the first."""
    here = items.index(item) if item in items else -1  # type: ignore[arg-type]
    return items[(here + step) % len(items)]


class View(Container):
    """One screen of the browser. Views own no SQL and no arithmetic."""

    HINTS: ClassVar[Hints] = ()
    """Keys for the last line."""
    NAME: ClassVar[str] = ""
    """As the help calls it."""
    rows: Sequence[Any] = ()
    """What the table lists, where all of it is in memory."""

    def __init_subclass__(cls, *, keys: str = "", **options: Any) -> None:
        """Take keys, hints and name from a place in the table of keys."""
        if keys:
            cls.BINDINGS, cls.HINTS = bindings(keys), HINTS.get(keys, ())
            cls.NAME = cls.__dict__.get("NAME", keys)
        super().__init_subclass__(**options)

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._resting: Timer | None = None
        self.is_made = False
        """All its parts are on the screen, or ready to be."""
        self._waiting: list[Callable[[Any], None]] = []

    def once_made(self, then: Callable[[Any], None]) -> None:
        """Do something as soon as all parts are there."""
        if self.is_made:
            then(self)
        else:
            self._waiting.append(then)

    def on_mount(self) -> None:
        """All parts are there: read what the others have read already, then do what waited."""
        self.is_made = True
        if self.catalogue.is_read:
            self.reload()
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then(self)

    @property
    def browser(self) -> Browser:
        return browser_of(self)

    @property
    def catalogue(self) -> Catalogue:
        return self.browser.catalogue

    def crumbs(self) -> list[str]:
        return [self.NAME]

    def corner(self) -> Line:
        return []

    def hints(self) -> tuple[Hints, bool]:
        """Keys for the last line as things stand, and whether the view is typed into, so that letters are no keys."""
        return self.HINTS, False

    def status(self) -> tuple[Line, Line]:
        return [], []

    def enter(self) -> None:
        """The view comes to the front: put the focus where the keys belong."""

    def reload(self) -> None:
        """The atlas was opened, or may have changed: read again."""

    def retreat(self) -> bool:
        """Undo something within the view on Esc; false if there is nothing to undo."""
        return False

    def reference(self) -> str | None:
        return None

    def with_reference(self, then: Callable[[str | None], None]) -> None:
        """Do something with the reference, at once or when it has been read."""
        then(self.reference())

    def copied(self) -> str:
        """What `c` copies: the row under the cursor where a table has the focus, else what the panes say."""
        focused = self.app.focused
        if isinstance(focused, VTable):
            return focused.text()
        return "\n".join(pane.text() for pane in self.query(Lines) if pane.size.width)

    def copied_row(self) -> str:
        """The row under the cursor as JSON; empty where no table is shown."""
        tables = [table for table in self.query(VTable) if table.n_rows]
        return json.dumps(tables[0].record(), ensure_ascii=False) if tables else ""

    def command(self) -> list[str] | None:
        """The words after `featlas` that print what is shown: what `e` runs. None if no command does."""
        return None

    def refusal(self) -> str:
        return f"no command exports {self.NAME}"

    def sql(self) -> str | None:
        """A query that gives what is shown; None if there is none."""
        return None

    def on_vtable_wanted(self, message: VTable.Wanted) -> None:
        """Override `fill_window`, not this: Textual runs the handlers of all base classes."""
        window = message.table.missing()
        if window is not None:
            self.fill_window(message.table, window)

    def fill_window(self, table: VTable, window: int) -> None:
        table.deliver(table.generation, window, self.rows[window * WINDOW : (window + 1) * WINDOW])

    def on_vtable_moved(self, message: VTable.Moved) -> None:
        self.browser.refresh_bars()

    def scroll_pages(self, pane: Lines, pages: int) -> None:
        pane.scroll_relative(y=pages * max(1, pane.size.height - 1), animate=False)

    def after_rest(self, seconds: float, then: Callable[[], None]) -> None:
        """Do something once nothing of this view has asked again for some seconds."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(seconds, then)

    def cancel(self) -> None:
        self.browser.store.cancel()

    def place(self) -> object:
        """State to return to by `[` and `]`; None if it is always the same."""
        return None

    def return_to(self, place: Any) -> None:
        """Restore the state `place`; called before the view comes to the front."""

    def failed(self, group: str) -> None:
        """A question of this view has failed; the application says why.

        Args:
            group: As it was given to `read`.
        """

    def read(
        self,
        question: Question[Answer],
        then: Callable[[Answer], None],
        *,
        group: str,
        exclusive: bool = True,
        ask: Callable[[Question[Answer]], Answer] | None = None,
    ) -> None:
        """Ask the store in a worker thread and show the answer, unless a newer question of the group came after.

        Args:
            question: What to do with the atlas.
            then: What to do with the answer.
            group: Of questions of which the newest counts.
            exclusive: Whether a newer question of the group makes this one void.
            ask: How to ask; `ask` of the store if None.
        """
        self.run_worker(
            partial(self._answer, ask or self.browser.store.ask, question, then),
            group=f"{self.id}-{group}",
            exclusive=exclusive,
            thread=True,
            exit_on_error=False,
        )

    def drop(self, group: str) -> None:
        self.workers.cancel_group(self, f"{self.id}-{group}")

    def _answer(self, ask: Callable[[Any], Any], question: Question[Any], then: Callable[[Any], None]) -> None:
        worker = get_current_worker()
        if not worker.is_cancelled:
            self.post_message(Answered(worker, then, ask(question)))

    def on_answered(self, message: Answered) -> None:
        message.deliver()
        self.browser.refresh_bars()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.failed(event.worker.group.removeprefix(f"{self.id}-"))
            self.browser.report(event.worker.error)
