"""What the browser and `featlas show` read of one pair of features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atlas.choices import DEFAULT_MEASURE
from atlas.queries.browse import feature_detail, pairings, records
from atlas.queries.browse_records import Candidate, PairDetail, Scan
from atlas.queries.pair_records import MatchingOfPair, MeasureOfPair

if TYPE_CHECKING:
    from atlas.db import Atlas


def pair_detail(
    atlas: Atlas,
    a: Scan,
    feature_a: int,
    b: Scan,
    feature_b: int,
    *,
    measure: str = DEFAULT_MEASURE,
    n_contexts: int = 50,
) -> PairDetail:
    """Two features side by side, with the other candidates of the first by a measure."""
    sides = sides_of(a, b)
    candidates = atlas.fetch("browse/candidates", feature_a=feature_a, scan_b=b.scan_id, measure=measure, **sides)
    names = {"sae_a": a.sae, "sae_b": b.sae}
    cosine = atlas.fetch("browse/cosine", feature_a=feature_a, feature_b=feature_b, **names).rows
    stored = [p for p in pairings(atlas) if p.between(a.sae, b.sae, measure) and p.corpus_of(a.sae) == a.corpus]
    return PairDetail(
        a=feature_detail(atlas, a, feature_a, n_contexts=n_contexts),
        b=feature_detail(atlas, b, feature_b, n_contexts=n_contexts),
        candidates=records(Candidate, candidates),
        cosine=cosine[0][0] if cosine else None,
        pairing=stored[-1] if stored else None,
        measure=measure,
    )


def measures_of_pair(atlas: Atlas, a: Scan, feature_a: int, b: Scan, feature_b: int) -> list[MeasureOfPair]:
    """What every stored measure says of a pair, activation first."""
    asked = {**sides_of(a, b), "feature_a": feature_a, "feature_b": feature_b}
    return records(MeasureOfPair, atlas.fetch("browse/pair_measures", **asked))


def matchings_of_pair(atlas: Atlas, a: Scan, feature_a: int, b: Scan) -> list[MatchingOfPair]:
    """The partner that every stored matching gives a feature."""
    return records(MatchingOfPair, atlas.fetch("browse/pair_matchings", **sides_of(a, b), feature_a=feature_a))


def sides_of(a: Scan, b: Scan) -> dict[str, Any]:
    """Parameters that name two SAEs and the corpus of the first."""
    return {"sae_a": a.sae, "sae_b": b.sae, "corpus": a.corpus}
