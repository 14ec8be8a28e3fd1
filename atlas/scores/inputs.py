"""What a score is made of: which pairs, which rows, which null; read from the atlas, to be computed without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from atlas.activations import open_scan
from atlas.catalog.compared import Compared, settle
from atlas.catalog.requests import Comparison
from atlas.comparisons.aligned_scans import aligned_scans
from atlas.comparisons.matched import Matched, concept_members, select_pairs
from atlas.db import Atlas
from atlas.errors import AtlasError, UsageError
from atlas.filters.subset import Subset
from atlas.metrics import METRICS
from atlas.pairing.search.standardised import Standardised
from atlas.scores.nulls import Live, Pairs, alike, match_within, random_subsets
from atlas.scores.rows import RowsOf, SampledActivations, WeightRows, weight_rows_of

MOST_WITHIN = 100_000_000
"""Pairs of features, of one SAE with the other, whose correlations may be held at once: 800 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What the atlas holds for a score. Nothing here needs it to stay open."""

    compared: Compared
    """The SAEs, their corpora, the subset."""
    matched: Matched
    """The pairs; for the null `subsets` before they are matched among themselves."""
    weights: tuple[WeightRows, WeightRows] | None
    """Of A and of B; None where rows of activations are compared."""
    scans: Any
    """Scans of A and of B, not read yet; None where no activations are needed."""
    live: tuple[Live, ...]
    """Features of A and of B that fire, to draw from; empty where pairs are shuffled."""
    members: tuple[np.ndarray, ...]
    """Features of A and of B that belong to the concept, for the null `subsets`; else empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Everything that a score is computed from."""

    compared: Compared
    """The SAEs, their corpora, the subset."""
    matched: Matched
    """The pairs."""
    x: np.ndarray
    """(n, p) rows of A."""
    y: np.ndarray
    """(n, q) rows of their partners."""
    draws: Iterator[tuple[np.ndarray, np.ndarray]] | None
    """Other samples for the null, without end; None where the rows are shuffled."""


def look_up(atlas: Atlas, a: str, b: str, wanted: Comparison) -> Source:
    """Look up the pairs and the weights.

    Args:
        atlas: Open for reading.
        a: Name or alias of SAE A.
        b: Name or alias of SAE B.
        wanted: What is asked for.

    Raises:
        AtlasError: The pairs or something else that is needed are not stored.
        UsageError: The corpus, the condition or the options are not clear.
    """
    _check_null(wanted)
    compared = settle(atlas, a, b, wanted.subset, wanted.corpus)
    metric = METRICS.get(wanted.metric)
    if wanted.space != "activation" and metric is not None and metric.same_columns:
        check_one_space(atlas, wanted.metric, compared.sae_a, compared.sae_b)
    matched, within = select_pairs(atlas, compared), wanted.null == "subsets"
    return Source(
        compared=compared,
        matched=matched,
        weights=None if wanted.space == "activation" else _weights(atlas, compared, wanted, matched),
        scans=_scans(atlas, compared) if within or wanted.space == "activation" else None,
        live=() if wanted.null == "shuffle" else tuple(live_features(atlas, *side) for side in compared.sides),
        members=tuple(_members(atlas, *side, compared.subset) for side in compared.sides) if within else (),
    )


def read_inputs(source: Source, wanted: Comparison) -> Inputs:
    """Read activations, where they are needed, and the rows of the pairs; the atlas may be closed."""
    codes = [scan.csr() for scan in source.scans or ()]
    rng = np.random.default_rng(np.random.PCG64(wanted.seed))
    pairs, draws = source.matched, None
    if wanted.null == "subsets":
        pairs, draws = _within(codes, source, rng)
    elif wanted.null in ("density", "norm"):
        draws = _random_partners(wanted.null, source.live[1], pairs, rng)
    rows_a: RowsOf
    rows_b: RowsOf
    features = (pairs.features_a, pairs.features_b)
    rows_a, rows_b = source.weights or SampledActivations.of_both(codes, features, seed=wanted.seed)
    sampled = None if draws is None else ((rows_a.of(of_a), rows_b.of(of_b)) for of_a, of_b in draws)
    return Inputs(source.compared, pairs, rows_a.of(pairs.features_a), rows_b.of(pairs.features_b), sampled)


def check_one_space(atlas: Atlas, metric: str, sae_a: str, sae_b: str) -> None:
    """Refuse cosines of weights that read different spaces, even of one width."""
    saes = {row["sae"]: row for row in atlas.fetch("catalog/list_saes").dicts()}
    spaces = [f"{saes[name]['model']} {saes[name]['hook_name']}" for name in (sae_a, sae_b)]
    if spaces[0] != spaces[1]:
        raise AtlasError(
            f"{metric} is undefined here: it needs SAEs of one hook of one model",
            why=f"{sae_a} reads {spaces[0]}, {sae_b} reads {spaces[1]}",
            hint="a metric that ignores rotations, such as svcca, rsa or cka",
        )


def _check_null(wanted: Comparison) -> None:
    """Refuse what the other nulls cannot keep to in every draw."""
    subset = wanted.subset
    if wanted.space == "activation" and wanted.null != "shuffle":
        raise UsageError("--on activation samples the tokens of the compared features", hint="--null shuffle")
    if wanted.null != "subsets":
        return
    if subset.concept is None:
        raise UsageError("--null subsets holds a concept against random features", hint="--concept Time --null subsets")
    plain = Subset(concept=subset.concept, concept_rule=subset.concept_rule, concept_share=subset.concept_share)
    plain = replace(plain, direction=subset.direction, top_tokens=subset.top_tokens)
    plain = replace(plain, keep_non_concept=subset.keep_non_concept, keep_unshared=subset.keep_unshared)
    if subset != plain:
        raise UsageError(
            "--null subsets matches all features of a concept by activation, one to one, without filters",
            hint="leave out --where, --match, --measure, --min-value, --min-joint and densities, or --null shuffle",
        )


def live_features(atlas: Atlas, sae: str, corpus: str) -> Live:
    """Features of one SAE that fire on a corpus."""
    columns = atlas.arrays("scores/live_features", sae=sae, corpus=corpus)
    return Live(np.asarray(columns["feature_id"], np.int64), columns["n_fired"], columns["decoder_norm"])


def _members(atlas: Atlas, sae: str, corpus: str, subset: Subset) -> np.ndarray:
    return np.array(sorted(concept_members(atlas, sae, corpus, subset)), dtype=np.int64)


def _scans(atlas: Atlas, compared: Compared) -> Any:
    if compared.corpus == compared.corpus_b:
        return [open_scan(atlas, *side) for side in compared.sides]
    return aligned_scans(atlas, (compared.sae_a, compared.sae_b), (compared.corpus, compared.corpus_b))


def _weights(atlas: Atlas, compared: Compared, wanted: Comparison, matched: Matched) -> tuple[WeightRows, WeightRows]:
    """Weights of the pairs, or of all features where the null draws others."""
    d_sae = {row["sae"]: row["d_sae"] for row in atlas.fetch("catalog/list_saes").dicts()}
    drawn = wanted.null != "shuffle"
    a, b = (
        np.arange(d_sae[name]) if drawn else np.unique(features)
        for name, features in ((compared.sae_a, matched.features_a), (compared.sae_b, matched.features_b))
    )
    return (
        WeightRows(a, weight_rows_of(atlas, compared.sae_a, a, wanted.space)),
        WeightRows(b, weight_rows_of(atlas, compared.sae_b, b, wanted.space)),
    )


def _within(codes: Any, source: Source, rng: np.random.Generator) -> tuple[Matched, Iterator[Pairs]]:
    """The members of the concept matched among themselves, and random subsets of as many features matched alike."""
    n_a, n_b = map(len, source.members)
    if n_a * n_b > MOST_WITHIN:
        raise AtlasError(
            f"subsets of {n_a:,} and {n_b:,} features are too many to match again and again",
            hint="--concept, a --where, or a higher --min-value",
        )
    a, b = (Standardised.of(side, name=name) for side, name in zip(codes, "ab", strict=True))
    alive = [np.intersect1d(of, side.feature) for of, side in zip(source.members, source.live, strict=True)]
    forward = source.compared.subset.direction == "a_to_b"
    features = match_within(a, b, *alive, forward=forward)
    n = len(features[0])
    steps = (("candidates", len(alive[0])), ("not matched within", len(alive[0]) - n), ("left", n))
    live, sizes = (source.live[0], source.live[1]), (len(alive[0]), len(alive[1]))
    return Matched(*features, steps), random_subsets(a, b, live, sizes, n, rng, forward=forward)


def _random_partners(kind: Any, live: Live, pairs: Matched, rng: np.random.Generator) -> Iterator[Pairs]:
    while True:
        yield pairs.features_a, alike(live, pairs.features_b, kind, rng)
