"""Values of any SQL type as cells of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from atlas.render.text import clean, width

SAMPLE = 200
"""Rows that the widths of columns are taken from."""

WIDEST = 48
"""Cells that a column takes at most."""

_ITEMS = 12


def value_text(value: object) -> str:
    """A value on one line, harmless: six digits of a float, the first items of a list, `NULL` for none."""
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        items = ", ".join(value_text(item) for item in value[:_ITEMS])
        return f"[{items}, … {len(value)} in all]" if len(value) > _ITEMS else f"[{items}]"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return clean(str(value)[:1000])


def exact_text(value: object) -> str:
    """A value as it is copied: all digits, nothing for none."""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def column_widths(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> list[int]:
    """Cells for each column, from its title and some rows."""
    widths = [width(clean(title)) for title in titles]
    for row in rows:
        widths = [max(known, width(value_text(value))) for known, value in zip(widths, row, strict=True)]
    return [max(1, min(WIDEST, known)) for known in widths]
