"""Which matched pairs of features a comparison is over: match rule, filters, condition, concept."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from atlas.db import Atlas, first_line
from atlas.errors import AtlasError, UsageError
from atlas.queries.registry import concept_named
from atlas.sqlfiles import sql_text

MATCH_RULES = ("one-to-one", "best", "mutual")
FILTERS = ("value", "joint", "non-concept", "no shared token", "many-to-one")
"""Reasons of the macro `matches`, in the order in which its filters look."""


@dataclass(frozen=True, slots=True)
class Subset:
    """What is asked for. Equal subsets of equal atlases hold the same pairs."""

    match: str = "one-to-one"
    """`one-to-one`: each partner keeps the best feature that chose it; `best`: every feature with its best partner,
    which several may share; `mutual`: each is the other's best."""

    direction: str = "a_to_b"
    """`a_to_b`: features of A choose in B; `b_to_a`: the other way."""

    measure: str = "activation"
    """Of the pairing."""

    min_value: float = 0.0
    """Least value of the measure."""

    min_joint: int = 0
    """Least number of tokens on which both fire."""

    top_tokens: int = 5
    """Strongest tokens that the two token filters look at."""

    keep_non_concept: bool = False
    """Keep pairs with a non-concept token among the strongest tokens of either side."""

    keep_unshared: bool = False
    """Keep pairs that share none of their strongest tokens."""

    where: str | None = None
    """SQL condition over the rows `a` and `b` of view features, such as `a.density < 1e-3 and b.max > 5`."""

    concept: str | None = None
    """Only pairs whose features both belong to this concept; it takes the place of the two token filters."""

    concept_share: float = 0.5
    """Least share of a feature's ten strongest tokens that are keywords of the concept, in (0, 1]."""

    def in_words(self) -> str:
        """One line for the record."""
        parts = [f"{self.match} by {self.measure}, {self.direction}"]
        if self.min_value > 0:
            parts.append(f"value >= {self.min_value:g}")
        if self.min_joint > 0:
            parts.append(f"joint >= {self.min_joint}")
        if self.concept:
            parts.append(f"concept {self.concept} (share >= {self.concept_share:g})")
        else:
            parts.append(
                "non-concept kept" if self.keep_non_concept else f"non-concept dropped (top {self.top_tokens})"
            )
            parts.append("unshared kept" if self.keep_unshared else f"shared token (top {self.top_tokens})")
        if self.where:
            parts.append(f"where {self.where}")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """The pairs of a subset, and how many fell at each step."""

    features_a: np.ndarray
    """(n,) features of A, ascending, ties by the feature of B; int64."""

    features_b: np.ndarray
    """(n,) their partners in B."""

    steps: tuple[tuple[str, int], ...]
    """Name of each step and the pairs it removed, from `candidates` (all there were) to the pairs left."""

    @property
    def sha256(self) -> str:
        """Hash of the exact feature ids."""
        return hashlib.sha256(self.features_a.tobytes() + self.features_b.tobytes()).hexdigest()


def select_pairs(atlas: Atlas, sae_a: str, sae_b: str, corpus: str, subset: Subset) -> Matched:
    """Ask the atlas for the pairs of a subset.

    Raises:
        AtlasError: The two SAEs have no stored pairs on the corpus.
        UsageError: The condition is no SQL over features, or an option names nothing.
    """
    parameters = _parameters(sae_a, sae_b, corpus, subset)
    pairings = atlas.fetch("pairings", sae_a=sae_a, sae_b=sae_b).dicts()
    if not any(row["corpus"] == corpus and row["measure"] == subset.measure for row in pairings):
        raise AtlasError(
            f"{sae_a} and {sae_b} have no pairs on {corpus} yet",
            hint=f"featlas --db {atlas.path} correlate {sae_a} {sae_b}",
        )
    relation = atlas.sql(sql_text("queries/matched_features"), params=parameters)
    rows = relation.select("feature_a, feature_b, kept, dropped_because, mutual").fetchall()
    steps, left = _count_steps(rows, subset)
    if subset.where:
        left = _step(steps, "where", left, _condition(relation, subset.where))
    if subset.concept:
        left = _step(steps, "concept", left, _in_concept(atlas, left, sae_a, sae_b, corpus, subset))
    pairs = np.array(sorted(left), dtype=np.int64).reshape(-1, 2)
    return Matched(pairs[:, 0].copy(), pairs[:, 1].copy(), (*steps, ("left", len(pairs))))


def _parameters(sae_a: str, sae_b: str, corpus: str, subset: Subset) -> dict[str, object]:
    """Parameters of the macro `matches`."""
    if subset.match not in MATCH_RULES:
        raise UsageError(f"no match rule {subset.match!r}", why=f"known: {', '.join(MATCH_RULES)}")
    return {
        "sae_a": sae_a,
        "sae_b": sae_b,
        "corpus": corpus,
        "measure": subset.measure,
        "direction": subset.direction,
        "min_value": subset.min_value,
        "min_joint": subset.min_joint,
        "top_tokens": subset.top_tokens,
        "drop_non_concept": not (subset.keep_non_concept or subset.concept),
        "shared_token": not (subset.keep_unshared or subset.concept),
        "one_to_one": subset.match == "one-to-one",
    }


def count_steps(reasons: Iterable[Sequence[str]]) -> list[tuple[str, int]]:
    """Candidates, then the pairs that each filter removed, in the order of the filters.

    Args:
        reasons: Of every candidate; a pair counts for the first of its reasons, and for none if it has none.
    """
    first = [pair[0] if pair else None for pair in reasons]
    removed = Counter(first)
    return [("candidates", len(first)), *((name, removed[name]) for name in FILTERS if removed[name])]


def _count_steps(rows: list[tuple], subset: Subset) -> tuple[list[tuple[str, int]], set[tuple[int, int]]]:
    """How many candidates each filter dropped, and the pairs left."""
    steps = count_steps(row[3] for row in rows)
    left = {(row[0], row[1]) for row in rows if row[2]}
    if subset.match == "mutual":
        left = _step(steps, "not mutual", left, {(row[0], row[1]) for row in rows if row[4]})
    return steps, left


def _step(steps: list[tuple[str, int]], name: str, left: set, allowed: set) -> set:
    """Keep what is allowed and note how many were not."""
    steps.append((name, len(left - allowed)))
    return left & allowed


def _condition(relation: duckdb.DuckDBPyRelation, where: str) -> set[tuple[int, int]]:
    """Pairs that a user's condition holds for. It is parsed as one expression, on a connection that only reads."""
    try:
        return set(relation.filter(where).select("feature_a, feature_b").fetchall())
    except duckdb.Error as error:
        raise UsageError(
            f"the condition {where!r} does not work",
            why=first_line(error),
            hint='--where "a.density < 1e-3 and b.max > 5": columns of view features, a. and b. for the two sides',
        ) from error


def _in_concept(atlas: Atlas, left: set, sae_a: str, sae_b: str, corpus: str, subset: Subset) -> set[tuple[int, int]]:
    """Pairs whose features both belong to the concept."""
    concept = concept_named(atlas, subset.concept or "")
    members = [
        {
            row[0]
            for row in atlas.fetch(
                "concept_members", sae=s, corpus=corpus, concept=concept, min_share=subset.concept_share
            )
        }
        for s in (sae_a, sae_b)
    ]
    return {(a, b) for a, b in left if a in members[0] and b in members[1]}
