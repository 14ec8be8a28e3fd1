"""What `:` and the palette can do: one table of commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atlas.errors import UnknownName, UsageError
from atlas.filters.fields import full_name
from atlas.references import parse_reference, resolve_sae
from tui.app.views import BY_NAME
from tui.views.base.listview import ListView

if TYPE_CHECKING:
    from tui.app.app import FeatlasApp


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do, by name."""

    name: str
    takes: str
    """What it must be given, for the help; empty if nothing."""
    about: str
    keys: str
    """The keys that do the same, as they are read; empty if none do."""
    run: Callable[[FeatlasApp, str], None]


def run(app: FeatlasApp, line: str) -> None:
    """Run one line; a reference alone goes to it.

    Raises:
        UsageError: There is no such command, or it cannot take what it was given.
    """
    name, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    if ":" in name:
        _goto(app, line.strip())
        return
    fits = [one for one in COMMANDS if one.name == name] or [one for one in COMMANDS if one.name.startswith(name)]
    if not name or not fits:
        raise UnknownName("command", name, [one.name for one in COMMANDS])
    if len(fits) > 1:
        raise UsageError(f"{name} may be {', '.join(one.name for one in fits[:-1])} or {fits[-1].name}")
    command = fits[0]
    if command.takes and not command.takes.startswith("[") and not rest:
        raise UsageError(f"{command.name} needs {command.takes}")
    command.run(app, rest)


def _goto(app: FeatlasApp, text: str) -> None:
    """To a feature or a pair."""
    app.open_reference(parse_reference(text))


def _list(app: FeatlasApp) -> ListView:
    """The list in front."""
    if not isinstance(app.front, ListView):
        raise UsageError(f"{app.front.NAME} has no list to filter or sort", hint=":view browse")
    return app.front


def _sort(app: FeatlasApp, text: str) -> None:
    """An order; a minus asks for the largest first."""
    name, view = full_name(text.removeprefix("-")), _list(app)
    view.use_sort_named(name if name in view.sorts() else text.removeprefix("-"), descending=text.startswith("-"))


def _sae(app: FeatlasApp, text: str) -> None:
    """One SAE, or all."""
    if text == "all":
        app.browse_scan(None)
        return
    sae = resolve_sae(text, list(dict.fromkeys((scan.sae, scan.alias) for scan in app.scans)))
    app.browse_scan(next(scan for scan in reversed(app.scans) if scan.sae == sae))


def _view(app: FeatlasApp, text: str) -> None:
    """A view by name."""
    if text not in BY_NAME:
        raise UnknownName("view", text, list(BY_NAME))
    app.action_view(text)


def _theme(app: FeatlasApp, text: str) -> None:
    """Other colours."""
    app.use_theme(text)


def _sql(app: FeatlasApp, text: str) -> None:
    """The SQL view, with a query or with the one that gives what is shown."""
    query = text or app.front.sql() or ""
    app.action_view("sql")
    if query:
        app.with_view("sql", lambda console: console.open(query))


def _act(action: str) -> Callable[[FeatlasApp, str], None]:
    """Do what a key of the application or of the view in front does."""

    def act(app: FeatlasApp, text: str) -> None:
        if not action.startswith("app.") and not hasattr(app.front, f"action_{action}"):
            raise UsageError(f"{app.front.NAME} has nothing to {action}", hint=":view browse")
        app.run_worker(app.run_action(action, app if action.startswith("app.") else app.front), exit_on_error=False)

    return act


def _filter(app: FeatlasApp, text: str) -> None:
    """A filter, as if it had been typed."""
    view = _list(app)
    view.box.recall.add(text)
    view.use_filter(text)


def _features(app: FeatlasApp, text: str) -> None:
    """Features that fit a filter, from whatever view."""
    app.go("browse")
    app.browse_view.use_filter(text)


def _random(app: FeatlasApp, text: str) -> None:
    """A feature by chance, from whatever view."""
    app.go("browse")
    app.browse_view.action_random()


def _matrix(app: FeatlasApp, text: str) -> None:
    """The newest grid, or that of a metric."""
    app.action_view("matrix")
    if text:
        app.with_view("matrix", lambda view: view.show_metric(text))


def _write(app: FeatlasApp, text: str) -> None:
    """What is shown, to a file."""
    app.export_to(Path(text).expanduser())


COMMANDS = (
    Command("goto", "a feature A:1081 or a pair A:1081=B:3169", "go to a feature or a pair", "", _goto),
    Command("filter", "[FILTER]", "filter the list; nothing clears it", "/", _filter),
    Command("sort", "a column, with a minus for the largest first", "sort the list", "s S", _sort),
    Command("sae", "an SAE, or all", "features of one SAE", "a", _sae),
    Command("view", "its name", "show a view", "1 to 9", _view),
    Command("sql", "[QUERY]", "the SQL view, with the query of what is shown", "", _sql),
    Command("w", "a file name ending in .csv, .json, .jsonl or .parquet", "write what is shown to a file", "e", _write),
    Command("mark", "", "mark the feature, or take its mark away", "space", _act("mark")),
    Command("marked", "", "only the marked features, or all again", "*", _act("marked")),
    Command("random", "", "random feature", "r", _random),
    Command("features", "[FILTER]", "features that fit a filter", "", _features),
    Command("matrix", "[METRIC]", "open the matrix of a metric", "3", _matrix),
    Command("copy", "", "copy the reference", "y", _act("app.copy")),
    Command("text", "", "copy the text that is shown", "c", _act("app.copy_text")),
    Command("json", "", "copy the row as JSON", "", lambda app, text: app.copy_row()),
    Command("maximise", "", "one pane on the whole screen, or all again", "+", _act("app.maximise")),
    Command("theme", "the name of a theme", "other colours", "", _theme),
    Command("release", "", "close the database, so that others may write", "", lambda app, text: app.let_go()),
    Command("resume", "", "open the database again", "any key", lambda app, text: app.come_back()),
    Command("screenshot", "[FILE.svg]", "save the screen as a picture", "", lambda app, text: app.save_screen(text)),
    Command("errors", "", "last error, versions and timings", "F12", _act("app.errors")),
    Command("report", "", "report a problem: copy what F12 says", "", lambda app, text: app.copy_report()),
    Command("help", "", "keys of this view", "?", _act("app.help")),
    Command("q", "", "quit", "q", lambda app, text: app.exit()),
)
