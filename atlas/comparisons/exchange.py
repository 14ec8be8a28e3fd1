"""Values of one measure at the best pairs of another, so that two measures can disagree on paper.

Every pairing of two SAEs also has its values at the pairs that are best by `activation`, and the pairing by
`activation` has its values at the best pairs of every other measure. Such pairs have no ranks. What pairings that were
computed at the same time lack of each other, `complete` fills in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.comparisons.reading import sides_of
from atlas.comparisons.rows import GivenPairs, given_columns
from atlas.comparisons.stored import Names, as_columns
from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, AtlasUnavailable
from atlas.pairing.measures.registry import MEASURES, Measure
from atlas.pairing.search.sides import Sides, joint_counts_at, values_at

EXCHANGE_MEASURE = "activation"
"""The measure with which all others exchange values."""

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(n,) features of a and (n,) features of b."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredPairing:
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
class Supplement:
    """Rows to be added to a stored pairing, or why there are none."""

    pairing: StoredPairing
    """The pairing."""

    columns: Mapping[str, np.ndarray]
    """Columns of table `pair` without the key; none where nothing is missing or `problem` is given."""

    problem: str | None = None
    """Why its values could not be computed."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.columns.get("value", ()))


def pairings_in_exchange(
    atlas: Atlas, measure: str | None, sae_a: str, sae_b: str, corpus: str, corpus_b: str
) -> list[StoredPairing]:
    """The stored pairings of two SAEs on their corpora that exchange values with one by `measure`; all for None."""
    found = []
    for row in atlas.fetch(
        "comparisons/stored_pairings", sae_a=sae_a, sae_b=sae_b, corpus=corpus, corpus_b=corpus_b
    ).dicts():
        if row["measure"] not in MEASURES or not (measure is None or _exchange(measure, row["measure"])):
            continue
        keys = atlas.arrays("comparisons/pair_keys", pairing_id=row["pairing_id"])
        swapped = (row["sae_a"], row["sae_b"]) != (sae_a, sae_b)
        sides = ("feature_b", "feature_a") if swapped else ("feature_a", "feature_b")
        a, b = (np.asarray(keys[side], np.int64) for side in sides)
        best = np.asarray(keys["is_best"], bool)
        saes = (str(row["sae_a"]), str(row["sae_b"]))
        of_row: dict[str, Any] = {name: row[name] for name in ("pairing_id", "run_id", "measure")}
        corpora = (corpus_b, corpus) if swapped else (corpus, corpus_b)
        of_row |= {"saes": saes, "corpora": corpora, "swapped": swapped}
        found.append(StoredPairing(**of_row, stored=(a, b), best=(a[best], b[best])))
    return found


def newer_in_exchange(atlas: Atlas, seen: Iterable[StoredPairing], measure: str, names: Names) -> bool:
    """Whether there are pairings now, which exchange values with one by `measure`, besides those that were seen."""
    known = {(one.pairing_id, one.run_id) for one in seen}
    rows = atlas.fetch("comparisons/stored_pairings", **as_columns(names)).dicts()
    return any(
        row["measure"] in MEASURES
        and _exchange(measure, row["measure"])
        and (row["pairing_id"], row["run_id"]) not in known
        for row in rows
    )


def complete(db: Path | str, names: Names, *, memory: int | None = None, wait: float = 0) -> list[Supplement]:
    """Fill in what the stored pairings of two SAEs lack of each other, and return what was added and what could not be.

    A feature without any partner in a pairing is taken to have no value there.

    Args:
        db: The atlas, which is opened for short reads, and for a write if anything is missing.
        names: Both SAEs and their corpora.
        memory: As in `sides_of`.
        wait: Seconds to wait for a locked atlas.
    """
    with open_atlas(db, wait=wait) as atlas:
        held = pairings_in_exchange(atlas, None, *names)
    wanted = [(one, _defined(one, [o.best for o in held if _exchange(one.measure, o.measure)])) for one in held]
    added = [supplement(db, one, pairs, memory=memory, wait=wait) for one, pairs in wanted]
    if any(len(rows) for rows in added):
        with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
            for rows in added:
                add_rows(atlas, rows)
    return added


def _exchange(measure: str, other: str) -> bool:
    """Whether pairings by two measures have values at each other's best pairs."""
    return measure != other and EXCHANGE_MEASURE in (measure, other)


def _defined(pairing: StoredPairing, pairs: Sequence[Pairs]) -> Pairs:
    """The pairs of features that have a best partner in a pairing, or are one."""
    a, b = (np.concatenate([np.zeros(0, np.int64), *(some[side] for some in pairs)]) for side in (0, 1))
    known = np.isin(a, pairing.best[0]) & np.isin(b, pairing.best[1])
    return a[known], b[known]


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


def supplement(
    db: Path | str, pairing: StoredPairing, pairs: Pairs, *, memory: int | None = None, wait: float = 0
) -> Supplement:
    """The values of a stored pairing's measure at those of `pairs` that it does not have.

    Args:
        db: The atlas, which is opened for a short read.
        pairing: The stored pairing.
        pairs: Features as the pairing in work orders its sides.
        memory: As in `sides_of`.
        wait: Seconds to wait for a locked atlas.
    """
    a, b = without(pairs, pairing.stored)
    if not len(a):
        return Supplement(pairing, {})
    measure = MEASURES[pairing.measure]
    try:
        with open_atlas(db, wait=wait) as atlas:
            read_sides = sides_of(atlas, measure, *pairing.saes, *pairing.corpora, memory=memory)
        sides = read_sides()
    except AtlasUnavailable:
        raise
    except AtlasError as error:
        return Supplement(pairing, {}, error.what)
    given = given_pairs(measure, sides, (b, a) if pairing.swapped else (a, b))
    return Supplement(pairing, given_columns(given, sides.n_a, sides.n_b))


def add_rows(atlas: Atlas, added: Supplement) -> None:
    """Add the rows that are still missing, inside the caller's transaction, unless the pairing is gone or another."""
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
