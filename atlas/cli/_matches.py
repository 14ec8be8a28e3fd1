"""What `featlas pairs` and `featlas match` share: candidates, what each filter took of them, and what judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atlas.cli._output import Out, Taken, take
from atlas.cli._text import number, visible

if TYPE_CHECKING:
    from atlas.cli._group import Session
    from atlas.db import Atlas
    from atlas.subsets import Subset


@dataclass(frozen=True, slots=True)
class Listed:
    """The pairs that will be printed, and the lines that say what they rest on."""

    taken: Taken
    """The kept or the dropped pairs, cut to what will be printed."""

    notes: tuple[str, ...]
    """Sample, chance level, counts at every filter step, and the kept pairs in numbers."""


def compute_matching(
    session: Session, a: str, b: str, method: Any, measure: str, corpus: str | None, seed: int = 0
) -> None:
    """Make an assignment or a greedy matching, unless the atlas holds it."""
    from atlas.cli._progress import progress
    from atlas.pairing.matching import match_saes

    with progress(f"matching {a} with {b} by {measure}", "features", quiet=session.quiet) as report:
        match_saes(
            session.db,
            a,
            b,
            method=method,
            measure=measure,
            corpus=corpus,
            seed=seed,
            wait=session.wait,
            on_progress=report,
        )


def list_pairs(atlas: Atlas, a: str, b: str, subset: Subset, corpus: str | None, dropped: bool, out: Out) -> Listed:
    """Ask for the candidates of a subset.

    Args:
        atlas: Open for reading.
        a: Name or alias of one SAE.
        b: Name or alias of the other.
        subset: Rule and filters.
        corpus: Corpus of A; None takes the newest comparison.
        dropped: Take the dropped pairs instead of the kept ones.
        out: How to print.
    """
    from atlas.queries.registry import two_saes
    from atlas.subsets import candidates, stored_comparison

    sae_a, sae_b = two_saes(atlas, a, b)
    stored = stored_comparison(atlas, sae_a, sae_b, subset, corpus)
    found = candidates(atlas, "browse_pairs", sae_a, sae_b, stored["corpus"], subset)
    judged = found.select("feature_a, feature_b, value, dropped_because").fetchall()
    kept = [row[:3] for row in judged if not row[3]]
    verdict = ("kept",) if dropped else ("kept", "dropped_because")
    listed = found.filter("not kept" if dropped else "kept")
    listed = listed.select(", ".join(f'"{name}"' for name in found.columns if name not in verdict))
    taken = take(listed, out, total=len(judged) - len(kept) if dropped else len(kept))
    where = (
        stored["corpus"] if stored["corpus"] == stored["corpus_b"] else f"{stored['corpus']} and {stored['corpus_b']}"
    )
    sample = f"{sae_a} and {sae_b} on {where}, {stored['n_tokens']:,} {unit_of(subset.measure, stored)}"
    notes = [visible(sample), *_chance(subset, stored, len(judged), sae_a, sae_b), *_steps(judged, kept)]
    if subset.paper_compat:
        notes.append(_as_the_paper_counts(atlas, sae_b, judged, stored))
    return Listed(taken, (*notes, *_in_numbers(atlas, kept, stored, sae_a, sae_b)))


def unit_of(measure: str, stored: dict[str, Any]) -> str:
    """What a comparison counts, as `stored_comparison` found it: tokens, documents, or spans of the text."""
    if "document" in measure:
        return "documents"
    return "tokens" if stored["corpus"] == stored["corpus_b"] else "spans of the text"


def _steps(judged: list[tuple], kept: list[tuple]) -> list[str]:
    """Candidates, what each filter took of what the ones before it left, and the rest."""
    from atlas.subsets import count_steps

    (_, n), *removed = count_steps(row[3] for row in judged)
    steps = [("candidates", n), *((f"dropped: {name}", count) for name, count in removed), ("kept", len(kept))]
    return [f"  {count:>9,}  {step}" for step, count in steps]


def _chance(subset: Subset, stored: dict[str, Any], n: int, sae_a: str, sae_b: str) -> list[str]:
    """What the values would be where nothing belongs together."""
    if "total" in stored:
        proof = "proved to be the largest" if stored["certified"] else "not proved to be the largest"
        total = f"sum of {n:,} values {number(stored['total'])}, mean {number(stored['total'] / max(n, 1))}"
        lines = [total + (f"; {proof}" if subset.match == "assignment" else "")]
        if stored["chance"] is not None:
            lines.append(f"mean value where nothing belongs together {number(stored['chance'])}")
        return lines
    chooser = sae_a if subset.direction == "a_to_b" else sae_b
    suffix = "" if chooser == stored["sae_a"] else "_ba"  # the pairing may have been computed the other way round
    median_best, chance = (stored[f"{name}{suffix}"] for name in ("median_best", "chance"))
    if median_best is None or chance is None:
        return [f"no chance level stored for the features of {visible(chooser)}"]
    what = "correlations" if subset.measure == "activation" else f"values of {subset.measure}"
    against = (
        f"with the {unit_of(subset.measure, stored)} shifted"
        if stored["chance_shift"] is not None
        else "for random vectors"
    )
    return [f"median of the best {what} {number(median_best)}; {against} {number(chance)}"]


def _in_numbers(atlas: Atlas, kept: list[tuple], stored: dict[str, Any], sae_a: str, sae_b: str) -> list[str]:
    """Mean and median of the kept pairs, and how much of both SAEs they cover."""
    from statistics import fmean, median

    if not kept:
        return []
    values = [row[2] for row in kept]
    covered = []
    for side, (sae, corpus) in enumerate(((sae_a, stored["corpus"]), (sae_b, stored["corpus_b"]))):
        n_fired = atlas.arrays("firing_counts", sae=sae, corpus=corpus)["n_fired"]
        share = len({row[side] for row in kept}) / max(int((n_fired > 0).sum()), 1)
        covered.append(f"{share:.1%} of {visible(sae)}")
    return [
        f"kept: mean {number(fmean(values))}, median {number(median(values))}; {' and '.join(covered)}, of what fires"
    ]


def _as_the_paper_counts(atlas: Atlas, sae_b: str, judged: list[tuple], stored: dict[str, Any]) -> str:
    """The mean correlation of that code: before the filters, (n - 1) / n of each, features without a partner as 0."""
    n_features = len(atlas.arrays("firing_counts", sae=sae_b, corpus=stored["corpus_b"])["n_fired"])
    mean = sum(row[2] for row in judged) * (1 - 1 / stored["n_tokens"]) / n_features
    return f"mean correlation as that code takes it, dead features as 0: {number(mean)}"
