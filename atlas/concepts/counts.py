"""Which features belong to a concept, by rule: counted over SAEs, and keyword by keyword for two of them."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from atlas.catalog.saes import concept_named, corpus_in_common, sae_named, two_saes
from atlas.comparisons.matched import Subset, stored_comparison
from atlas.concepts.lexicons import ConceptRule
from atlas.db import Atlas
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError, UnknownName, UsageError


@dataclass(frozen=True, slots=True)
class KeywordCounts:
    """Features of two SAEs by keyword."""

    found: duckdb.DuckDBPyRelation
    """concept, keyword, n_features_a, n_features_b, n_pairs; the last is null where no such pairs are stored."""

    unpaired: AtlasError | None
    """Why there are no pairs, with the command that makes them; None if there are."""


def concept_counts(
    atlas: Atlas, by: ConceptRule, *, concept: str | None = None, sae: str | None = None, corpus: str | None = None
) -> duckdb.DuckDBPyRelation:
    """Features that every scan has of every concept: n_features, those of share 0.5, the keywords found.

    Args:
        atlas: Open for reading.
        by: Rule and least share.
        concept: Only this one, letter case aside.
        sae: Only this one, by name or alias.
        corpus: Only this one.

    Raises:
        UnknownName: No such concept, SAE or corpus.
    """
    if corpus is not None:
        known = [row[0] for row in atlas.fetch("catalog/corpus_ids")]
        if corpus not in known:
            raise UnknownName("corpus", corpus, known, hint="featlas ls corpora")
    parameters = {
        "rule": by.rule,
        "min_share": by.min_share or 0.0,
        "concept": None if concept is None else concept_named(atlas, concept),
        "sae": None if sae is None else sae_named(atlas, sae),
        "corpus": corpus,
    }
    return atlas.sql(sql_text("queries/concepts/counts"), params=parameters)


def keyword_counts(
    atlas: Atlas,
    a: str,
    b: str,
    by: ConceptRule,
    subset: Subset,
    *,
    concept: str | None = None,
    corpus: str | None = None,
) -> KeywordCounts:
    """Features of two SAEs for every keyword, and the matched pairs in which both sides have it: the paper's Table 3.

    The keyword `(all)` stands for the concept as a whole. Both sides are looked at by themselves.

    Args:
        atlas: Open for reading.
        a: Name or alias of SAE A.
        b: Name or alias of SAE B.
        by: Rule and least share.
        subset: Match rule, measure, direction and least value of the pairs; the token filters have no effect.
        concept: Only this one, letter case aside.
        corpus: Corpus of A; None takes the newest comparison, or the only corpus that both were measured on.

    Raises:
        AtlasError: The two have no pairs and no corpus in common.
        UnknownName: No such SAE, concept, or corpus.
        UsageError: Both names stand for one SAE, or several corpora fit.
    """
    sae_a, sae_b = two_saes(atlas, a, b)
    parameters: dict[str, object] = {
        "rule": by.rule,
        "min_share": by.min_share or 0.0,
        "concept": None if concept is None else concept_named(atlas, concept),
        "sae_a": sae_a,
        "sae_b": sae_b,
    }
    try:
        row = stored_comparison(atlas, sae_a, sae_b, subset, corpus)
    except UsageError:
        raise
    except AtlasError as error:
        shared = str(corpus_in_common(atlas, sae_a, sae_b, corpus)["corpus"])
        parameters |= {"corpus": shared, "corpus_b": shared}
        return KeywordCounts(atlas.sql(sql_text("queries/concepts/keywords_unpaired"), params=parameters), error)
    chosen = {name: getattr(subset, name) for name in ("measure", "direction", "min_value")}
    sides = {"corpus": row["corpus"], "corpus_b": row["corpus_b"], "method": subset.match}
    return KeywordCounts(atlas.sql(sql_text("queries/concepts/keywords"), params=parameters | chosen | sides), None)
