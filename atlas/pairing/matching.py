"""One-to-one matchings that no view can find: computed from two scans, or from stored pairs, and written in one go.

The assignment is exact on the full matrix of its measure. Where tokens are compared, features may stay alone: pairs
worth 0 or less are never matched, so neither are features that never fire. Where weights are compared the whole smaller
side is matched, as by Paulo & Belrose 2025 (arXiv 2501.16615). The greedy matching takes the stored pairs of
`correlate`, the largest value first.

Its chance level is the mean value of the same matching where nothing belongs together: with the tokens of b rolled by
the shift of `shift_null`, or with Gaussian random vectors in the place of the weights. It takes as long again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.pairing.assign_matched import Matched, assigned, greedily, matched_columns
from atlas.pairing.bothways import Progress
from atlas.pairing.job import measure_named
from atlas.pairing.measures import Measure
from atlas.pairing.sides import Sides, sides_of
from atlas.queries.registry import corpus_id, corpus_in_common, sae_id, two_saes
from atlas.runs import add_run, next_id, spec_sha256, utc_now

Method = Literal["assignment", "greedy"]
"""`assignment`: of the largest possible sum. `greedy`: the largest value first, among stored pairs."""


@dataclass(frozen=True, slots=True)
class MatchingSummary:
    """What a matching found, with the chance level that judges it."""

    method: str
    """`assignment` or `greedy`."""

    measure: str
    """What was compared, a name of `MEASURES`."""

    sae_a: str
    """Full name of the first SAE."""

    sae_b: str
    """Full name of the second SAE."""

    corpus: str
    """Corpus on which both were measured."""

    n_tokens: int
    """Tokens of the scans, or documents where these are compared."""

    n_alive_a: int
    """Features of A that fired."""

    n_alive_b: int
    """Features of B that fired."""

    n_pairs: int
    """Pairs matched."""

    total: float
    """Sum of their values."""

    gap: float | None
    """No matching has a sum above `total + gap`; None if that is not known."""

    certified: bool
    """Whether the matching is proved to be of the largest sum."""

    chance: float | None
    """Mean value of the matching where nothing belongs together; None if nothing is matched there."""

    new: bool
    """False if the atlas already held this matching."""

    @property
    def mean(self) -> float:
        """Mean value of the pairs; compare with `chance`."""
        return self.total / self.n_pairs


def match_saes(
    db: Path | str,
    a: str,
    b: str,
    *,
    method: Method = "assignment",
    measure: str = "activation",
    corpus: str | None = None,
    seed: int = 0,
    wait: float = 0,
    on_progress: Progress | None = None,
    command: str | None = None,
) -> MatchingSummary:
    """Match the features of `a` and `b` one to one and store the pairs.

    Args:
        db: The atlas.
        a: Name or alias of one SAE.
        b: Name or alias of another.
        method: `assignment` computes all values; `greedy` needs the pairs that `pair_saes` stores for this measure.
        measure: What is compared, a symmetric one of `MEASURES`.
        corpus: Corpus on which both were measured; None takes the only one.
        seed: Of what gives the chance level.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(done, total)`: features of A read, for the matching and its chance level.
        command: Command line for the record; by default that of this process.

    Raises:
        UsageError: `a` and `b` are one SAE, the corpus is not clear, or the measure means nothing for them.
        UnknownName: There is no such measure or method.
        AtlasError: They share no tokens, a scan kept no activations, there are no pairs yet, or none can be matched.
    """
    started_at, what = utc_now(), _symmetric(measure)
    if method not in get_args(Method):
        raise UnknownName("matching method", method, get_args(Method))
    with open_atlas(db, wait=wait) as atlas:
        sae_a, sae_b = two_saes(atlas, a, b)
        name = str(corpus_in_common(atlas, sae_a, sae_b, corpus)["corpus"])
        pairing = _pairing(atlas, what, sae_a, sae_b, name) if method == "greedy" else None
        spec = _spec(atlas, method, measure, sae_a, sae_b, name, seed, pairing)
        if stored := _stored(atlas, sae_a, sae_b, spec):
            return stored
        pairs = _pairs(atlas, pairing, sae_a) if pairing else None
        read_sides = sides_of(atlas, what, sae_a, sae_b, name)
    sides = read_sides()
    if pairs is None or pairing is None:
        report = on_progress or (lambda done, total: None)
        found, chance = assigned(what, sides.arguments, seed, report)
    else:
        found, chance = greedily(what, sides, pairs, pairing["top_k"], seed, on_progress)
    summary = _summary(spec, sides, found, chance)
    columns = matched_columns(what, sides, found)
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        _write(atlas, summary, columns, spec, add_run(atlas, spec, started_at, command=command))
    return summary


def _symmetric(wanted: str) -> Measure:
    """The measure, if swapping the SAEs leaves its values: a matching has no direction."""
    measure = measure_named(wanted)
    if not measure.symmetric:
        raise UsageError(f"{wanted} has a direction, and a one-to-one matching has none", hint="--measure activation")
    return measure


def _pairing(atlas: Atlas, measure: Measure, sae_a: str, sae_b: str, corpus: str) -> dict[str, Any]:
    """The stored pairing that a greedy matching looks at."""
    for row in atlas.fetch("pairings", sae_a=sae_a, sae_b=sae_b).dicts():
        if row["measure"] == measure.name and row["corpus"] == corpus:
            return row
    option = "" if measure.name == "activation" else f" --measure {measure.name}"
    raise AtlasError(
        f"{sae_a} and {sae_b} have no pairs by {measure.name} on {corpus} yet",
        why="a greedy matching takes the pairs that featlas correlate stores",
        hint=f"featlas correlate {sae_a} {sae_b}{option}",
    )


def _pairs(atlas: Atlas, pairing: Mapping[str, Any], sae_a: str) -> dict[str, NDArray]:
    """Its pairs, as from `sae_a`, whichever SAE was named first when they were computed."""
    found = dict(atlas.arrays("ranked_pairs", pairing_id=pairing["pairing_id"]))
    if pairing["sae_a"] != sae_a:
        found["feature_a"], found["feature_b"] = found["feature_b"], found["feature_a"]
    return found


def _spec(
    atlas: Atlas,
    method: str,
    measure: str,
    sae_a: str,
    sae_b: str,
    corpus: str,
    seed: int,
    pairing: Mapping[str, Any] | None,
) -> dict[str, object]:
    """What identifies a matching: the scans behind it, the options, and of a greedy one the pairs."""
    scans = {
        side: next(s["spec_sha256"] for s in atlas.fetch("scans_of", sae=name).dicts() if s["corpus"] == corpus)
        for side, name in (("scan_a", sae_a), ("scan_b", sae_b))
    }
    spec = {"method": method, "measure": measure, "sae_a": sae_a, "sae_b": sae_b, "corpus": corpus, "seed": seed}
    return {**spec, **scans, **({"pairing": pairing["spec_sha256"]} if pairing else {})}


def _stored(atlas: Atlas, sae_a: str, sae_b: str, spec: Mapping[str, object]) -> MatchingSummary | None:
    """The summary of an equal matching that this atlas already holds."""
    wanted = spec_sha256(spec)
    for row in atlas.fetch("stored_matchings", sae_a=sae_a, sae_b=sae_b).dicts():
        if row["spec_sha256"] == wanted:
            places = {name: row[name] for name in ("matching_id", "sae_a", "sae_b", "corpus", "corpus_b")}
            counts = atlas.fetch("matching_counts", **places).dicts()[0]
            shown = ("method", "measure", "sae_a", "sae_b", "corpus", "n_tokens", "total", "gap", "certified", "chance")
            return MatchingSummary(**{name: row[name] for name in shown}, **counts, new=False)
    return None


def _summary(spec: Mapping[str, Any], sides: Sides, found: Matched, chance: float | None) -> MatchingSummary:
    """Count what was found."""
    if not len(found.rows):
        raise AtlasError(
            f"no feature of {spec['sae_a']} goes with any of {spec['sae_b']} by {spec['measure']}",
            why=f"no pair is worth more than 0 on {spec['corpus']}",
        )
    return MatchingSummary(
        *(spec[name] for name in ("method", "measure", "sae_a", "sae_b", "corpus")),
        n_tokens=sides.n_tokens,
        n_alive_a=int((sides.n_a > 0).sum()),
        n_alive_b=int((sides.n_b > 0).sum()),
        n_pairs=len(found.rows),
        total=float(found.values.sum()),
        gap=found.gap,
        certified=found.certified,
        chance=chance,
        new=True,
    )


def _write(
    atlas: Atlas, summary: MatchingSummary, columns: Mapping[str, NDArray], spec: Mapping[str, object], run_id: int
) -> None:
    """Replace what this atlas holds for the two SAEs on this corpus by this measure and method."""
    of_this = (summary.method, summary.measure, summary.corpus)
    for row in atlas.fetch("stored_matchings", sae_a=summary.sae_a, sae_b=summary.sae_b).dicts():
        if (row["method"], row["measure"], row["corpus"]) == of_this:
            for table in ("matching_pair", "matching"):
                atlas.rows(f"delete from {table} where matching_id = $id", id=row["matching_id"])
    matching_id = next_id(atlas, "matching", "matching_id")
    atlas.insert(
        "matching",
        {
            "matching_id": [matching_id],
            "sae_a": [sae_id(atlas, summary.sae_a)],
            "sae_b": [sae_id(atlas, summary.sae_b)],
            "corpus_id": [corpus_id(atlas, summary.corpus)],
            "run_id": [run_id],
            "spec_sha256": [spec_sha256(spec)],
            **{
                name: [getattr(summary, name)]
                for name in ("method", "measure", "n_tokens", "total", "gap", "certified", "chance")
            },
        },
    )
    n = len(columns["value"])
    atlas.insert("matching_pair", {"matching_id": np.full(n, matching_id, dtype=np.int32), **columns})
