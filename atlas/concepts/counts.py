"""Which features belong to a concept, by rule: counted over SAEs, and keyword by keyword for two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb

from atlas.catalog.compared import settle
from atlas.catalog.concepts import concept_named
from atlas.catalog.corpora import corpus_in_common, corpus_named
from atlas.catalog.saes import sae_named, two_saes
from atlas.concepts.lexicons import ConceptRule
from atlas.db import Atlas
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError, UsageError
from atlas.filters.subset import Subset


@dataclass(frozen=True, slots=True)
class KeywordCounts:
    """Features of two SAEs by keyword."""

    found: duckdb.DuckDBPyRelation
    """concept, keyword, n_features_a, n_features_b, n_pairs; n_pairs is null where no such pairs are stored."""
    unpaired: AtlasError | None
    """Why there are no pairs, with the command that makes them; None if there are."""


def concept_counts(
    atlas: Atlas, by: ConceptRule, *, concept: str | None = None, sae: str | None = None, corpus: str | None = None
) -> duckdb.DuckDBPyRelation:
    """Features of every concept in every scan: n_features, those of share 0.5 or more, the keywords found.

    Args:
        atlas: Open for reading.
        by: Rule and minimum share.
        concept: Only this one, letter case aside.
        sae: Only this one, by name or alias.
        corpus: Only this one.

    Raises:
        UnknownName: No such concept, SAE or corpus.
    """
    parameters = _asked(atlas, by, concept) | {
        "sae": None if sae is None else sae_named(atlas, sae),
        "corpus": None if corpus is None else corpus_named(atlas, corpus),
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
    """Features of two SAEs by keyword, and the matched pairs in which both features have it: the paper's Table 3.

    The keyword `(all)` stands for the concept as a whole. The features of each SAE are counted by themselves.

    Args:
        atlas: Open for reading.
        a: Name or alias of SAE A.
        b: Name or alias of SAE B.
        by: Rule and minimum share.
        subset: Match rule, measure, direction and minimum value of the pairs; the token filters have no effect.
        concept: Only this one, letter case aside.
        corpus: Corpus of A; None takes the newest comparison, or the only corpus that both were measured on.

    Raises:
        AtlasError: The two have no pairs and no corpus in common.
        UnknownName: No such SAE, concept, or corpus.
        UsageError: Both names belong to one SAE, or several corpora fit.
    """
    sae_a, sae_b = two_saes(atlas, a, b)
    asked = _asked(atlas, by, concept) | {"sae_a": sae_a, "sae_b": sae_b}
    unpaired = None
    try:
        compared = settle(atlas, a, b, replace(subset, keep_non_concept=True, keep_unshared=True), corpus, newest=True)
    except UsageError:
        raise
    except AtlasError as error:
        shared = str(corpus_in_common(atlas, sae_a, sae_b, corpus)["corpus"])
        asked |= {"corpus": shared, "corpus_b": shared, "features_a": None, "features_b": None}
        unpaired = error
    else:
        pairs = atlas.arrays("concepts/kept_pairs", **compared.parameters)
        asked |= {"corpus": compared.corpus, "corpus_b": compared.corpus_b}
        asked |= {"features_a": pairs["feature_a"].tolist(), "features_b": pairs["feature_b"].tolist()}
    return KeywordCounts(atlas.sql(sql_text("queries/concepts/keywords"), params=asked), unpaired)


def _asked(atlas: Atlas, by: ConceptRule, concept: str | None) -> dict[str, object]:
    wanted = None if concept is None else concept_named(atlas, concept)
    return {"rule": by.rule, "min_share": by.min_share or 0.0, "concept": wanted}
