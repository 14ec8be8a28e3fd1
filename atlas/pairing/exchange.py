"""Values of one measure at the best pairs of another, so that two measures can disagree on paper.

Every pairing of two SAEs also has its values at the pairs that are best by `activation`, and the pairing by
`activation` has its values at the best pairs of every other measure. Such pairs have no ranks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, AtlasUnavailable
from atlas.pairing.measures import MEASURES, Measure
from atlas.pairing.rows import GivenPairs, given_columns
from atlas.pairing.search import Sides, joint_counts_at, values_at
from atlas.pairing.sides import sides_of

HUB = "activation"
"""The measure with which all others exchange values."""

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(n,) features of a and (n,) features of b."""


@dataclass(frozen=True, slots=True, eq=False)
class Other:
    """A stored pairing that exchanges values with the one in work; features are as the latter orders its sides."""

    pairing_id: int
    """Its key."""

    run_id: int
    """The run that wrote it."""

    measure: str
    """What it compares, a name of `MEASURES`."""

    saes: tuple[str, str]
    """Full names of its SAEs, in its own order."""

    corpora: tuple[str, str]
    """Corpus of each; the same unless two cuts of a text were aligned."""

    swapped: bool
    """Its first SAE is the second of the pairing in work."""

    stored: Pairs
    """Pairs that it has."""

    best: Pairs
    """Those of them in which one feature is the other's best partner."""


@dataclass(frozen=True, slots=True, eq=False)
class Fill:
    """Rows to be added to a stored pairing, or why there are none."""

    other: Other
    """The pairing."""

    columns: Mapping[str, np.ndarray]
    """Columns of table `pair` without the key; none where nothing is missing or `problem` is given."""

    problem: str | None = None
    """Why its values could not be computed."""


def others_of(atlas: Atlas, measure: str, sae_a: str, sae_b: str, corpus: str, corpus_b: str) -> list[Other]:
    """The stored pairings of two SAEs on their corpora that exchange values with one by `measure`."""
    others = []
    for row in atlas.fetch("stored_pairings", sae_a=sae_a, sae_b=sae_b, corpus=corpus, corpus_b=corpus_b).dicts():
        known = row["measure"] in MEASURES and row["measure"] != measure
        if not known or HUB not in (measure, row["measure"]):
            continue
        keys = atlas.arrays("pair_keys", pairing_id=row["pairing_id"])
        swapped = (row["sae_a"], row["sae_b"]) != (sae_a, sae_b)
        sides = ("feature_b", "feature_a") if swapped else ("feature_a", "feature_b")
        a, b = (np.asarray(keys[side], np.int64) for side in sides)
        best = np.asarray(keys["is_best"], bool)
        saes = (str(row["sae_a"]), str(row["sae_b"]))
        of_row: dict[str, Any] = {name: row[name] for name in ("pairing_id", "run_id", "measure")}
        corpora = (corpus_b, corpus) if swapped else (corpus, corpus_b)
        of_row |= {"saes": saes, "corpora": corpora, "swapped": swapped}
        others.append(Other(**of_row, stored=(a, b), best=(a[best], b[best])))
    return others


def given_pairs(measure: Measure, sides: Sides, pairs: Pairs) -> GivenPairs:
    """The values of a measure at pairs, those without one left out."""
    value = values_at(measure, sides, *pairs)
    a, b = (side[~np.isnan(value)] for side in pairs)
    return GivenPairs(a, b, value[~np.isnan(value)], joint_counts_at(sides, a, b))


def without(pairs: Pairs, known: Pairs) -> Pairs:
    """The pairs that are not among the known ones, each once."""
    keys, of_known = (side[0].astype(np.int64) << 32 | side[1] for side in (pairs, known))
    missing = np.setdiff1d(keys, of_known)
    return missing >> 32, missing & (2**32 - 1)


def fill(db: Path | str, other: Other, pairs: Pairs, *, memory: int | None = None, wait: float = 0) -> Fill:
    """The values of a stored pairing's measure at those of `pairs` that it does not have.

    Args:
        db: The atlas, which is opened for a short read.
        other: The stored pairing.
        pairs: Features as the pairing in work orders its sides.
        memory: As in `sides_of`.
        wait: Seconds to wait for a locked atlas.
    """
    a, b = without(pairs, other.stored)
    if not len(a):
        return Fill(other, {})
    measure = MEASURES[other.measure]
    try:
        with open_atlas(db, wait=wait) as atlas:
            read_sides = sides_of(atlas, measure, *other.saes, *other.corpora, memory=memory)
        sides = read_sides()
    except AtlasUnavailable:
        raise
    except AtlasError as error:
        return Fill(other, {}, error.what)
    given = given_pairs(measure, sides, (b, a) if other.swapped else (a, b))
    return Fill(other, given_columns(given, sides.n_a, sides.n_b))


def add_rows(atlas: Atlas, filled: Fill) -> None:
    """Add the rows inside the caller's transaction, unless the pairing is gone or another one by now."""
    pairing_id, run_id = filled.other.pairing_id, filled.other.run_id
    there = atlas.rows("select 1 from pairing where pairing_id = $id and run_id = $run", id=pairing_id, run=run_id)
    if len(there) and filled.columns:
        n = len(filled.columns["value"])
        atlas.insert("pair", {"pairing_id": np.full(n, pairing_id, dtype=np.int32), **filled.columns})
