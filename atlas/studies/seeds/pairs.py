"""Every two SAEs of one space: what is missing is computed and stored, then read by the rules of sharing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from atlas.catalog.scans import Scanned
from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.match import match_saes
from atlas.comparisons.stored import corpora_from
from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, AtlasUnavailable
from atlas.pairing.measures.registry import MEASURES

if TYPE_CHECKING:
    import polars as pl

RANKS = 4
"""Partners of a feature that are looked at."""

RULES = (
    ("paulo-belrose", "decoder"),
    ("assignment", "decoder"),
    ("top-1", "decoder"),
    ("top-1", "activation"),
)
"""Rules of `shared_features` and their measures, the strictest first."""

SAMPLED = 2048
"""Random vectors whose partners give a chance level."""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One SAE in a comparison with another of the same space, in its own direction."""

    sae: Scanned
    """Whose features are asked for a counterpart."""
    other: Scanned
    """Where it is sought."""
    differ: str
    """In what the two differ, as in view `sae_differences`."""
    judged: Mapping[tuple[str, str], pl.DataFrame]
    """By rule and measure: each feature, whether all but the threshold is met, and what that is held against."""
    ranks: pl.DataFrame
    """Means by measure and rank, as in view `partner_ranks`."""
    pairings: Mapping[str, Mapping[str, Any]]
    """By measure: median best values from this SAE to the other, and their chance level."""
    matchings: Mapping[str, Mapping[str, Any]]
    """By measure: mean value of the assignment, and its chance level."""
    random: NDArray[np.float64]
    """(n, RANKS) cosines of random vectors of this space with their best partners among as many as `other` has."""


def spaces(scans: Sequence[Scanned]) -> list[list[Scanned]]:
    """SAEs of one model, hook and width of input; an SAE without another in its group is left out."""
    found: dict[tuple[str, str, int], list[Scanned]] = {}
    for scan in scans:
        found.setdefault(scan.space, []).append(scan)
    return [group for group in found.values() if len(group) > 1]


def complete(db: Path, a: Scanned, b: Scanned, wait: float) -> None:
    """Compute and store what is missing of a pair: partners by three measures, assignments by two.

    Activation agreement is left out where a scan kept no activations.
    """
    with open_atlas(db, wait=wait) as atlas:
        stored = _pairings(atlas, a, b)
    names, of = (a.sae, b.sae), {"corpus": a.corpus, "wait": wait}
    for measure in ("decoder", "encoder", "activation"):
        if measure in stored and stored[measure]["top_k"] >= RANKS:
            continue
        try:
            pair_saes(db, *names, measure=measure, **of)
        except AtlasUnavailable:
            raise
        except AtlasError:
            if measure != "activation":
                raise
    for measure in ("decoder", "encoder"):
        match_saes(db, *names, measure=measure, **of)


def read(atlas: Atlas, group: Sequence[Scanned]) -> list[Compared]:
    """Every two of a group, in both directions; those with the fewest differences first."""
    rows = atlas.fetch("studies/sae_differences_among").dicts()
    differ = {(row["sae"], row["other"]): (i, row["differ"]) for i, row in enumerate(rows)}
    random: dict[int, NDArray[np.float64]] = {}
    found = []
    for sae, other in permutations(group, 2):
        if other.d_sae not in random:
            random[other.d_sae] = _random_partners(other.d_in, other.d_sae)
        what = differ[sae.sae, other.sae][1]
        found.append(_compared(atlas, sae, other, what, random[other.d_sae]))
    return sorted(found, key=lambda one: differ[one.sae.sae, one.other.sae])


def _compared(atlas: Atlas, sae: Scanned, other: Scanned, differ: str, random: NDArray[np.float64]) -> Compared:
    """One comparison in one direction."""
    of = {"sae": sae.sae, "other": other.sae, "corpus": sae.corpus}
    pairings, matchings = _pairings(atlas, sae, other), {}
    for row in atlas.fetch("comparisons/stored_matchings", sae_a=sae.sae, sae_b=other.sae).dicts():
        if row["method"] == "assignment" and corpora_from(row, sae.sae) == (sae.corpus, sae.corpus):
            matchings.setdefault(row["measure"], row)
    judged = {
        (rule, measure): atlas.frame("studies/judged_features", **of, rule=rule, measure=measure)
        for rule, measure in RULES
        if measure in pairings
    }
    ranks = atlas.frame("studies/partner_ranks_of", **of)
    return Compared(sae, other, differ, judged, ranks, pairings, matchings, random)


def _pairings(atlas: Atlas, sae: Scanned, other: Scanned) -> dict[str, dict[str, Any]]:
    """The newest stored pairing of each measure on this corpus, its medians as from `sae`."""
    found: dict[str, dict[str, Any]] = {}
    for row in atlas.fetch("comparisons/pairings", sae_a=sae.sae, sae_b=other.sae).dicts():
        if corpora_from(row, sae.sae) != (sae.corpus, sae.corpus):
            continue
        side = "" if row["sae_a"] == sae.sae else "_ba"
        seen = {"median": row[f"median_best{side}"], "chance": row[f"chance{side}"], "top_k": row["top_k"]}
        found.setdefault(row["measure"], seen)
    return found


def _random_partners(d: int, n: int) -> NDArray[np.float64]:
    """Best cosines of random vectors with n others in d dimensions, seed 0."""
    rng = np.random.default_rng(np.random.PCG64(0))
    some, all_ = (rng.standard_normal((rows, d), dtype=np.float32) for rows in (min(n, SAMPLED), n))
    return MEASURES["decoder"].search(some, all_, top_k=RANKS).value_ab
