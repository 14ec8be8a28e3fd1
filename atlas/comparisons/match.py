"""One-to-one matchings that no view can find: computed from two scans, or from stored pairs, and written in one go.

The assignment is exact on the full matrix of its measure. Where tokens are compared, features may stay alone: pairs
worth 0 or less are never matched, so neither are features that never fire. Where weights are compared the whole smaller
side is matched, as by Paulo & Belrose 2025 (arXiv 2501.16615). The greedy matching takes the stored pairs of
`correlate`, the largest value first.

Its chance level is the mean value of the same matching where nothing belongs together: with the tokens of b rolled by
the shift of `shift_null`, or with Gaussian random vectors in the place of the weights. It takes as long again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from atlas.catalog.compared import corpora_compared
from atlas.catalog.saes import two_saes
from atlas.choices import unit_of
from atlas.comparisons.correlate import measure_named
from atlas.comparisons.match_summary import MatchingSummary
from atlas.comparisons.reading import sides_of
from atlas.comparisons.stored import (
    Names,
    add,
    as_columns,
    corpora_from,
    gives_way,
    refuse_few_rows,
    remove,
    scans_behind,
)
from atlas.db import Atlas, open_atlas
from atlas.db.runs import add_run, utc_now
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.pairing.assignment.matched import Matched, assigned, greedily, matched_columns
from atlas.pairing.assignment.measures import over_tokens
from atlas.pairing.measures.registry import Measure
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.memory import assignment_bytes, half_of_available, size
from atlas.pairing.search.sides import Sides

Method = Literal["assignment", "greedy"]
"""`assignment`: of the largest possible sum. `greedy`: the largest value first, among stored pairs."""

_FACTS = ("method", "measure", "n_tokens", "total", "gap", "certified", "chance")
"""What is stored of a matching besides its sides and its pairs."""


def match_saes(
    db: Path | str,
    a: str,
    b: str,
    *,
    method: Method = "assignment",
    measure: str = "activation",
    corpus: str | None = None,
    corpus_b: str | None = None,
    seed: int | None = None,
    memory: int | None = None,
    wait: float = 0,
    on_progress: Progress | None = None,
    command: str | None = None,
) -> MatchingSummary:
    """Match the features of `a` and `b` one to one and store the pairs; `b` and `a` have the same matching.

    Args:
        db: The atlas.
        a: Name or alias of one SAE.
        b: Name or alias of another.
        method: `assignment` computes all values; `greedy` needs the pairs that `pair_saes` stores for this measure.
        measure: What is compared, a symmetric one of `MEASURES`.
        corpus: Corpus on which both were measured, or A alone; None takes the only one.
        corpus_b: Corpus on which B was measured, if another cut of the same text.
        seed: Of what gives the chance level; None takes a matching that the atlas holds whatever its seed, else 0.
        memory: Bytes that it may take; None takes half of what is available.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(done, total)`: features of A read, for the matching and its chance level.
        command: Command line for the record; by default that of this process.

    Raises:
        UsageError: `a` and `b` are one SAE, the corpus is not clear, or the measure means nothing for them.
        UnknownName: There is no such measure or method.
        AtlasError: They share no tokens, a scan kept no activations, there are no pairs yet, none can be matched, or
            the memory does not suffice.
    """
    started_at, what = utc_now(), _symmetric(measure)
    if method not in get_args(Method):
        raise UnknownName("matching method", method, get_args(Method))
    with open_atlas(db, wait=wait) as atlas:
        sae_a, sae_b = two_saes(atlas, a, b)
        names = (sae_a, sae_b, *corpora_compared(atlas, sae_a, sae_b, corpus, corpus_b))
        pairing = _pairing(atlas, measure, names) if method == "greedy" else None
        spec = _spec(atlas, method, measure, names, seed or 0, pairing)
        alive = _alive(atlas, names)
        if stored := _stored(atlas, names, alive, spec, seed):
            return stored
        _refuse_too_little(atlas, what, method, names, memory or half_of_available())
        pairs = _pairs(atlas, pairing, sae_a) if pairing else None
        read_sides = sides_of(atlas, what, *names)
    sides = read_sides()
    refuse_few_rows(sides, names[2:])
    if pairs is None or pairing is None:
        report = on_progress or (lambda done, total: None)
        found, chance = assigned(what, sides.arguments, seed or 0, report)
    else:
        found, chance = greedily(what, sides, pairs, pairing["top_k"], seed or 0, on_progress)
    summary = _summary(method, measure, names, alive, sides, found, chance)
    columns = matched_columns(what, sides, found)
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        _write(atlas, summary, columns, spec, add_run(atlas, spec, started_at, command=command))
    return summary


def _refuse_too_little(atlas: Atlas, measure: Measure, method: str, names: Names, memory: int) -> None:
    """Raise AtlasError where the matching and its chance level do not fit into memory."""
    known = {row["sae"]: row for row in atlas.fetch("catalog/list_saes").dicts()}
    d_a, d_b = (int(known[name]["d_sae"]) for name in names[:2])
    n_nonzero = sum(
        int(atlas.fetch("catalog/scan_sizes", sae=name, corpus=corpus).rows[0][1])
        for name, corpus in zip(names[:2], names[2:], strict=True)
    )
    width = None if over_tokens(measure) else max(int(known[name]["d_in"]) for name in names[:2])
    needed = assignment_bytes(n_nonzero, d_a, d_b, measure=measure.name, width=width)
    if needed > memory:
        what = "an assignment" if method == "assignment" else "a greedy matching"
        raise AtlasError(
            f"{what} by {measure.name} needs about {size(needed)} of memory and may take {size(memory)}",
            why="it holds both sides and, for each feature, the partners that may be its own",
            hint=f"--memory {size(needed)}",
        )


def _symmetric(wanted: str) -> Measure:
    """The measure, if swapping the SAEs leaves its values: a matching has no direction."""
    measure = measure_named(wanted)
    if not measure.symmetric:
        raise UsageError(f"{wanted} has a direction, and a one-to-one matching has none", hint="--measure activation")
    return measure


def _pairing(atlas: Atlas, measure: str, names: Names) -> dict[str, Any]:
    """The stored pairing that a greedy matching looks at."""
    for row in atlas.fetch("comparisons/pairings", sae_a=names[0], sae_b=names[1]).dicts():
        if row["measure"] == measure and corpora_from(row, names[0]) == names[2:]:
            return row
    option = "" if measure == "activation" else f" --measure {measure}"
    raise AtlasError(
        f"{names[0]} and {names[1]} have no pairs by {measure} on {names[2]} yet",
        why="a greedy matching takes the pairs that featlas correlate stores",
        hint=f"featlas correlate {names[0]} {names[1]}{option}",
    )


def _pairs(atlas: Atlas, pairing: Mapping[str, Any], sae_a: str) -> dict[str, NDArray]:
    """Its pairs, as from `sae_a`, whichever SAE was named first when they were computed."""
    found = dict(atlas.arrays("comparisons/ranked_pairs", pairing_id=pairing["pairing_id"]))
    if pairing["sae_a"] != sae_a:
        found["feature_a"], found["feature_b"] = found["feature_b"], found["feature_a"]
    return found


def _spec(
    atlas: Atlas, method: str, measure: str, names: Names, seed: int, pairing: Mapping[str, Any] | None
) -> dict[str, object]:
    """What identifies a matching in either order: the scans behind it, the options, and of a greedy one the pairs."""
    a, b, corpus_a, corpus_b = names
    ordered: Names = names if a < b else (b, a, corpus_b, corpus_a)
    of_pairs = {"pairing": pairing["spec_sha256"]} if pairing else {}
    options = {"method": method, "measure": measure, "seed": seed}
    return {**options, **as_columns(ordered), **scans_behind(atlas, ordered), **of_pairs}


def _alive(atlas: Atlas, names: Names) -> tuple[int, int]:
    """Features of both sides that fire on their corpora."""
    n_a, n_b = (
        int((atlas.arrays("catalog/firing_counts", sae=name, corpus=corpus)["n_fired"] > 0).sum())
        for name, corpus in zip(names[:2], names[2:], strict=True)
    )
    return n_a, n_b


def _stored(
    atlas: Atlas, names: Names, alive: tuple[int, int], spec: Mapping[str, object], seed: int | None
) -> MatchingSummary | None:
    """The summary of an equal matching that this atlas already holds; without a seed, whatever its seed was."""
    for row in atlas.fetch("comparisons/stored_matchings", sae_a=names[0], sae_b=names[1]).dicts():
        of_row = json.loads(atlas.fetch("comparisons/spec_of_matching", matching_id=row["matching_id"]).rows[0][0])
        if of_row == {**spec, "seed": of_row.get("seed") if seed is None else seed}:
            return MatchingSummary(
                **as_columns(names),
                **{name: row[name] for name in _FACTS},
                unit=unit_of(row["measure"], *names[2:]),
                n_alive_a=alive[0],
                n_alive_b=alive[1],
                n_pairs=atlas.fetch("comparisons/matching_counts", matching_id=row["matching_id"]).rows[0][0],
                new=False,
            )
    return None


def _summary(
    method: str,
    measure: str,
    names: Names,
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
    names = (summary.sae_a, summary.sae_b, summary.corpus, summary.corpus_b)
    for row in atlas.fetch("comparisons/stored_matchings", sae_a=names[0], sae_b=names[1]).dicts():
        if (row["method"], row["measure"]) == (summary.method, summary.measure) and gives_way(row, names):
            remove(atlas, "matching", row["matching_id"])
    facts = {name: getattr(summary, name) for name in _FACTS}
    add(atlas, "matching", names, facts, columns, spec=spec, run_id=run_id)
