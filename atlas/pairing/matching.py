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
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.pairing.assign_matched import Matched, assigned, greedily, matched_columns
from atlas.pairing.bothways import Progress
from atlas.pairing.job import measure_named
from atlas.pairing.matching_summary import MatchingSummary as MatchingSummary
from atlas.pairing.measures import Measure
from atlas.pairing.sides import Sides, sides_of
from atlas.queries.aligned import corpora_compared
from atlas.queries.registry import corpus_id, sae_id, two_saes
from atlas.runs import add_run, next_id, spec_sha256, utc_now

Method = Literal["assignment", "greedy"]
"""`assignment`: of the largest possible sum. `greedy`: the largest value first, among stored pairs."""

_Names = tuple[str, str, str, str]
"""SAE A, SAE B, corpus of A, corpus of B."""


def match_saes(
    db: Path | str,
    a: str,
    b: str,
    *,
    method: Method = "assignment",
    measure: str = "activation",
    corpus: str | None = None,
    corpus_b: str | None = None,
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
        corpus: Corpus on which both were measured, or A alone; None takes the only one.
        corpus_b: Corpus on which B was measured, if another cut of the same text.
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
        names = (sae_a, sae_b, *corpora_compared(atlas, sae_a, sae_b, corpus, corpus_b))
        pairing = _pairing(atlas, measure, names) if method == "greedy" else None
        spec = _spec(atlas, method, measure, names, seed, pairing)
        alive = _alive(atlas, names)
        if stored := _stored(atlas, what, names, alive, spec):
            return stored
        pairs = _pairs(atlas, pairing, sae_a) if pairing else None
        read_sides = sides_of(atlas, what, *names)
    sides = read_sides()
    if pairs is None or pairing is None:
        report = on_progress or (lambda done, total: None)
        found, chance = assigned(what, sides.arguments, seed, report)
    else:
        found, chance = greedily(what, sides, pairs, pairing["top_k"], seed, on_progress)
    summary = _summary(method, measure, names, alive, sides, found, chance)
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


def _pairing(atlas: Atlas, measure: str, names: _Names) -> dict[str, Any]:
    """The stored pairing that a greedy matching looks at."""
    for row in atlas.fetch("pairings", sae_a=names[0], sae_b=names[1]).dicts():
        if row["measure"] == measure and _as_from(row, names[0]) == names[2:]:
            return row
    option = "" if measure == "activation" else f" --measure {measure}"
    raise AtlasError(
        f"{names[0]} and {names[1]} have no pairs by {measure} on {names[2]} yet",
        why="a greedy matching takes the pairs that featlas correlate stores",
        hint=f"featlas correlate {names[0]} {names[1]}{option}",
    )


def _as_from(row: Mapping[str, Any], sae_a: str) -> tuple[str, str]:
    """Corpora of a stored comparison, that of `sae_a` first, whichever SAE was named first then."""
    return (row["corpus"], row["corpus_b"]) if row["sae_a"] == sae_a else (row["corpus_b"], row["corpus"])


def _pairs(atlas: Atlas, pairing: Mapping[str, Any], sae_a: str) -> dict[str, NDArray]:
    """Its pairs, as from `sae_a`, whichever SAE was named first when they were computed."""
    found = dict(atlas.arrays("ranked_pairs", pairing_id=pairing["pairing_id"]))
    if pairing["sae_a"] != sae_a:
        found["feature_a"], found["feature_b"] = found["feature_b"], found["feature_a"]
    return found


def _spec(
    atlas: Atlas, method: str, measure: str, names: _Names, seed: int, pairing: Mapping[str, Any] | None
) -> dict[str, object]:
    """What identifies a matching: the scans behind it, the options, and of a greedy one the pairs."""
    scans = {
        side: next(s["spec_sha256"] for s in atlas.fetch("scans_of", sae=name).dicts() if s["corpus"] == corpus)
        for side, name, corpus in zip(("scan_a", "scan_b"), names[:2], names[2:], strict=True)
    }
    sides = dict(zip(("sae_a", "sae_b", "corpus", "corpus_b"), names, strict=True))
    spec = {"method": method, "measure": measure, **sides, "seed": seed, **scans}
    return {**spec, **({"pairing": pairing["spec_sha256"]} if pairing else {})}


def _alive(atlas: Atlas, names: _Names) -> tuple[int, int]:
    """Features of both sides that fire on their corpora."""
    n_a, n_b = (
        int((atlas.arrays("firing_counts", sae=name, corpus=corpus)["n_fired"] > 0).sum())
        for name, corpus in zip(names[:2], names[2:], strict=True)
    )
    return n_a, n_b


def _stored(
    atlas: Atlas, measure: Measure, names: _Names, alive: tuple[int, int], spec: Mapping[str, object]
) -> MatchingSummary | None:
    """The summary of an equal matching that this atlas already holds."""
    wanted = spec_sha256(spec)
    for row in atlas.fetch("stored_matchings", sae_a=names[0], sae_b=names[1]).dicts():
        if row["spec_sha256"] == wanted:
            shown = (
                "method",
                "measure",
                "sae_a",
                "sae_b",
                "corpus",
                "corpus_b",
                "n_tokens",
                "total",
                "gap",
                "certified",
            )
            return MatchingSummary(
                **{name: row[name] for name in shown},
                unit="documents" if measure.pool else "tokens" if names[2] == names[3] else "spans",
                n_alive_a=alive[0],
                n_alive_b=alive[1],
                n_pairs=atlas.fetch("matching_counts", matching_id=row["matching_id"]).rows[0][0],
                chance=row["chance"],
                new=False,
            )
    return None


def _summary(
    method: str,
    measure: str,
    names: _Names,
    alive: tuple[int, int],
    sides: Sides,
    found: Matched,
    chance: float | None,
) -> MatchingSummary:
    """Count what was found."""
    if not len(found.rows):
        raise AtlasError(
            f"no feature of {names[0]} goes with any of {names[1]} by {measure}",
            why=f"no pair is worth more than 0 on {names[2]}",
        )
    return MatchingSummary(
        method,
        measure,
        *names,
        n_tokens=sides.n_tokens,
        unit=sides.unit,
        n_alive_a=alive[0],
        n_alive_b=alive[1],
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
    for row in atlas.fetch("stored_matchings", sae_a=summary.sae_a, sae_b=summary.sae_b).dicts():
        corpus, corpus_b = _as_from(row, summary.sae_a)
        alike = (row["method"], row["measure"]) == (summary.method, summary.measure)
        # One corpus of an SAE has one matching with another SAE, whichever cuts of a text that one was measured on.
        if alike and (corpus == summary.corpus or corpus_b == summary.corpus_b):
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
            "corpus_b": [corpus_id(atlas, summary.corpus_b) if summary.corpus_b != summary.corpus else None],
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
