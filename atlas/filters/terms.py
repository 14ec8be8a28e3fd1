"""What a filter consists of, as the parser reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal["<", "<=", ">", ">=", "=", "!="]
Mode = Literal["exact", "contains", "regex"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a feature against a bound; false where the feature has no such number."""

    field: str
    """A key of `fields.NUMBERS`."""
    operator: Operator
    bound: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a feature."""

    field: str
    """A key of `fields.TEXTS`."""
    mode: Mode
    """`exact`: the whole text, spaces around it aside; `contains`: letter case aside; `regex`: found anywhere."""
    wanted: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A property that a feature has or has not."""

    name: str
    """A key of `fields.FLAGS`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The SAE, model or corpus that a feature belongs to."""

    kind: Literal["sae", "model", "corpus"]
    wanted: str
    """As it was written; looked up when the filter meets an atlas."""
    column: int
    """Where it stands in the line, from 1."""


@dataclass(frozen=True, slots=True)
class Match:
    """The best partner in one SAE."""

    sae: str
    """As it was written."""
    operator: Operator
    bound: float
    """Of the partner's value; `>=` minus infinity asks only that there is a partner."""
    column: int


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: Term


@dataclass(frozen=True, slots=True)
class Every:
    """All of some terms; true of none."""

    of: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of some terms."""

    of: tuple[Term, ...]


Term = Number | Text | Flag | Scope | Match | Not | Every | Some


@dataclass(frozen=True, slots=True)
class Sort:
    """An order."""

    field: str
    """A key of `fields.SORTABLE`."""
    descending: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.field}"


@dataclass(frozen=True, slots=True)
class Filter:
    """One line of the filter language."""

    term: Term
    sort: Sort | None
    """The order that the line asks for; None if it asks for none."""
    words: tuple[str, ...]
    """Texts that it looks for, to be found again in what is shown."""
