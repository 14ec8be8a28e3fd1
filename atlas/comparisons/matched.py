"""The matched pairs of features of a subset, and how many each step removed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

import duckdb
import numpy as np

from atlas.catalog.compared import Compared
from atlas.db import Atlas, first_line
from atlas.db.sqlfiles import sql_text
from atlas.errors import UsageError
from atlas.filters.subset import Subset, count_steps

_CHANGING = re.compile(r"\b(random|uuid|uuidv4|uuidv7|gen_random_uuid|now|today|nextval|setseed)\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """The pairs of a subset, and how many each step removed."""

    features_a: np.ndarray
    """(n,) features of A, ascending, ties by the feature of B; int64."""
    features_b: np.ndarray
    """(n,) their partners in B."""
    steps: tuple[tuple[str, int], ...]
    """Name of each step and the pairs it removed, from `candidates` (all there were) to the pairs left."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.features_a.tobytes() + self.features_b.tobytes()).hexdigest()


def select_pairs(atlas: Atlas, compared: Compared) -> Matched:
    """Read the pairs of a subset; UsageError if its condition is not valid SQL over features."""
    subset, query = compared.subset, sql_text("queries/comparisons/matched_features")
    relation = atlas.sql(query, params=compared.parameters)
    rows = relation.select("feature_a, feature_b, kept, dropped_because").fetchall()
    steps, left = count_steps(row[3] for row in rows), {(row[0], row[1]) for row in rows if row[2]}
    if subset.where:
        allowed = left & _condition(relation, subset.where)
        steps.append(("where", len(left) - len(allowed)))
        left = allowed
    if subset.concept:
        of_a, of_b = (concept_members(atlas, *side, subset) for side in compared.sides)
        allowed = {(a, b) for a, b in left if a in of_a and b in of_b}
        steps.append(("concept", len(left) - len(allowed)))
        left = allowed
    pairs = np.array(sorted(left), dtype=np.int64).reshape(-1, 2)
    return Matched(pairs[:, 0].copy(), pairs[:, 1].copy(), (*steps, ("left", len(pairs))))


def _condition(relation: duckdb.DuckDBPyRelation, where: str) -> set[tuple[int, int]]:
    """Pairs that match a user's condition. It is parsed as one expression, on a connection that only reads."""
    if found := _CHANGING.search(where):
        why = f"{found[1]}() gives another value each time"
        raise UsageError(f"the condition {where!r} does not select the same pairs each time", why=why)
    try:
        return set(relation.filter(where).select("feature_a, feature_b").fetchall())
    except duckdb.Error as error:
        raise UsageError(
            f"the condition {where!r} does not work",
            why=first_line(error),
            hint='--where "a.density < 1e-3 and b.max > 5": columns of view features, a. of SAE A and b. of SAE B',
        ) from error


def concept_members(atlas: Atlas, sae: str, corpus: str, subset: Subset) -> set[int]:
    asked = {"sae": sae, "corpus": corpus, "concept": subset.concept, "min_share": subset.min_share}
    return {row[0] for row in atlas.fetch("concepts/members_by", rule=subset.concept_rule, **asked)}
