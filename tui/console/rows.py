"""What the table of the SQL console lists: a result, earlier SQL, or tables with their columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from atlas.queries.browse_records import Scan
from atlas.queries.console import CAP, ColumnAbout, Result, features_in
from atlas.references import FeatureRef, PairRef
from atlas.render.numbers import count
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from atlas.render.values import SAMPLE, column_widths, exact_text, value_text
from tui.widgets.vtable import Column


def _no_cells(row: Any) -> tuple[str, ...]:
    """Cells of a list without rows."""
    return ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows that are held, and how they look."""

    columns: tuple[Column, ...]
    rows: Sequence[Any]
    cells: Callable[[Any], tuple[str, ...]] = _no_cells
    """One line of the table."""
    kind: Literal["result", "history", "tables"] = "result"
    message: str = ""
    """What to say where there are no rows."""


def result_listing(result: Result, first: int) -> Listing:
    """Rows of a query from one of its columns on; columns that find no room go from the right."""
    widths = column_widths(result.columns, result.rows[:SAMPLE])
    columns = tuple(
        Column(clean(title), cells, right=right, spare=place)
        for place, (title, cells, right) in enumerate(
            list(zip(result.columns, widths, result.numeric, strict=True))[first:]
        )
    )
    message = "no rows" if result.columns else "done; it returns nothing"
    return Listing(columns, result.rows, lambda row: tuple(map(value_text, row[first:])), message=message)


def history_listing(history: Sequence[str]) -> Listing:
    """Earlier SQL, the newest first."""
    rows = list(reversed(history))
    return Listing(
        (Column("earlier SQL", 20, grow=1),),
        rows,
        lambda text: (clean(" ".join(text.split())),),
        "history",
        "nothing was run yet – F5 runs the SQL",
    )


def tables_listing(columns: Sequence[ColumnAbout]) -> Listing:
    """Views first, each with its columns."""
    shape = (Column("table", 20), Column("column", 16), Column("type", 10, spare=1), Column("meaning", 20, grow=1))
    return Listing(
        shape,
        columns,
        lambda one: (clean(one.table), clean(one.column), clean(one.kind), clean(one.about)),
        "tables",
        "no tables",
    )


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
    """The newest scan of an SAE by name or alias, on a corpus if one is named."""
    fitting = (s for s in reversed(scans) if sae in (s.sae, s.alias) and corpus in (None, s.corpus))
    return next(fitting, None)


def row_text(result: Result, row: int, scans: Sequence[Scan]) -> str:
    """What `y` copies: the feature or pair of a row, else its values with tabs between them."""
    named = [FeatureRef(scan.sae, feature) for scan, feature in features_of(result, row, scans)]
    if named:
        return str(PairRef(*named) if len(named) == 2 else named[0])
    return "\t".join(exact_text(value) for value in result.rows[row])


def row_json(result: Result, row: int) -> str:
    """All values of a row by the names of their columns."""
    return json.dumps(dict(zip(result.columns, result.rows[row], strict=True)), default=str, ensure_ascii=False)


def result_line(result: Result, first: int) -> Line:
    """How many rows, how long it took, and which column is the first."""
    many = f" first {count(CAP)} rows, there are more" if result.cut else f" {count(len(result.rows))} rows"
    shown = f" · from column {first + 1} of {len(result.columns)}" if first else ""
    return [Span(f"{many} · {1000 * result.seconds:.0f} ms{shown}")]
