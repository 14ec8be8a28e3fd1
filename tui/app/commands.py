"""What `:` and the palette can do: one table of commands, and writing what is shown to files."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.filters.fields import full_name
from atlas.references import parse_reference, resolve_sae
from tui.app.desk import Desk
from tui.app.views import BY_NAME
from tui.kit.troubles import said
from tui.views.base.listview import ListView


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do, by name."""

    name: str
    takes: str
    """What it must be given, for the help; empty if nothing."""
    about: str
    keys: str
    """Ids of the keys that do the same, or those keys in words; empty if none do."""
    run: Callable[[Desk, str], None]

    @property
    def needs(self) -> bool:
        return bool(self.takes) and not self.takes.startswith("[")


def run_line(desk: Desk, line: str) -> None:
    """Run a command; what it cannot do is said in the status line."""
    try:
        run(desk, line)
    except AtlasError as error:
        desk.flash(said(error))


def run(desk: Desk, line: str) -> None:
    """Run one line; a reference alone goes to it.

    Raises:
        UsageError: There is no such command, or it cannot take what it was given.
    """
    name, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if ":" in name:
        _goto(desk, line.strip())
        return
    fits = [one for one in COMMANDS if one.name == name] or [one for one in COMMANDS if one.name.startswith(name)]
    if not name or not fits:
        raise UnknownName("command", name, [one.name for one in COMMANDS])
    if len(fits) > 1:
        raise UsageError(f"{name} may be {', '.join(one.name for one in fits[:-1])} or {fits[-1].name}")
    command = fits[0]
    if command.needs and not rest:
        raise UsageError(f"{command.name} needs {command.takes}")
    command.run(desk, rest)


def _goto(desk: Desk, text: str) -> None:
    desk.ways.open_reference(parse_reference(text))


def _list(desk: Desk) -> ListView:
    front = desk.stage.front
    if not isinstance(front, ListView):
        raise UsageError(f"{front.NAME} has no list to filter or sort", hint=":view browse")
    return front


def _sort(desk: Desk, text: str) -> None:
    """An order; a minus asks for the largest first."""
    name, view = full_name(text.removeprefix("-")), _list(desk)
    view.use_sort_named(name if name in view.sorts() else text.removeprefix("-"), descending=text.startswith("-"))


def _sae(desk: Desk, text: str) -> None:
    catalogue = desk.catalogue
    desk.ways.browse_scan(None if text == "all" else catalogue.newest_of(resolve_sae(text, catalogue.names)))


def _view(desk: Desk, text: str) -> None:
    if text not in BY_NAME:
        raise UnknownName("view", text, list(BY_NAME))
    desk.ways.go(text)


def _sql(desk: Desk, text: str) -> None:
    """The SQL view, with a query or with the one that gives what is shown."""
    query = text or desk.stage.front.sql() or ""
    desk.ways.go("sql")
    if query:
        desk.with_view("sql", lambda console: console.open(query))


def _act(action: str) -> Callable[[Desk, str], None]:

    def act(desk: Desk, text: str) -> None:
        front = desk.stage.front
        if not action.startswith("app.") and not hasattr(front, f"action_{action}"):
            raise UsageError(f"{front.NAME} has nothing to {action}", hint=":view browse")
        desk.host.run_worker(
            desk.host.run_action(action, desk.host if action.startswith("app.") else front), exit_on_error=False
        )

    return act


def _filter(desk: Desk, text: str) -> None:
    view = _list(desk)
    view.box.recall.add(text)
    view.use_filter(text)


def _features(desk: Desk, text: str) -> None:
    desk.ways.go("browse")
    desk.stage.browse.use_filter(text)


def _random(desk: Desk, text: str) -> None:
    desk.ways.go("browse")
    desk.stage.browse.action_random()


def _matrix(desk: Desk, text: str) -> None:
    desk.ways.go("matrix")
    if text:
        desk.with_view("matrix", lambda view: view.show_metric(text))


def _write(desk: Desk, text: str) -> None:
    """Write what is shown to a file, in a thread, by running the very command that gives the same."""
    desk.may_write()
    path = Path(text).expanduser()
    words = ["--db", str(desk.store.path), *desk.words(), "-o", str(path)]
    desk.keeper.keep()  # a command reads the marks from there
    desk.flash(f"writing {path} …")

    def write() -> None:
        from atlas.cli import run_within

        run_within(["--quiet", *words])
        line = shlex.join(["featlas", *words])
        desk.bars.troubles.note(f"last export: {line}")
        desk.host.call_from_thread(desk.flash, f"wrote {path} – {line}")

    desk.host.run_worker(write, group="export", thread=True, exit_on_error=False)


def _screenshot(desk: Desk, text: str) -> None:
    desk.may_write()
    path = Path(text or "featlas.svg").expanduser()
    try:
        path.write_text(desk.host.export_screenshot(title="featlas"), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    desk.flash(f"wrote {path}")


def _row(desk: Desk, text: str) -> None:
    front = desk.stage.front
    row = front.copied_row()
    desk.copy(row, "copied the row as JSON") if row else desk.flash(f"{front.NAME} has no row")


def _report(desk: Desk, text: str) -> None:
    desk.copy("\n".join(desk.bars.notes()), "copied the last error, versions, terminal and colours")


_FILES = "a file name ending in .csv, .json, .jsonl or .parquet"

COMMANDS = (
    Command("goto", "a feature A:1081 or a pair A:1081=B:3169", "go to a feature or a pair", "", _goto),
    Command("filter", "[FILTER]", "filter the list; nothing clears it", "list.filter", _filter),
    Command("sort", "a column, with a minus for the largest first", "sort the list", "list.sort list.reverse", _sort),
    Command("sae", "an SAE, or all", "features of one SAE", "browse.sae", _sae),
    Command("view", "its name", "show a view", "1 to 9", _view),
    Command("sql", "[QUERY]", "the SQL view, with the query of what is shown", "", _sql),
    Command("w", _FILES, "write what is shown to a file", "app.export", _write),
    Command("mark", "", "mark or unmark the feature", "browse.mark", _act("mark")),
    Command("marked", "", "only the marked features, or all again", "browse.marked", _act("marked")),
    Command("random", "", "random feature", "browse.random", _random),
    Command("features", "[FILTER]", "features that fit a filter", "", _features),
    Command("matrix", "[METRIC]", "open the matrix of a metric", "app.matrix", _matrix),
    Command("copy", "", "copy the reference", "app.copy", _act("app.copy")),
    Command("text", "", "copy the text that is shown", "app.copy_text", _act("app.copy_text")),
    Command("json", "", "copy the row as JSON", "", _row),
    Command("maximise", "", "one pane on the whole screen, or all again", "app.maximise", _act("app.maximise")),
    Command("theme", "the name of a theme", "other colours", "", lambda desk, text: desk.looks.use_theme(text)),
    Command("release", "", "close the database, so that others may write", "", lambda desk, _: desk.tending.let_go()),
    Command("resume", "", "open the database again", "any key", lambda desk, _: desk.tending.come_back()),
    Command("screenshot", "[FILE.svg]", "save the screen as a picture", "", _screenshot),
    Command("errors", "", "last error, versions and timings", "app.errors", _act("app.errors")),
    Command("report", "", "report a problem: copy what F12 says", "", _report),
    Command("help", "", "keys of this view", "app.help", _act("app.help")),
    Command("q", "", "quit", "app.quit", lambda desk, _: desk.host.exit()),
)
