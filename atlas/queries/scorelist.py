"""What the browser reads of stored scores: their numbers in order, rows in windows, and the whole record of one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atlas.catalog.requests import command_again

if TYPE_CHECKING:
    from atlas.db import Atlas

SCORE_SORTS = ("newest", "value", "z", "p", "n")
"""Orders of the list; `p` starts with the least."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One line of the list of scores; numbers as in the view `scores`."""

    score_id: int
    metric: str
    alias_a: str
    alias_b: str
    n: int
    value: float
    null_mean: float
    z: float | None
    p_value: float
    p_adjusted: float | None
    """None where the score is in no grid."""
    space: str
    null_kind: str
    subset: str


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """All that is stored of one score."""

    values: dict[str, Any]
    """Columns of the view `scores`, those that are null among them."""
    made_by: str
    """Command line of the run that computed it."""
    again: str
    """The command that repeats it; empty where its spec does not say."""


def score_order(atlas: Atlas, *, text: str = "", sort: str = "newest", ascending: bool = False) -> list[int]:
    """Numbers of the scores whose names or subset hold a text, in one of `SCORE_SORTS`."""
    return [row[0] for row in atlas.fetch("browse/score_order", text=text, sort=sort, ascending=ascending)]


def score_sql(order: Sequence[int], *, text: str, sort: str, ascending: bool) -> str:
    """A query for a person that gives the rows of `score_order`; where a text was looked for, by their numbers."""
    numbers = ", ".join(map(str, order)) or "null"
    where = f" where score_id in ({numbers})" if text else ""
    key = {"newest": "score_id", "p": "-p_value"}.get(sort, sort)
    return f"from scores{where} order by {'-1 * ' if ascending else ''}{key} desc nulls last, score_id desc"


def score_window(atlas: Atlas, scores: Sequence[int]) -> list[ScoreRow]:
    """The rows of some scores, in their order."""
    return [ScoreRow(**row) for row in atlas.fetch("browse/score_window", scores=list(scores)).dicts()]


def score_record(atlas: Atlas, score_id: int) -> ScoreRecord:
    values = atlas.fetch("browse/score", score=score_id).dicts()[0]
    made_by, spec = str(values.pop("command") or ""), json.loads(values.pop("spec") or "{}")
    return ScoreRecord(values, made_by, command_again(spec))
