"""What the browser reads of concepts: how many features every scan has of each, and the keywords and scores of one."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.db import Atlas
from atlas.errors import AtlasError
from atlas.queries.browse_records import Scan

CONCEPT_SORTS = ("concept", "features", "share")
"""Orders of the list: by name, by features found, by features of whose strongest tokens at least half are keywords."""


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """One concept in one scan."""

    concept: str
    alias: str
    sae: str
    corpus: str
    n_features: int
    n_features_half: int
    """Those of whose strongest tokens at least half are keywords."""
    keywords_found: list[str]
    """Keywords that some feature has."""
    n_keywords: int
    """Keywords of the concept."""


@dataclass(frozen=True, slots=True)
class ConceptScore:
    """A stored score of the features of a concept."""

    metric: str
    alias_a: str
    alias_b: str
    value: float
    null_mean: float
    p_value: float
    n: int
    """Matched pairs of features."""
    space: str
    """Rows that were compared: decoder, encoder or activation."""
    null_kind: str
    """As in the view `scores`."""


@dataclass(frozen=True, slots=True)
class ConceptDetail:
    """A concept in one scan, beside another."""

    row: ConceptRow
    other: Scan | None
    """The scan beside; None if the SAE was compared with none."""
    words: list[tuple[str, int, int | None, int | None]]
    """(keyword, features here, features beside, matched pairs with it on both sides); `(all)` is the whole concept."""
    unpaired: str
    """Why no pairs are counted; empty if they are."""
    scores: list[ConceptScore]


def concept_rows(
    atlas: Atlas, rule: str, *, text: str = "", sort: str = "concept", reverse: bool = False
) -> list[ConceptRow]:
    """Every concept in every scan whose concept, SAE or found keywords hold a text: by name, or the largest first."""
    from atlas.concepts.counts import concept_counts
    from atlas.concepts.lexicons import ConceptRule

    found = concept_counts(atlas, ConceptRule(rule, None))
    named = (dict(zip(found.columns, row, strict=True)) for row in found.fetchall())
    rows = [ConceptRow(**row) for row in named if row["sae"] is not None]
    wanted = text.lower()
    rows = [row for row in rows if wanted in " ".join([row.concept, row.alias, row.sae, *row.keywords_found]).lower()]
    if sort != "concept":
        rows.sort(key=lambda row: -(row.n_features if sort == "features" else row.n_features_half))
    return rows[::-1] if reverse else rows


def concept_detail(atlas: Atlas, row: ConceptRow, rule: str, other: Scan | None) -> ConceptDetail:
    """Keywords of a concept in one scan and beside it, with the one-to-one pairs and the scores of both."""
    from atlas.concepts.counts import keyword_counts
    from atlas.concepts.lexicons import ConceptRule
    from atlas.filters.subset import Subset

    if other is None:
        sides = {"rule": rule, "concept": row.concept, "sae": row.sae, "corpus": row.corpus}
        alone = atlas.fetch("browse/concept_words", **sides)
        return ConceptDetail(row, None, [(word, n, None, None) for word, n in alone], "", [])
    by = ConceptRule(rule, None)
    counted = keyword_counts(
        atlas, row.sae, other.sae, by, Subset(match="one-to-one"), concept=row.concept, corpus=row.corpus
    )
    sides = {"sae_a": row.sae, "sae_b": other.sae, "corpus": row.corpus, "corpus_b": other.corpus}
    scores = atlas.fetch("browse/concept_scores", concept=row.concept, rule=rule, **sides)
    return ConceptDetail(
        row=row,
        other=other,
        words=[(word, n_a, n_b, n) for _, word, n_a, n_b, n in counted.found.fetchall()],
        unpaired=_sentence(counted.unpaired),
        scores=[ConceptScore(*score) for score in scores],
    )


def concept_members(atlas: Atlas, row: ConceptRow, rule: str) -> list[tuple[int, int]]:
    """(scan, feature) of the features of a concept, those of the largest share first."""
    sides = {"rule": rule, "concept": row.concept, "sae": row.sae, "corpus": row.corpus}
    return atlas.fetch("browse/concept_members", **sides).rows  # type: ignore[return-value]


def _sentence(problem: AtlasError | None) -> str:
    return "" if problem is None else problem.what + (f" – {problem.hint}" if problem.hint else "")
