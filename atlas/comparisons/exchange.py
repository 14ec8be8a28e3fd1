"""Values of one measure at the best pairs of another, so that disagreements of two measures can be read.

Every pairing of two SAEs also has its values at the pairs that are best by `activation`, and the pairing by
`activation` has its values at the best pairs of every other measure. Such pairs have no ranks. Values that pairings
computed at the same time lack are added by `complete`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atlas.choices import DEFAULT_MEASURE
from atlas.comparisons.reading import operands_of
from atlas.comparisons.rows import GivenPairs, Pairs, given_columns
from atlas.comparisons.stored import TwoScans, stored_of
from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, AtlasUnavailable
from atlas.pairing.measures.operands import Operands
from atlas.pairing.measures.registry import MEASURES


@dataclass(frozen=True, slots=True, eq=False)
class StoredPairing:
    """A stored pairing that exchanges values with the current one; features are in the SAE order of the latter."""

    pairing_id: int
    """Key of table `pairing`."""
    run_id: int
    """The run that wrote it."""
    measure: str
    """A name of `MEASURES`."""
    two: TwoScans
    """Its SAEs and their corpora, in its own order."""
    swapped: bool
    """Whether its first SAE is the second of the current pairing."""
    stored: Pairs
    """All of its pairs."""
    best: Pairs
    """Its pairs in which one feature is the best partner of the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Supplement:
    """Rows to be added to a stored pairing, or why there are none."""

    pairing: StoredPairing
    """The pairing that gets them."""
    columns: Mapping[str, np.ndarray]
    """Columns of table `pair` without the key; empty where nothing is missing or `problem` is given."""
    problem: str | None = None
    """Why its values could not be computed."""

    def __len__(self) -> int:
        return len(self.columns.get("value", ()))


def pairings_in_exchange(atlas: Atlas, two: TwoScans, measure: str | None) -> list[StoredPairing]:
    """The stored pairings of two SAEs on their corpora that exchange values with one by `measure`; all for None."""
    found = []
    for row in _in_exchange(atlas, two, measure):
        keys = atlas.arrays("comparisons/pair_keys", pairing_id=row["pairing_id"])
        swapped = (row["sae_a"], row["sae_b"]) != two.saes
        features = ("feature_b", "feature_a") if swapped else ("feature_a", "feature_b")
        a, b = (np.asarray(keys[name], np.int64) for name in features)
        best, own = np.asarray(keys["is_best"], bool), two.swapped() if swapped else two
        of_row = {name: row[name] for name in ("pairing_id", "run_id", "measure")}
        found.append(StoredPairing(**of_row, two=own, swapped=swapped, stored=(a, b), best=(a[best], b[best])))
    return found


def newer_in_exchange(atlas: Atlas, two: TwoScans, measure: str, seen: Iterable[StoredPairing]) -> bool:
    """Whether pairings that exchange values with one by `measure` were added since `seen` was read."""
    known = {(one.pairing_id, one.run_id) for one in seen}
    return any((row["pairing_id"], row["run_id"]) not in known for row in _in_exchange(atlas, two, measure))


def _in_exchange(atlas: Atlas, two: TwoScans, measure: str | None) -> list[dict[str, Any]]:
    rows = [row for row in stored_of(atlas, "pairing", two) if row["measure"] in MEASURES]
    return [row for row in rows if measure is None or _exchange(measure, row["measure"])]


def complete(db: Path | str, two: TwoScans, *, memory: int | None = None, wait: float = 0) -> list[Supplement]:
    """Add the values that stored pairings of two SAEs lack at each other's best pairs; memory as in `operands_of`.

    A feature without any partner in a pairing is taken to have no value there. The atlas is opened for short reads, and
    for a write if anything is missing.
    """
    with open_atlas(db, wait=wait) as atlas:
        held = pairings_in_exchange(atlas, two, None)
    wanted = [(one, _defined(one, joined(o.best for o in held if _exchange(one.measure, o.measure)))) for one in held]
    added = [supplement(db, one, pairs, memory=memory, wait=wait) for one, pairs in wanted]
    if any(len(rows) for rows in added):
        with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
            for rows in added:
                add_rows(atlas, rows)
    return added


def _exchange(measure: str, other: str) -> bool:
    return measure != other and DEFAULT_MEASURE in (measure, other)


def _defined(pairing: StoredPairing, pairs: Pairs) -> Pairs:
    a, b = pairs
    known = np.isin(a, pairing.best[0]) & np.isin(b, pairing.best[1])
    return a[known], b[known]


def given_pairs(operands: Operands, pairs: Pairs) -> GivenPairs:
    """The values of a measure at pairs, those without one left out."""
    value = operands.values_at(*pairs)
    a, b = (features[~np.isnan(value)] for features in pairs)
    return GivenPairs(a, b, value[~np.isnan(value)], operands.joint_at(a, b))


def joined(parts: Iterable[Pairs]) -> Pairs:
    none = np.zeros(0, np.int64)
    a, b = zip((none, none), *parts, strict=True)
    return np.concatenate(a), np.concatenate(b)


def without(pairs: Pairs, known: Pairs) -> Pairs:
    """The pairs that are not among the known ones, each once."""
    keys, of_known = (a.astype(np.int64) << 32 | b for a, b in (pairs, known))
    missing = np.setdiff1d(keys, of_known)
    return missing >> 32, missing & (2**32 - 1)


def supplement(
    db: Path | str, pairing: StoredPairing, pairs: Pairs, *, memory: int | None = None, wait: float = 0
) -> Supplement:
    """The values of the measure of a stored pairing at those of `pairs` that it lacks; memory as in `operands_of`."""
    a, b = without(pairs, pairing.stored)
    if not len(a):
        return Supplement(pairing, {})
    try:
        with open_atlas(db, wait=wait) as atlas:
            read = operands_of(atlas, MEASURES[pairing.measure], pairing.two, memory=memory)
        operands = read()
    except AtlasUnavailable:
        raise
    except AtlasError as error:
        return Supplement(pairing, {}, error.what)
    given = given_pairs(operands, (b, a) if pairing.swapped else (a, b))
    return Supplement(pairing, given_columns(given, operands.n_a, operands.n_b))


def add_rows(atlas: Atlas, added: Supplement) -> None:
    """Add the rows that are still missing, in the caller's transaction, unless the pairing was deleted or replaced."""
    pairing_id, run_id = added.pairing.pairing_id, added.pairing.run_id
    there = atlas.rows("select 1 from pairing where pairing_id = $id and run_id = $run", id=pairing_id, run=run_id)
    if not len(there) or not len(added):
        return
    stored = atlas.arrays("comparisons/pair_keys", pairing_id=pairing_id)
    present, wanted = (
        np.asarray(columns["feature_a"], np.int64) << 32 | columns["feature_b"] for columns in (stored, added.columns)
    )
    missing = ~np.isin(wanted, present)
    columns = {name: column[missing] for name, column in added.columns.items()}
    atlas.insert("pair", {"pairing_id": np.full(missing.sum(), pairing_id, dtype=np.int32), **columns})
