"""Scores as tests ask for them: the fields of a `Comparison` and the options of a metric by keyword."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from atlas.catalog.requests import Comparison
from atlas.scores import compare as scores
from atlas.scores import grid as grids
from atlas.scores.score import Score

_ASKED = {field.name for field in fields(Comparison)} - {"metric", "options"}


def asked(metric: str, given: dict[str, Any]) -> tuple[Comparison, dict[str, Any]]:
    """A request, and what is no part of it; `given` may hold options of the metric under `options`."""
    mine = {name: value for name, value in given.items() if name in _ASKED}
    rest = {name: value for name, value in given.items() if name not in _ASKED}
    return Comparison(metric, options=rest.pop("options", {}), **mine), rest


def compare(db: Path, metric: str, a: str, b: str, **given: Any) -> Score:
    """`atlas.scores.compare.compare`; what neither it nor a request knows is an option of the metric."""
    how = {name: given.pop(name) for name in ("wait", "store", "command", "on_progress") if name in given}
    wanted, options = asked(metric, given)
    return scores.compare(db, a, b, replace(wanted, options=options), **how)


def fill_grid(db: Path, metric: str, rows: list[str], columns: list[str], **given: Any) -> grids.Grid:
    """`atlas.scores.grid.fill_grid`."""
    wanted, how = asked(metric, given)
    return grids.fill_grid(db, rows, columns, wanted, **how)
