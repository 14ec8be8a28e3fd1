"""What the table of the SQL console lists: a result, earlier SQL, or tables with their columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from atlas.queries.browse_records import Scan
from atlas.queries.console import CAP, ColumnAbout, Result, features_in
from atlas.references import FeatureRef, PairRef
from atlas.render.columns import Column
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from atlas.render.values import SAMPLE, column_widths, exact_text, value_text


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows that are held, and how they look."""

    columns: tuple[Column, ...]
    rows: Sequence[Any]
    kind: Literal["result", "history", "tables"] = "result"
    message: str = ""
    """What to say where there are no rows."""


def result_listing(result: Result, first: int) -> Listing:
    """Rows of a query from one of its columns on; columns that find no room go from the right."""
    widths = column_widths(result.columns, result.rows[:SAMPLE])
    columns = tuple(
        Column(clean(title), cells, cell=partial(_value, first + place), right=right, spare=place)
        for place, (title, cells, right) in enumerate(
            list(zip(result.columns, widths, result.numeric, strict=True))[first:]
        )
    )
    message = "no rows" if result.columns else "done; the statement returns no rows"
    return Listing(columns, result.rows, message=message)


def history_listing(history: Sequence[str]) -> Listing:
    """Earlier SQL, the newest first."""
    rows = list(reversed(history))
    return Listing(
        (Column("earlier SQL", 20, cell=lambda text: clean(" ".join(text.split())), grow=1),),
        rows,
        "history",
        "nothing was run yet – F5 runs the SQL",
    )


def tables_listing(columns: Sequence[ColumnAbout]) -> Listing:
    """Views first, each with its columns."""
    shape = (
        Column("table", 20, "table", lambda one: clean(one.table)),
        Column("column", 16, "column", lambda one: clean(one.column)),
        Column("type", 10, "kind", lambda one: clean(one.kind), spare=1),
        Column("meaning", 20, "about", lambda one: clean(one.about), grow=1),
    )
    return Listing(shape, columns, "tables", "no tables")


def _value(place: int, row: Sequence[Any]) -> str:
    return value_text(row[place])


def features_of(result: Result, row: int, scans: Sequence[Scan]) -> list[tuple[Scan, int]]:
    """Features that a row names: one, the two of a pair, or none."""
    return _named(result.rows[row], features_in(result.columns), scans) if row < len(result.rows) else []


def _named(
    values: Sequence[Any], places: Sequence[tuple[int, int, int | None]], scans: Sequence[Scan]
) -> list[tuple[Scan, int]]:
    """Features that some values name; none if one of them is nowhere."""
    found = []
    for sae, feature, corpus in places:
        scan = _scan(scans, values[sae], None if corpus is None else values[corpus])
        if scan is None or not isinstance(values[feature], int) or not 0 <= values[feature] < scan.d_sae:
            return []
        found.append((scan, values[feature]))
    return found


def all_features(result: Result, scans: Sequence[Scan]) -> list[tuple[int, int]]:
    """(scan, feature) of all rows, each once, in their order."""
    places = features_in(result.columns)
    found = (_named(values, places, scans) for values in result.rows)
    return list(dict.fromkeys((scan.scan_id, feature) for named in found for scan, feature in named))


def _scan(scans: Sequence[Scan], sae: object, corpus: object) -> Scan | None:
    fitting = (s for s in reversed(scans) if sae in (s.sae, s.alias) and corpus in (None, s.corpus))
    return next(fitting, None)


def row_text(result: Result, row: int, scans: Sequence[Scan]) -> str:
    """What `y` copies: the feature or pair of a row, else its values with tabs between them."""
    named = [FeatureRef(scan.sae, feature) for scan, feature in features_of(result, row, scans)]
    if named:
        return str(PairRef(*named) if len(named) == 2 else named[0])
    return "\t".join(exact_text(value) for value in result.rows[row])


def row_json(result: Result, row: int) -> str:
    return json.dumps(dict(zip(result.columns, result.rows[row], strict=True)), default=str, ensure_ascii=False)


def result_line(result: Result, first: int) -> Line:
    many = f" first {count(CAP)} rows, there are more" if result.cut else f" {count(len(result.rows))} rows"
    shown = f" · from column {first + 1} of {len(result.columns)}" if first else ""
    return [Span(f"{many} · {1000 * result.seconds:.0f} ms{shown}")]
