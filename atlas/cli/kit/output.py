"""How results leave the program: what is asked for, what is taken from the database, and where it goes."""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.cli.kit.params import Whole
from atlas.cli.kit.text import Row, csv_text, fitted_table, json_text, jsonl_text, table_text, visible
from atlas.errors import AtlasError, UsageError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from atlas.cli.kit.group import Session

_RENDERERS = {"table": table_text, "json": json_text, "jsonl": jsonl_text, "csv": csv_text}
FORMATS = (*_RENDERERS, "parquet")


@dataclass(frozen=True, slots=True)
class Out:
    """How a command was told to print."""

    format_: str
    """One of `FORMATS`."""
    path: Path | None
    """File to write; None for stdout."""
    most: int
    """Most rows; -1 for all."""
    width: int | None
    """Cells of a line of a table; None for the terminal's, and for no limit where there is none."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A result that has left the database, cut to what will be printed."""

    columns: tuple[str, ...]
    """Names, each of them once."""
    rows: Sequence[Row]
    """Values; empty where `table` holds them."""
    table: pa.Table | None
    """The same with the types of the database, for Parquet; None for other formats."""
    more: bool
    """Whether rows were left out."""
    total: int | None
    """Rows there were; None if that was not counted."""


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format`, `-o` and `--limit`, alike in every reading command, which gets them as `out`."""

    @functools.wraps(command)
    def with_out(
        *args: Any, format_: str | None, output: Path | None, limit: int | None, width: int | None, **options: Any
    ) -> Any:
        return command(*args, out=_out(format_, output, limit, width), **options)

    decorated: Callable[..., Any] = with_out
    for option in (
        click.option(
            "--width",
            type=click.IntRange(min=40),
            metavar="N",
            help="Cells of a line of a table: text is cut, then columns go, which is said.  [default: the terminal's]",
        ),
        click.option("--limit", type=Whole(-1), metavar="N", help="Most rows to print; -1 for all.  [table: 50]"),
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write to a file; its suffix names the format.",
        ),
        click.option("--format", "format_", type=click.Choice(FORMATS), help="How to print.  [default: table]"),
    ):
        decorated = option(decorated)
    return decorated


def take(found: duckdb.DuckDBPyRelation, out: Out, *, total: int | None = None, cut: bool = True) -> Taken:
    """Read what will be printed of a result, so that the database may be closed before a slow reader gets it.

    Args:
        found: The result.
        out: How it will be printed.
        total: Rows of the result, if they were counted.
        cut: Let the database stop at the limit; only a SELECT can be cut there, others are run as they are.
    """
    names = _each_once(found.columns)
    wanted = found.limit(out.most + 1) if cut and 0 <= out.most < 2**62 else found
    if out.format_ == "parquet":
        table = wanted.to_arrow_table().rename_columns(list(names))
        shown = table if out.most < 0 else table.slice(0, out.most)
        return Taken(names, (), shown, len(shown) < len(table), total)
    rows = wanted.fetchall()
    shown = rows if out.most < 0 else rows[: out.most]
    return Taken(names, shown, None, len(shown) < len(rows), total)


def write(taken: Taken, session: Session, out: Out, *, schema: str) -> None:
    """Print or save a result; a cut is said on stderr.

    Args:
        taken: The result.
        session: For notes on stderr.
        out: Format and place.
        schema: Name and version of the columns in JSON, such as `featlas.saes/1`.
    """
    n = len(taken.rows if taken.table is None else taken.table)
    if out.path is not None:
        if session.db.exists() and out.path.exists() and out.path.samefile(session.db):
            raise UsageError(f"{out.path} is the atlas itself", hint="give another name to -o")
        _save(taken, out.path, out.format_, schema)
        session.note(f"wrote {n:,} rows to {out.path}")
    else:
        left_out: list[str] = []
        if out.format_ == "table":
            text, left_out = fitted_table(taken.columns, taken.rows, _room(out))
        else:
            text = _RENDERERS[out.format_](taken.columns, taken.rows, schema)
        if sys.stdout.isatty():  # what a machine reads is left as it is, what a terminal reads is made safe
            text = "\n".join(visible(line) for line in text.split("\n"))
        click.echo(text, nl=not text.endswith("\n") and bool(text), color=True)
        if left_out:
            session.note(f"no room for: {', '.join(left_out)} (--width 300, or --format json)")
    if taken.more and taken.total is None:
        session.note(f"showing {n:,} rows; more rows exist (--limit -1 for all)")
    elif taken.more:
        session.note(f"showing {n:,} of {taken.total:,} rows (--limit -1 for all)")


def _room(out: Out) -> int | None:
    if out.width is None and sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return out.width


def _out(format_: str | None, output: Path | None, limit: int | None, width: int | None) -> Out:
    """Check before the work is done that its result has a place."""
    format_ = format_ or _format_of(output)
    if format_ == "parquet" and output is None:
        raise UsageError("Parquet needs a file", hint="-o result.parquet")
    if output is not None and not output.parent.is_dir():
        raise AtlasError(f"there is no folder {output.parent} to write {output.name} to", hint="make it first")
    if limit is None:
        limit = 50 if format_ == "table" and output is None else -1
    return Out(format_, output, limit, width)


def _format_of(output: Path | None) -> str:
    """Format that a file's suffix names; a table without a file."""
    if output is None:
        return "table"
    suffix = output.suffix.lstrip(".").lower()
    if suffix not in FORMATS:
        raise UsageError(
            f"{output.name} does not say its format", hint=f"end the name in one of: {', '.join(FORMATS[1:])}"
        )
    return suffix


def _each_once(names: Sequence[str]) -> tuple[str, ...]:
    """Names with a number after those that come again, as DuckDB numbers them in a subquery."""
    given: dict[str, None] = {}
    for name in names:
        tries = (name if i == 0 else f"{name}_{i}" for i in range(len(names)))
        given[next(new for new in tries if new not in given)] = None
    return tuple(given)


def _save(taken: Taken, path: Path, format_: str, schema: str) -> None:
    """Write the file; what the disk or the format refuses becomes a message."""
    try:
        if taken.table is not None:
            _write_parquet(taken.table, path)
        else:
            text = _RENDERERS[format_](taken.columns, taken.rows, schema)
            path.write_text(text if text.endswith("\n") or not text else text + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise AtlasError(f"{path} cannot be written", why=error.strerror or str(error)) from error


def _write_parquet(table: pa.Table, path: Path) -> None:
    """Write the table with its types."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    try:
        write_table(table, path)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise AtlasError(
            "Parquet has no place for one of these columns",
            why=str(error),
            hint="turn it into text in the SQL, as in my_column::varchar, or write CSV",
        ) from error
