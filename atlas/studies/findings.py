"""What a study has found: sentences with their sample, and tables of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from atlas.errors import UnknownName

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Numbers of one kind."""

    name: str
    """One word; `--table` asks for it."""
    about: str
    """What a row is, one sentence."""
    rows: pl.DataFrame
    """Each row names its SAE and its corpus, or the sample of the findings is that of every row."""


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What a study prints, saves and draws."""

    study: str
    """Its name on the command line."""
    sample: str
    """What it rests on, one line: SAEs, corpus, tokens."""
    lines: tuple[str, ...]
    """What it finds, a sentence each, every number beside its null, chance level or n."""
    tables: tuple[Table, ...]
    """At least one; the first is printed unless another is asked for."""

    def table(self, name: str | None = None) -> Table:
        """A table by name; None for the first.

        Raises:
            UnknownName: There is none of that name.
        """
        if name is None:
            return self.tables[0]
        for table in self.tables:
            if table.name == name:
                return table
        raise UnknownName(f"table of {self.study}", name, [table.name for table in self.tables])


def frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """One row a dict; a column has the type of all of its values."""
    import polars as pl

    return pl.DataFrame(list(rows), infer_schema_length=None)


def tables_of(about: Mapping[str, str], parts: Sequence[Mapping[str, list[dict[str, Any]]]]) -> tuple[Table, ...]:
    """A table for each name, of the rows that all parts have for it."""
    return tuple(Table(name, line, frame(row for part in parts for row in part[name])) for name, line in about.items())


def labelled(rows: pl.DataFrame, **labels: str) -> pl.DataFrame:
    import polars as pl

    return rows.select(*(pl.lit(text, dtype=pl.String).alias(name) for name, text in labels.items()), pl.all())


def mean_of(values: Any, weights: Any = None) -> float | None:
    """Mean of numbers or flags; None of nothing."""
    return float(np.average(values, weights=weights)) if len(values) else None


def median_of(values: Sequence[float] | np.ndarray | None) -> float | None:
    return float(np.median(values)) if values is not None and len(values) else None


def finite(value: float) -> float | None:
    """None in the place of NaN and infinity."""
    return float(value) if np.isfinite(value) else None


def shown(value: float | None, form: str = ".3f") -> str:
    return "?" if value is None else format(value, form)
