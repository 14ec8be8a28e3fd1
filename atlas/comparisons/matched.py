"""Which matched pairs of features are meant: match rule, filters, condition, concept."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np

from atlas.catalog.measures import known_measure
from atlas.catalog.saes import concept_named
from atlas.choices import MATCH_RULES, STORED_RULES
from atlas.db import Atlas, first_line
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError, UnknownName, UsageError

FILTERS = ("value", "joint", "density", "non-concept", "no shared token", "not mutual", "many-to-one")
"""Reasons of the macro `matches`, in the order in which its filters look."""


_CHANGING = re.compile(r"\b(random|uuid|uuidv4|uuidv7|gen_random_uuid|now|today|nextval|setseed)\s*\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subset:
    """What is asked for. Equal subsets of equal atlases hold the same pairs."""

    match: str = "one-to-one"
    """`one-to-one`: each partner keeps the best feature that chose it; `best`: every feature with its best partner,
    which several may share; `mutual`: each is the other's best; `singletons`: partners that several features chose are
    left out; `first-seen`: a partner keeps the chooser of the lowest id; `assignment`: one to one, of the largest sum;
    `greedy`: one to one, the largest value first. The last two are stored by `featlas match`."""

    direction: str = "a_to_b"
    """`a_to_b`: features of A choose in B; `b_to_a`: the other way."""

    measure: str = "activation"
    """Of the pairing."""

    min_value: float = 0.0
    """Least value of the measure."""

    min_joint: int = 0
    """Least number of tokens on which both fire."""

    min_density: float = 0.0
    """Least share of tokens on which a feature of either side fires."""

    max_density: float = 1.0
    """Largest such share."""

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

    concept_rule: str = "share"
    """What makes a feature belong to a concept: share, paper or word, as in the macro `concept_features_by`."""

    concept_share: float | None = None
    """Least share of the strongest tokens that are keywords, in (0, 1]; None is 0.5 for `share` and any for others."""

    @property
    def least_share(self) -> float:
        """`concept_share`, or what it is if it was not given."""
        given = 0.5 if self.concept_rule == "share" else 0.0
        return given if self.concept_share is None else self.concept_share

    paper_compat: bool = False
    """As the code released with arXiv 2410.06981 selects pairs: correlations count (n - 1) / n of themselves, and the
    least value itself is not enough. `as_the_paper` sets the rest."""

    def as_the_paper(self) -> Subset:
        """The same with that code's direction, rule and least value: docs/matching.md says where its text differs."""
        return replace(self, match="first-seen", direction="b_to_a", min_value=0.1, paper_compat=True)

    def in_words(self) -> str:
        """One line for the record."""
        parts = [f"{self.match} by {self.measure}, {self.direction}"]
        if self.paper_compat:
            parts.append(f"as the code of arXiv 2410.06981: value (n - 1) / n > {self.min_value:g}")
        elif self.min_value > 0:
            parts.append(f"value >= {self.min_value:g}")
        if self.min_density > 0 or self.max_density < 1:
            parts.append(f"density {self.min_density:g} to {self.max_density:g}")
        if self.min_joint > 0:
            parts.append(f"joint >= {self.min_joint}")
        if self.concept:
            parts.append(f"concept {self.concept} by {self.concept_rule} (share >= {self.least_share:g})")
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
    relation = candidates(atlas, "comparisons/matched_features", sae_a, sae_b, corpus, subset)
    rows = relation.select("feature_a, feature_b, kept, dropped_because").fetchall()
    steps, left = count_steps(row[3] for row in rows), {(row[0], row[1]) for row in rows if row[2]}
    if subset.where:
        left = _step(steps, "where", left, _condition(relation, subset.where))
    if subset.concept:
        left = _step(steps, "concept", left, _in_concept(atlas, left, sae_a, sae_b, corpus, subset))
    pairs = np.array(sorted(left), dtype=np.int64).reshape(-1, 2)
    return Matched(pairs[:, 0].copy(), pairs[:, 1].copy(), (*steps, ("left", len(pairs))))


def candidates(
    atlas: Atlas, query: str, sae_a: str, sae_b: str, corpus: str, subset: Subset
) -> duckdb.DuckDBPyRelation:
    """Every candidate pair of a subset, with the verdict of the filters.

    Args:
        atlas: Open for reading.
        query: `matched_features`, or `browse_pairs`, which leaves out the rows of both features.
        sae_a: Full name.
        sae_b: Full name.
        corpus: Corpus of A on which the two were compared.
        subset: Which pairs; its condition and its concept are not looked at.

    Raises:
        AtlasError: No such pairs are stored; the hint is the command that makes them.
        UsageError: There is no such match rule.
    """
    return atlas.sql(sql_text(f"queries/{query}"), params=parameters_of(atlas, sae_a, sae_b, corpus, subset))


def compared_corpora(atlas: Atlas, sae_a: str, sae_b: str, subset: Subset) -> list[str]:
    """Corpora of A on which pairs by the rule and the measure of a subset are stored, the newest first."""
    return [str(row["corpus"]) for row in _comparisons(atlas, sae_a, sae_b, subset) if row["measure"] == subset.measure]


