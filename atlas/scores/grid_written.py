"""A grid of scores as it is written into the atlas."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from atlas.catalog.requests import Comparison
from atlas.catalog.saes import sae_id
from atlas.choices import spec_of
from atlas.db import Atlas
from atlas.db.runs import add_run, next_id, spec_sha256, utc_now
from atlas.metrics.resample import adjusted


@dataclass(frozen=True, slots=True)
class Named:
    """One SAE of a grid."""

    sae: str
    """Full name."""
    alias: str
    """The letter that stands for it."""
    layer: int | None
    """Layer of its hook; None where the hook names none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair of SAEs of a grid."""

    row: Named
    """A, whose features choose."""
    column: Named
    """B."""
    score_id: int | None
    """Number of its score; None where there is none."""
    problem: str | None
    """Why not."""


def write_grid(
    atlas: Atlas, wanted: Comparison, cells: Sequence[Cell], started_at: datetime.datetime, command: str | None
) -> int:
    """Write a grid with its adjusted p-values, inside the caller's transaction, and return its number.

    Args:
        atlas: Open for writing, in a transaction. An equal grid that it already holds is returned.
        wanted: What every cell was asked for.
        cells: All pairs of SAEs.
        started_at: UTC, as `utc_now` gives it.
        command: Command line for the record; None for that of this process.
    """
    ordered = sorted(cells, key=lambda cell: (sae_id(atlas, cell.row.sae), sae_id(atlas, cell.column.sae)))
    spec = {
        "grid": {**spec_of(wanted), "halves": wanted.halves},
        "cells": [[cell.row.sae, cell.column.sae, cell.score_id, cell.problem] for cell in ordered],
    }
    digest = spec_sha256(spec)
    stored = atlas.rows("select g.grid_id from grid g where g.spec_sha256 = $digest", digest=digest).rows
    if stored:
        return stored[0][0]
    p_values = dict(atlas.rows("select c.score_id, c.p_value from score c").rows)
    scored_cells = [cell.score_id for cell in ordered if cell.score_id is not None]
    by_score = dict(zip(scored_cells, adjusted([p_values[i] for i in scored_cells]), strict=True))
    grid_id, run_id = next_id(atlas, "grid", "grid_id"), add_run(atlas, spec, started_at, command=command)
    row = {
        "grid_id": grid_id,
        "run_id": run_id,
        "metric": wanted.metric,
        "spec_sha256": digest,
        "created_at": utc_now(),
    }
    atlas.insert("grid", {name: [value] for name, value in row.items()})
    atlas.insert(
        "grid_cell",
        {
            "grid_id": [grid_id] * len(ordered),
            "sae_a": [sae_id(atlas, cell.row.sae) for cell in ordered],
            "sae_b": [sae_id(atlas, cell.column.sae) for cell in ordered],
            "score_id": [cell.score_id for cell in ordered],
            "problem": [cell.problem for cell in ordered],
            "p_adjusted": [None if cell.score_id is None else by_score[cell.score_id] for cell in ordered],
        },
    )
    return grid_id
