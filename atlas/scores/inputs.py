"""What a score is made of: which pairs, which rows, which null; read from the atlas, to be computed without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from atlas.activations import open_scan
from atlas.catalog.compared import corpora_compared
from atlas.catalog.saes import concept_named
from atlas.comparisons.aligned_scans import aligned_scans
from atlas.comparisons.matched import (
    Matched,
    Subset,
    compared_corpora,
    concept_members,
    select_pairs,
    stored_comparison,
)
from atlas.db import Atlas
from atlas.errors import AtlasError, UsageError
from atlas.metrics import METRICS
from atlas.pairing.search.standardised import Standardised
from atlas.scores.nulls import Live, NullKind, alike, match_within, random_subsets
from atlas.scores.rows import Load, Space, activation_rows, weight_rows_of

MOST_WITHIN = 100_000_000
"""Pairs of features, of one side with the other, whose correlations may be held at once: 800 MB."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is asked for, resolved. Equal comparisons of equal atlases give equal scores."""

    metric: str
    """A name in `METRICS`."""

    subset: Subset = field(default_factory=Subset)
    """Which matched pairs."""

    corpus: str | None = None
    """Corpus of A; None takes the only one on which the two were compared."""

    space: Space = "decoder"
    """Which rows."""

    null: NullKind = "shuffle"
    """Which null."""

    shuffles: int = 1000
    """Draws of the null."""

    seed: int = 0
    """Of the null, of the sample of tokens, of the bootstrap and of the halves."""

    bootstrap: int = 0
    """Draws of the interval of the score; 0 for none."""

    halves: int = 0
    """Splits of the pairs into halves that are scored too; 0 for none."""

    allow_forced: bool = False
    """Give the score even where counting alone decides a part of it."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the metric, all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Everything that a score is computed from."""

    names: tuple[str, str]
    """Full names of A and B."""

    corpora: tuple[str, str]
    """Corpus of each; the same unless two cuts of a text were aligned."""

    n_tokens: int
    """Tokens, or spans of the text, that the pairs rest on."""

    matched: Matched
    """The pairs."""

    x: np.ndarray
    """(n, p) rows of A."""

    y: np.ndarray
    """(n, q) rows of their partners."""

    draws: Callable[[np.random.Generator], Iterator[tuple[np.ndarray, np.ndarray]]] | None
    """Other samples for the null, without end; None where the rows are shuffled."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a score will be computed from, looked up but not read yet."""

    names: tuple[str, str]
    """Full names of A and B."""

    corpora: tuple[str, str]
    """Corpus of each."""

    matched: Matched | None
    """The pairs; None where only the activations tell."""

    read: Callable[[], Inputs]
    """Reads activations, where they are needed. Does without the atlas, which may be closed."""


def with_names(atlas: Atlas, wanted: Comparison) -> Comparison:
    """The same with the concept as the atlas spells it: equal questions are one score."""
    if wanted.subset.concept is None:
        return wanted
    return replace(wanted, subset=replace(wanted.subset, concept=concept_named(atlas, wanted.subset.concept)))


def planned(atlas: Atlas, sae_a: str, sae_b: str, wanted: Comparison) -> Plan:
    """Look up the pairs and the weights.

    Args:
        atlas: Open for reading.
        sae_a: Full name.
        sae_b: Full name.
        wanted: What is asked for.

    Raises:
        AtlasError: The pairs or something else that is needed are not stored.
        UsageError: The corpus, the condition or the options are not clear.
    """
    _check_null(wanted)
    _check_columns(atlas, sae_a, sae_b, wanted)
    corpus = _corpus(atlas, sae_a, sae_b, wanted)
    stored = stored_comparison(atlas, sae_a, sae_b, wanted.subset, corpus)
    corpora, names = (str(stored["corpus"]), str(stored["corpus_b"])), (sae_a, sae_b)
    matched = select_pairs(atlas, sae_a, sae_b, corpora[0], wanted.subset)
    rows_of = _rows(atlas, names, wanted, matched)
    drawn_from = zip(names, corpora, strict=True) if wanted.null != "shuffle" else ()
    live = tuple(live_features(atlas, name, corpus) for name, corpus in drawn_from)
    members = _members(atlas, names, corpora, wanted.subset) if wanted.null == "subsets" else None
    needs_activations = wanted.null == "subsets" or wanted.space == "activation"
    load = _activations(atlas, names, corpora) if needs_activations else None

    def inputs() -> Inputs:
        pairs, draws = matched, None
        codes = load() if load else None
        if members is not None:
            pairs, draws = _within(codes, members, live, wanted)
        rows = rows_of(codes, pairs)
        if wanted.null in ("density", "norm"):
            draws = _random_partners(wanted.null, live[1], pairs)
        sampled = None if draws is None else lambda rng: (rows(*drawn) for drawn in draws(rng))
        x, y = rows(pairs.features_a, pairs.features_b)
        return Inputs(names, corpora, int(stored["n_tokens"]), pairs, x, y, sampled)

    return Plan(names, corpora, None if members else matched, inputs)


