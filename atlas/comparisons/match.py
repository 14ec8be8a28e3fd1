"""One-to-one matchings: computed from two scans, or from stored pairs, and written in one transaction.

The assignment is exact on the full matrix of its measure. Where tokens are compared, features may stay unmatched: pairs
with values of 0 or less are never matched, so features that never fire are not. Where weights are compared all features
of the smaller SAE are matched, as by Paulo & Belrose 2025 (arXiv 2501.16615). The greedy matching takes the stored
pairs of `correlate`, the largest value first.

The chance level is the mean value of such a matching where nothing belongs together: with the tokens of b rolled by the
shift of `shift_null`, or with Gaussian random vectors in the place of the weights. It takes as long as the matching.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from atlas.catalog.measures import measure_named
from atlas.catalog.saes import two_saes
from atlas.choices import DEFAULT_MEASURE
from atlas.comparisons.reading import operands_of
from atlas.comparisons.stored import TwoScans, add, fired, refuse_few_rows, scans_behind, sizes, stored_of, supersede
from atlas.comparisons.summaries import MatchingSummary
from atlas.db import Atlas, open_atlas
from atlas.db.runs import add_run, utc_now
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.pairing.assignment.one_to_one import OneToOne, assigned, greedily, matched_columns
from atlas.pairing.measures.measure import Measure
from atlas.pairing.measures.operands import Operands
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.memory import assignment_bytes, half_of_available, size

Method = Literal["assignment", "greedy"]
"""`assignment`: of the maximum sum. `greedy`: the largest value first, among stored pairs."""

_FACTS = ("method", "measure", "n_tokens", "total", "gap", "certified", "chance")
"""Columns of a matching that are stored besides its SAEs and its pairs."""


def match_saes(
    db: Path | str,
    a: str,
    b: str,
    *,
    method: Method = "assignment",
    measure: str = DEFAULT_MEASURE,
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
        measure: Name or alias of a symmetric one of `MEASURES`.
        corpus: Corpus on which both were measured, or only A; None takes the only one.
        corpus_b: Corpus on which B was measured, if another tokenization of the same text.
        seed: Seed of the chance level; None takes a matching of any seed that the atlas holds, else 0.
        memory: Bytes that it may take; None takes half of what is available.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(done, total)`: features of A read, for the matching and its chance level.
        command: Command line for the record; by default that of this process.

    Raises:
        UsageError: `a` and `b` are one SAE, the corpus is ambiguous, or the measure is not defined for them.
        UnknownName: There is no such measure or method.
        AtlasError: They share no tokens, a scan kept no activations, there are no pairs yet, none can be matched, or
            there is too little memory.
    """
    started_at, what = utc_now(), _symmetric(measure)
    if method not in get_args(Method):
        raise UnknownName("matching method", method, get_args(Method))
    with open_atlas(db, wait=wait) as atlas:
        two = TwoScans.compared(atlas, *two_saes(atlas, a, b), corpus, corpus_b)
        pairing = _pairing(atlas, what, two) if method == "greedy" else None
        spec = _spec(atlas, method, what, two, seed or 0, pairing)
        n_alive_a, n_alive_b = (int((n > 0).sum()) for n in fired(atlas, two))
        known = {**two.columns(), "n_alive_a": n_alive_a, "n_alive_b": n_alive_b}
        if stored := _stored(atlas, what, two, known, spec, seed):
            return stored
        _refuse_too_little(atlas, what, method, two, memory or half_of_available())
        pairs = _pairs(atlas, pairing, two.sae_a) if pairing else None
        read = operands_of(atlas, what, two)
    operands = read()
    refuse_few_rows(operands, two)
    if pairs is None or pairing is None:
        found, chance = assigned(operands, seed=seed or 0, on_progress=on_progress)
    else:
        top_k = int(pairing["top_k"])
        found, chance = greedily(operands, pairs, top_k=top_k, seed=seed or 0, on_progress=on_progress)
    summary = _summary(method, two, known, operands, found, chance)
    columns = matched_columns(operands, found)
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        supersede(atlas, "matching", two, what, method=method)
        facts = {name: getattr(summary, name) for name in _FACTS}
        run_id = add_run(atlas, spec, started_at, command=command)
        add(atlas, "matching", two, facts, columns, spec=spec, run_id=run_id)
    return summary


