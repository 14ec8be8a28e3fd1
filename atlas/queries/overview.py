"""What an atlas holds beside its scans and comparisons, and which comparisons could be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas.queries.browse import records

if TYPE_CHECKING:
    from atlas.db import Atlas

MOST_MISSING = 8
"""Missing comparisons that are named."""


@dataclass(frozen=True, slots=True)
class StoredMatching:
    """A one-to-one matching of two SAEs."""

    method: str
    measure: str
    alias_a: str
    alias_b: str
    corpus: str
    total: float
    """Sum of the values."""
    certified: bool
    """No other matching has a larger sum."""
    chance: float | None
    """Mean value of a matching where nothing belongs together."""
    n_pairs: int


@dataclass(frozen=True, slots=True)
class ScoresOf:
    """Stored scores of one metric."""

    metric: str
    n: int
    n_beyond: int
    """Those with a p-value of 0.05 or less."""


@dataclass(frozen=True, slots=True)
class StoredGrid:
    """A grid of scores."""

    grid_id: int
    metric: str
    n_cells: int
    n_scored: int
    n_rows: int
    n_columns: int


@dataclass(frozen=True, slots=True)
class Missing:
    """Two SAEs that could be compared by their activations and were not."""

    alias_a: str
    alias_b: str
    corpus: str
    n_missing: int
    """How many there are in all."""


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """An SAE without a scan, or a scan that kept no activations."""

    alias: str
    sae: str
    corpus: str | None
    """None if it was not measured at all."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview says below its table."""

    matchings: list[StoredMatching]
    scores: list[ScoresOf]
    grids: list[StoredGrid]
    missing: list[Missing]
    """The first of them."""
    unmeasured: list[Unmeasured]


def overview(atlas: Atlas) -> Overview:
    """Matchings, scores, grids, and what is missing."""
    return Overview(
        matchings=records(StoredMatching, atlas.fetch("status/matchings")),
        scores=records(ScoresOf, atlas.fetch("status/scores")),
        grids=records(StoredGrid, atlas.fetch("status/grids")),
        missing=records(Missing, atlas.fetch("status/missing", most=MOST_MISSING)),
        unmeasured=unmeasured(atlas),
    )


def unmeasured(atlas: Atlas) -> list[Unmeasured]:
    """SAEs that were measured on no corpus, and scans that kept no activations."""
    return records(Unmeasured, atlas.fetch("status/unmeasured"))
