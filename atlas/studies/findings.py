"""What a study has found: sentences with their sample, and tables of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