def _refuse_too_little(atlas: Atlas, measure: Measure, method: str, two: TwoScans, memory: int) -> None:
    a, b = sizes(atlas, two)
    n_nonzero = sum(int(atlas.fetch("catalog/scan_sizes", sae=sae, corpus=k).rows[0][1]) for sae, k in two.scans)
    width = None if measure.of_activations else max(int(a["d_in"]), int(b["d_in"]))
    per_activation = measure.bytes_per_activation
    needed = assignment_bytes(n_nonzero, int(a["d_sae"]), int(b["d_sae"]), per_activation=per_activation, width=width)
    if needed > memory:
        what = "an assignment" if method == "assignment" else "a greedy matching"
        raise AtlasError(
            f"{what} by {measure.name} needs about {size(needed)} of memory and may take {size(memory)}",
            why="it holds both SAEs and, for each feature, its possible partners",
            hint=f"--memory {size(needed)}",
        )


def _symmetric(wanted: str) -> Measure:
    measure = measure_named(wanted)
    if not measure.symmetric:
        hint = f"--measure {DEFAULT_MEASURE}"
        raise UsageError(f"{wanted} has a direction, and a one-to-one matching has none", hint=hint)
    return measure


def _pairing(atlas: Atlas, measure: Measure, two: TwoScans) -> dict[str, Any]:
    for row in stored_of(atlas, "pairing", two):
        if row["measure"] == measure.name:
            return row
    option = "" if measure.name == DEFAULT_MEASURE else f" --measure {measure.name}"
    raise AtlasError(
        f"{two.sae_a} and {two.sae_b} have no pairs by {measure.name} on {two.corpus} yet",
        why="a greedy matching takes the pairs that featlas correlate stores",
        hint=f"featlas correlate {two.sae_a} {two.sae_b}{option}",
    )


def _pairs(atlas: Atlas, pairing: Mapping[str, Any], sae_a: str) -> dict[str, NDArray]:
    """The pairs of a stored pairing in the direction from `sae_a`."""
    found = dict(atlas.arrays("comparisons/ranked_pairs", pairing_id=pairing["pairing_id"]))
    if pairing["sae_a"] != sae_a:
        found["feature_a"], found["feature_b"] = found["feature_b"], found["feature_a"]
    return found


def _spec(
    atlas: Atlas, method: str, measure: Measure, two: TwoScans, seed: int, pairing: Mapping[str, Any] | None
) -> dict[str, object]:
    """The identity of a matching in either order: its scans, the options, and the pairs of a greedy one."""
    ordered = two if two.sae_a < two.sae_b else two.swapped()
    of_pairs = {"pairing": pairing["spec_sha256"]} if pairing else {}
    options = {"method": method, "measure": measure.name, "seed": seed}
    return {**options, **ordered.columns(), **scans_behind(atlas, ordered), **of_pairs}


def _stored(
    atlas: Atlas,
    measure: Measure,
    two: TwoScans,
    known: Mapping[str, Any],
    spec: Mapping[str, object],
    seed: int | None,
) -> MatchingSummary | None:
    """The summary of an equal matching in the atlas; without a seed, one of any seed."""
    for row in stored_of(atlas, "matching", two):
        of_row = json.loads(atlas.fetch("comparisons/spec_of_matching", matching_id=row["matching_id"]).rows[0][0])
        if of_row == {**spec, "seed": of_row.get("seed") if seed is None else seed}:
            n_pairs = atlas.fetch("comparisons/matching_counts", matching_id=row["matching_id"]).rows[0][0]
            facts = {name: row[name] for name in _FACTS}
            unit = measure.unit(aligned=two.aligned)
            return MatchingSummary(**known, **facts, unit=unit, n_pairs=n_pairs, new=False)
    return None


def _summary(
    method: str, two: TwoScans, known: Mapping[str, Any], operands: Operands, found: OneToOne, chance: float | None
) -> MatchingSummary:
    if not len(found.rows):
        raise AtlasError(
            f"no feature of {two.sae_a} can be matched with any of {two.sae_b} by {operands.measure.name}",
            why=f"no pair has a value above 0 on {two.corpus}",
        )
    return MatchingSummary(
        **known,
        measure=operands.measure.name,
        method=method,
        n_tokens=operands.n_tokens,
        unit=operands.unit,
        n_pairs=len(found.rows),
        total=float(found.values.sum()),
        gap=found.gap,
        certified=found.certified,
        chance=chance,
        new=True,
    )