def _comparisons(atlas: Atlas, sae_a: str, sae_b: str, subset: Subset) -> list[dict[str, Any]]:
    """Every stored comparison of two SAEs that the rule can use, seen from A, the newest first."""
    if subset.match not in MATCH_RULES:
        raise UsageError(f"no match rule {subset.match!r}", why=f"known: {', '.join(MATCH_RULES)}")
    known_measure(atlas, subset.measure)
    query = "comparisons/stored_matchings" if subset.match in STORED_RULES else "comparisons/pairings"
    rows = atlas.fetch(query, sae_a=sae_a, sae_b=sae_b).dicts()
    rows = [row for row in rows if row.get("method", subset.match) == subset.match]
    rows = [row for row in rows if row["sae_a"] == sae_a or not row["has_direction"]]
    for row in rows:
        if row["sae_a"] != sae_a:
            row["corpus"], row["corpus_b"] = row["corpus_b"], row["corpus"]
    return rows


def stored_comparison(
    atlas: Atlas, sae_a: str, sae_b: str, subset: Subset, corpus: str | None = None
) -> dict[str, Any]:
    """What the pairs of a subset come from: a row of the query `pairings`, or `stored_matchings` for stored rules.

    Args:
        atlas: Open for reading.
        sae_a: Full name.
        sae_b: Full name.
        subset: Names the rule and the measure.
        corpus: Corpus of A; None takes the newest comparison. The row names A's as `corpus`, whoever came first.

    Raises:
        AtlasError: There is none; the hint is the command that makes it.
        UnknownName: There is none on this corpus, but on others.
        UsageError: There is no such match rule.
    """
    by_command = subset.match in STORED_RULES
    every = _comparisons(atlas, sae_a, sae_b, subset)
    known, rows = sorted({row["measure"] for row in every}), [r for r in every if r["measure"] == subset.measure]
    for row in rows:
        if corpus in (None, row["corpus"]):
            return row
    if rows:
        raise UnknownName(
            f"corpus on which {sae_a} and {sae_b} were compared", str(corpus), [r["corpus"] for r in rows]
        )
    how = f"match {sae_a} {sae_b} --method {subset.match}" if by_command else f"correlate {sae_a} {sae_b}"
    measure = "" if subset.measure == "activation" else f" --measure {subset.measure}"
    what = f"{subset.match} by {subset.measure}" if by_command else f"pairs by {subset.measure}"
    raise AtlasError(
        f"{sae_a} and {sae_b} have no {what} yet",
        why=f"stored are those by {', '.join(known)}" if known else None,
        hint=f"featlas {how}{measure}",
    )


def parameters_of(atlas: Atlas, sae_a: str, sae_b: str, corpus: str, subset: Subset) -> dict[str, Any]:
    """Parameters of the macro `matches` for a subset, and its corpus; raises as `candidates` does."""
    n_tokens = stored_comparison(atlas, sae_a, sae_b, subset, corpus)["n_tokens"]
    least = subset.min_value
    if subset.paper_compat:
        least = float(np.nextafter(least * n_tokens / (n_tokens - 1), np.inf))
    return {
        "sae_a": sae_a,
        "sae_b": sae_b,
        "corpus": corpus,
        "measure": subset.measure,
        "direction": subset.direction,
        "min_value": least,
        "min_joint": subset.min_joint,
        "min_density": subset.min_density,
        "max_density": subset.max_density,
        "top_tokens": subset.top_tokens,
        "drop_non_concept": not (subset.keep_non_concept or subset.concept),
        "shared_token": not (subset.keep_unshared or subset.concept),
        "method": subset.match,
    }


def count_steps(reasons: Iterable[Sequence[str]]) -> list[tuple[str, int]]:
    """Candidates, then the pairs that each filter removed, in the order of the filters.

    Args:
        reasons: Of every candidate; a pair counts for the first of its reasons, and for none if it has none.
    """
    first = [pair[0] if pair else None for pair in reasons]
    removed = Counter(first)
    return [("candidates", len(first)), *((name, removed[name]) for name in FILTERS if removed[name])]


def _step(steps: list[tuple[str, int]], name: str, left: set, allowed: set) -> set:
    """Keep what is allowed and note how many were not."""
    steps.append((name, len(left - allowed)))
    return left & allowed


def _condition(relation: duckdb.DuckDBPyRelation, where: str) -> set[tuple[int, int]]:
    """Pairs that a user's condition holds for. It is parsed as one expression, on a connection that only reads."""
    if found := _CHANGING.search(where):
        raise UsageError(f"the condition {where!r} holds for other pairs each time", why=f"{found[1]}() changes")
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
    corpus_b = stored_comparison(atlas, sae_a, sae_b, subset, corpus)["corpus_b"]
    of_a, of_b = (concept_members(atlas, *side, concept, subset) for side in ((sae_a, corpus), (sae_b, corpus_b)))
    return {(a, b) for a, b in left if a in of_a and b in of_b}


def concept_members(atlas: Atlas, sae: str, corpus: str, concept: str, subset: Subset) -> set[int]:
    """Features of an SAE that belong to a concept, by the least share of the subset."""
    asked = {"sae": sae, "corpus": corpus, "concept": concept, "min_share": subset.least_share}
    return {row[0] for row in atlas.fetch("concepts/members_by", rule=subset.concept_rule, **asked)}
