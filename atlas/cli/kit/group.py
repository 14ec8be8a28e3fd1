"""A click group whose commands are imported only when they run, and what all commands share."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from atlas.cli.kit.params import Duration

if TYPE_CHECKING:
    from atlas.db import Atlas


DEFAULT_DB = Path("atlas.duckdb")


def _debug_is_set() -> bool:
    return os.environ.get("FEATLAS_DEBUG", "").strip().lower() in {"1", "true", "t", "yes", "y", "on"}


@dataclass(slots=True)
class Session:
    """What the options that every command shares say; they may stand before or after the command's name."""

    db: Path = DEFAULT_DB
    """The database file."""
    db_given: bool = False
    """Whether the user named the file."""
    wait: float = 0.0
    """Seconds to wait for a locked file."""
    quiet: bool = False
    """Nothing but errors on stderr."""
    debug: bool = field(default_factory=_debug_is_set)
    """Tracebacks instead of messages."""

    def read(self) -> Atlas:
        """Open the atlas read-only."""
        from atlas.db import open_atlas

        return open_atlas(self.db, wait=self.wait)

    def write(self, *, create: bool = False) -> Atlas:
        from atlas.db import open_atlas

        return open_atlas(self.db, write=True, create=create, wait=self.wait)

    def note(self, text: str) -> None:
        """Say something that is not the result, on stderr."""
        if not self.quiet:
            click.echo(text, err=True)

    def command(self, *words: str) -> str:
        """A command on this atlas that can be pasted into a shell."""
        return " ".join(_quoted(word) for word in ("featlas", "--db", str(self.db), *words))

    def with_db(self, hint: str | None) -> str | None:
        """A hint whose commands name this atlas, so that they can be pasted; unchanged while there is no atlas."""
        if not (hint and self.db_given and self.db.exists()):
            return hint
        named = f"featlas --db {shlex.quote(str(self.db))} "
        return re.sub(r"\bfeatlas (?=[a-z])", lambda _: named, hint)


def _quoted(word: str) -> str:
    if "'" in word and not set(word) & set('"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)


def shared_options(envvar: str | None = None) -> list[click.Option]:
    """`--db`, `--wait`, `--quiet` and `--debug`. They fill the `Session` and are not passed to the command.

    Only the root reads the environment: what is typed before the command counts more.
    """

    def keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        session = ctx.ensure_object(Session)
        if value is not None and value is not False and isinstance(session, Session):
            setattr(session, str(param.name), value)
            session.db_given = session.db_given or param.name == "db"

    path = click.Path(path_type=Path, dir_okay=False)
    shared: dict[str, Any] = {"callback": keep, "expose_value": False}
    return [
        click.Option(
            ["--db"],
            type=path,
            envvar=envvar,
            show_envvar=True,
            help=f"The atlas: one DuckDB file.  [default: {DEFAULT_DB}; of demo: demo.duckdb]",
            **shared,
        ),
        click.Option(
            ["--wait"], type=Duration(), metavar="TIME", help="Wait for a locked atlas: 90, 60s, 2m.", **shared
        ),
        click.Option(["-q", "--quiet"], is_flag=True, help="Errors only on stderr.", **shared),
        click.Option(["--debug"], is_flag=True, help="Show tracebacks.  [env var: FEATLAS_DEBUG]", **shared),
    ]


class LazyGroup(click.Group):
    """Knows its commands by import path and one line of help, so that `--help` imports none of them.

    A group may be a command itself (`invoke_without_command`): then its own options do not go together with the name
    of another command, and `need` asks for those that it cannot do without.
    """

    def __init__(self, *args: Any, commands_at: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        """Take `name -> (module:attribute, help)`."""
        super().__init__(*args, **kwargs)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of a researcher's work."""
        return list(self._commands_at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in self._commands_at:
            return None
        path, _ = self._commands_at[cmd_name]
        module, attribute = path.split(":")
        command = copy(getattr(import_module(module), attribute))
        command.params = [*command.params, *shared_options()]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; suggest the nearest name when there is none."""
        if args and not args[0].startswith("-") and args[0] not in self._commands_at:
            from atlas.errors import nearest

            near = nearest(args[0], list(self._commands_at))
            hint = f" Did you mean {near!r}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        for param in self.params:
            if param.expose_value and ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"{param.opts[0]} is no option of {ctx.command_path} {args[0]}.", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from their one-line help, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in self._commands_at.items()])


def need(ctx: click.Context, *names: str) -> None:
    """Raise for the first of these parameters that was not given, as click does for an option that is required."""
    for param in ctx.command.params:
        if param.name in names and ctx.params[param.name] in (None, ()):
            raise click.MissingParameter(ctx=ctx, param=param)
