"""How rows leave the program: a table for people, JSON, JSONL, CSV or Parquet for machines."""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atlas.errors import UsageError

if TYPE_CHECKING:
    from atlas.cli._group import Session
    from atlas.db import Rows

FORMATS = ("table", "json", "jsonl", "csv", "parquet")


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--format`, `-o` and `--limit`, alike in every reading command."""
    command = click.option("--limit", type=int, default=None, help="Most rows to print; -1 for all.  [table: 50]")(
        command
    )
    command = click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write to a file; its suffix names the format.",
    )(command)
    return click.option("--format", "format_", type=click.Choice(FORMATS), help="How to print.  [default: table]")(
        command
    )


def write_rows(
    rows: Rows,
    session: Session,
    *,
    schema: str,
    format_: str | None = None,
    output: Path | None = None,
    limit: int | None = None,
) -> None:
    """Print or save a result; a cut is said on stderr.

    Args:
        rows: The result.
        session: For notes on stderr.
        schema: Name and version of the columns in JSON, such as `featlas.saes/1`.
        format_: One of `FORMATS`; by default the suffix of `output`, else a table.
        output: File to write instead of stdout.
        limit: Most rows; -1 for all; by default 50 in a table and all elsewhere.
    """
    format_ = format_ or _format_of(output)
    most = limit if limit is not None else (50 if format_ == "table" else -1)
    shown = rows.rows if most < 0 else rows.rows[:most]
    if format_ == "parquet":
        _write_parquet(rows.columns, shown, output)
    else:
        text = _RENDERERS[format_](rows.columns, shown, schema)
        if output is None:
            click.echo(text, nl=not text.endswith("\n") and bool(text))
        else:
            output.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
    if output is not None:
        session.note(f"wrote {len(shown):,} rows to {output}")
    if len(shown) < len(rows):
        session.note(f"showing {len(shown):,} of {len(rows):,} rows (--limit -1 for all)")


def number(value: float, *, digits: int = 4) -> str:
    """A float as tables show it: `digits` significant digits, no trailing noise."""
    if math.isnan(value):
        return "nan"
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.{digits - 2}e}"
    return f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"


def visible(text: str) -> str:
    """Text of a corpus made safe to print: controls and line ends become visible marks, spaces stay."""
    marks = {"\n": "⏎", "\t": "⇥"}
    return "".join(marks.get(c, c if c.isprintable() else "·") for c in text)


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


def _table(columns: Sequence[str], rows: Sequence[tuple[Any, ...]], schema: str) -> str:
    """Aligned columns; numbers to the right."""
    if not rows:
        return "no rows"
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in cells)) for i, name in enumerate(columns)]
    to_right = [all(isinstance(row[i], int | float) or row[i] is None for row in rows) for i in range(len(columns))]

    def line(parts: Sequence[str]) -> str:
        aligned = (p.rjust(w) if right else p.ljust(w) for p, w, right in zip(parts, widths, to_right, strict=True))
        return "  ".join(aligned).rstrip()

    return "\n".join([line(columns), *(line(row) for row in cells)])


def _cell(value: Any) -> str:
    """One value of a table."""
    if value is None:
        return "·"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return visible(" ".join(_cell(item).strip() or "␣" for item in value))[:60]
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return visible(str(value))


def _plain(value: Any) -> Any:
    """A value as JSON knows it: NaN and infinities are null, times are ISO text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value if isinstance(value, int | str | bool | None) else str(value)


def _json(columns: Sequence[str], rows: Sequence[tuple[Any, ...]], schema: str) -> str:
    """One object that names its schema."""
    return json.dumps({"schema": schema, "rows": _records(columns, rows)}, ensure_ascii=False)


def _jsonl(columns: Sequence[str], rows: Sequence[tuple[Any, ...]], schema: str) -> str:
    """One object a line."""
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in _records(columns, rows))


def _records(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows as JSON objects."""
    return [{name: _plain(value) for name, value in zip(columns, row, strict=True)} for row in rows]


def _csv(columns: Sequence[str], rows: Sequence[tuple[Any, ...]], schema: str) -> str:
    """RFC 4180; lists as JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([json.dumps(_plain(v), ensure_ascii=False) if isinstance(v, list | dict) else v for v in row])
    return text.getvalue()


def _write_parquet(columns: Sequence[str], rows: Sequence[tuple[Any, ...]], output: Path | None) -> None:
    """Parquet needs a file."""
    import polars as pl

    if output is None:
        raise UsageError("Parquet needs a file", hint="-o result.parquet")
    pl.DataFrame(rows, schema=list(columns), orient="row", infer_schema_length=None).write_parquet(output)


_RENDERERS = {"table": _table, "json": _json, "jsonl": _jsonl, "csv": _csv}
