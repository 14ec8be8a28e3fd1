"""Any SQL of a person against an open atlas: run in a connection of its own, capped, with the place of an error."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from atlas.db import Atlas, first_line
from atlas.errors import AtlasError

CAP = 100_000
"""Rows of a result that are held."""

_FEATURE_NAMES = ("feature_id", "feature")
_SAE_NAMES = ("sae", "alias")


class SqlError(AtlasError):
    """SQL that could not be run. `line` and `column` say where, from 0; None where DuckDB does not say."""

    def __init__(self, what: str, place: tuple[int, int] | None) -> None:
        super().__init__(what)
        self.place = place


class Cancelled(AtlasError):
    """The query was stopped on request."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a query returned."""

    columns: tuple[str, ...]
    """Names, in the order of the query."""
    numeric: tuple[bool, ...]
    """Whether each column holds numbers."""
    rows: list[tuple[Any, ...]]
    """At most `CAP` of them."""
    cut: bool
    """Whether there are more."""
    seconds: float
    """Time that it took."""


@dataclass(frozen=True, slots=True)
class ColumnAbout:
    """A column of a view or table."""

    table: str
    column: str
    kind: str
    """SQL type."""
    about: str
    """Its comment; empty if it has none."""
    is_view: bool
    """Whether the table is a view, which later releases keep."""


def run_sql(atlas: Atlas, text: str, started: Callable[[duckdb.DuckDBPyConnection], None]) -> Result:
    """Run SQL; of several statements, the result of the last is returned.

    Args:
        atlas: Open for reading.
        text: The SQL.
        started: Called with the connection before anything runs; its `interrupt` stops the query.

    Raises:
        SqlError: It could not be run.
        Cancelled: It was interrupted.
    """
    begun = time.perf_counter()
    con = atlas.con.cursor()  # transactions and temporary tables of the query end with it
    try:
        started(con)
        con.execute(text)  # unlike `sql`, it says where names are wrong, too; rows come as they are fetched
        columns = tuple(column[0] for column in con.description or ())
        rows = con.fetchmany(CAP + 1) if columns else []
    except duckdb.InterruptException as error:
        raise Cancelled(f"cancelled after {time.perf_counter() - begun:.1f} s") from error
    except duckdb.Error as error:
        raise SqlError(_told(error), error_place(str(error), text)) from error
    finally:
        con.close()
    numeric = tuple(_is_number(rows, place) for place in range(len(columns)))
    return Result(columns, numeric, rows[:CAP], len(rows) > CAP, time.perf_counter() - begun)


def columns_about(atlas: Atlas) -> list[ColumnAbout]:
    """Every column of every view and table with its meaning, views first."""
    return [ColumnAbout(*row) for row in atlas.fetch("browse/columns")]


def error_place(message: str, text: str) -> tuple[int, int] | None:
    """Line and column, from 0, that the caret of a message of DuckDB points to; None if there is none.

    Args:
        message: With a line `LINE 2: …` and below it one with `^`. DuckDB cuts long lines on both sides.
        text: The SQL.
    """
    found = re.search(r"^(LINE (\d+): )(.*)\n( *)\^", message, re.MULTILINE)
    lines = text.split("\n")
    if not found or int(found[2]) > len(lines):
        return None
    line, column = int(found[2]) - 1, len(found[4]) - len(found[1])
    quoted = found[3]
    if quoted.startswith("...") and not lines[line].startswith("..."):
        column += lines[line].find(quoted[3:].removesuffix("...")) - 3
    return line, max(0, min(column, len(lines[line])))


def features_in(columns: Sequence[str]) -> list[tuple[int, int, int | None]]:
    """Places of (SAE, feature, corpus) in the columns of a result: one for a feature, two for a pair, else none."""
    lower = [name.lower() for name in columns]
    single = _places(lower, _SAE_NAMES, _FEATURE_NAMES, "corpus")
    if single:
        return [single]
    sides = [
        _places(lower, (f"sae_{side}", f"alias_{side}"), (f"feature_{side}", f"feature_id_{side}"), corpus)
        for side, corpus in (("a", "corpus"), ("b", "corpus_b"))
    ]
    return [side for side in sides if side] if all(sides) else []


def _places(
    columns: list[str], saes: Sequence[str], features: Sequence[str], corpus: str
) -> tuple[int, int, int | None] | None:
    """Places of the first names that are there."""
    sae = next((columns.index(name) for name in saes if name in columns), None)
    feature = next((columns.index(name) for name in features if name in columns), None)
    if sae is None or feature is None:
        return None
    return sae, feature, columns.index(corpus) if corpus in columns else None


def _told(error: duckdb.Error) -> str:
    """What is wrong, and what DuckDB suggests, on one line."""
    if "pytz" in str(error):
        return "times with a time zone cannot be shown – cast them: my_column::timestamp"
    lines = [line.strip() for line in str(error).split("\nLINE ")[0].splitlines() if line.strip()]
    return " ".join([first_line(error), *lines[1:3]])


def _is_number(rows: Sequence[tuple[Any, ...]], place: int) -> bool:
    value = next((row[place] for row in rows if row[place] is not None), None)
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
