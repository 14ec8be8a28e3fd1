"""Results as text: a table for people, JSON, JSONL and CSV for machines."""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from atlas.render.columns import fitted_widths
from atlas.render.text import pad, width

Row = tuple[Any, ...]


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


def plain(value: Any) -> Any:
    """A value as JSON knows it: NaN and infinities are null, times are ISO text."""
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value if isinstance(value, int | str | bool | None) else str(value)


def to_json(value: object) -> str:
    return json.dumps(plain(value), ensure_ascii=False)


def table_text(columns: Sequence[str], rows: Sequence[Row], schema: str) -> str:
    """Aligned columns; numbers to the right."""
    return fitted_table(columns, rows, None)[0]


def fitted_table(columns: Sequence[str], rows: Sequence[Row], room: int | None) -> tuple[str, list[str]]:
    """Aligned columns, numbers to the right, and the columns that found no place.

    Args:
        columns: Their names.
        rows: Their values.
        room: Cells of a line: text is cut with `…` first, then columns go; None for as wide as it is.
    """
    if not rows:
        return "no rows", []
    header = [visible(name) for name in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(width(text) for text in (name, *(row[i] for row in cells))) for i, name in enumerate(header)]
    numeric = (int, float, Decimal, type(None))
    to_right = [all(isinstance(row[i], numeric) for row in rows) for i in range(len(columns))]
    shown = list(range(len(columns)))
    if room is not None:
        shown, widths = fitted_widths(header, widths, to_right, room)

    def line(parts: Sequence[str]) -> str:
        return "  ".join(pad(parts[i], widths[i], right=to_right[i]) for i in shown).rstrip()

    left_out = [name for i, name in enumerate(header) if i not in shown]
    return "\n".join([line(header), *(line(row) for row in cells)]), left_out


def json_text(columns: Sequence[str], rows: Sequence[Row], schema: str) -> str:
    """One object that names its schema."""
    return to_json({"schema": schema, "rows": _records(columns, rows)})


def jsonl_text(columns: Sequence[str], rows: Sequence[Row], schema: str) -> str:
    return "\n".join(to_json(record) for record in _records(columns, rows))


def csv_text(columns: Sequence[str], rows: Sequence[Row], schema: str) -> str:
    """RFC 4180; lists and structs as JSON, truth values as SQL writes them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_field(value) for value in row] for row in rows)
    return text.getvalue()


def _records(columns: Sequence[str], rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _field(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return to_json(value) if isinstance(value, list | tuple | dict) else value


def _counted(items: Sequence[str]) -> str:
    counts = Counter(items)
    return " ".join(item if n == 1 else f"{item}×{n}" for item, n in counts.items())


def _cell(value: Any) -> str:
    """One value of a table."""
    if value is None:
        return "·"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return visible(_counted([_cell(item).strip() or "␣" for item in value]))[:60]
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return visible(str(value))