def _check_columns(atlas: Atlas, sae_a: str, sae_b: str, wanted: Comparison) -> None:
    """Cosines of weights need one space; those of activations have it."""
    known = METRICS.get(wanted.metric)
    if wanted.space != "activation" and known is not None and known.same_columns:
        check_one_space(atlas, wanted.metric, sae_a, sae_b)


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


def _corpus(atlas: Atlas, sae_a: str, sae_b: str, wanted: Comparison) -> str | None:
    """The corpus that is meant; None leaves it to the only comparison there is."""
    known = compared_corpora(atlas, sae_a, sae_b, wanted.subset)
    if not known:
        corpora_compared(
            atlas, sae_a, sae_b, wanted.corpus
        )  # says what keeps them from being compared, if anything does
    if wanted.corpus is None and len(known) > 1:
        raise UsageError(
            f"{sae_a} and {sae_b} were compared on several corpora", why=", ".join(known), hint=f"--corpus {known[0]}"
        )
    return wanted.corpus


def _members(
    atlas: Atlas, names: tuple[str, str], corpora: tuple[str, str], subset: Subset
) -> tuple[np.ndarray, np.ndarray]:
    """Features of both sides that belong to the concept of the subset, before they are paired."""
    concept = concept_named(atlas, subset.concept or "")
    of = (concept_members(atlas, *side, concept, subset) for side in zip(names, corpora, strict=True))
    a, b = (np.array(sorted(side), dtype=np.int64) for side in of)
    return a, b


def live_features(atlas: Atlas, sae: str, corpus: str) -> Live:
    """Features of one SAE that fire on a corpus."""
    columns = atlas.arrays("scores/live_features", sae=sae, corpus=corpus)
    return Live(np.asarray(columns["feature_id"], np.int64), columns["n_fired"], columns["decoder_norm"])


def _activations(atlas: Atlas, names: tuple[str, str], corpora: tuple[str, str]) -> Load:
    """How the activations of both are read."""
    if corpora[0] == corpora[1]:
        scans: Any = [open_scan(atlas, *side) for side in zip(names, corpora, strict=True)]
    else:
        scans = aligned_scans(atlas, names, corpora)
    return lambda: (scans[0].csr(), scans[1].csr())


def _rows(atlas: Atlas, names: tuple[str, str], wanted: Comparison, matched: Matched) -> Callable[[Any, Matched], Any]:
    """How the rows of any pairs are read, once the activations are there."""
    if wanted.space == "activation":
        return lambda codes, pairs: activation_rows(codes[0], codes[1], pairs.features_a, pairs.features_b, wanted.seed)
    wider = wanted.null != "shuffle"
    ids, weights = [], []
    for name, chosen in zip(names, (matched.features_a, matched.features_b), strict=True):
        d_sae = next(row["d_sae"] for row in atlas.fetch("catalog/list_saes").dicts() if row["sae"] == name)
        ids.append(np.arange(d_sae) if wider else np.unique(chosen))
        weights.append(weight_rows_of(atlas, name, ids[-1], wanted.space))

    def rows(of_a: np.ndarray, of_b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return weights[0][np.searchsorted(ids[0], of_a)], weights[1][np.searchsorted(ids[1], of_b)]

    return lambda codes, pairs: rows


def _within(codes: Any, members: tuple[np.ndarray, np.ndarray], live: tuple[Live, ...], wanted: Comparison) -> tuple:
    """The members matched among themselves, and random subsets of as many features matched alike."""
    if len(members[0]) * len(members[1]) > MOST_WITHIN:
        raise AtlasError(
            f"subsets of {len(members[0]):,} and {len(members[1]):,} features are too many to match again and again",
            hint="--concept, a --where, or a higher --min-value",
        )
    a, b = (Standardised.of(side, name=name) for side, name in zip(codes, "ab", strict=True))
    alive = tuple(np.intersect1d(of, side.feature) for of, side in zip(members, live, strict=True))
    forward = wanted.subset.direction == "a_to_b"
    features = match_within(a, b, *alive, forward=forward)
    steps = (("candidates", len(alive[0])), ("not matched within", len(alive[0]) - len(features[0])))
    matched = Matched(*features, (*steps, ("left", len(features[0]))))
    sizes = (len(alive[0]), len(alive[1]))
    n, sides = len(features[0]), (live[0], live[1])
    return matched, lambda rng: random_subsets(a, b, sides, sizes, n, rng, forward=forward)


def _random_partners(kind: Any, live: Live, pairs: Matched) -> Callable[[np.random.Generator], Iterator]:
    """Features of A with random partners that are alike in density or norm."""

    def draws(rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            yield pairs.features_a, alike(live, pairs.features_b, kind, rng)

    return draws
