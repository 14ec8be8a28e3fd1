"""From two scans in the store to rows of `pairs`: read, correlate, write in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName
from atlas.pairing.bothways import Progress
from atlas.pairing.chance import cosine_chance, shift_null
from atlas.pairing.measures import MEASURES, Measure
from atlas.pairing.rows import pair_columns
from atlas.pairing.sides import Sides, sides_of
from atlas.pairing.toppairs import BestPartners
from atlas.queries.registry import corpus_id, corpus_in_common, sae_id, two_saes
from atlas.runs import add_run, next_id, spec_sha256, utc_now

_JUDGES = ("median_best", "chance", "median_best_ba", "chance_ba", "chance_shift")
"""What is stored of a pairing besides its pairs."""


@dataclass(frozen=True, slots=True)
class PairingSummary:
    """What a pairing found, with the chance level that judges it."""

    sae_a: str
    """Full name of the first SAE."""

    sae_b: str
    """Full name of the second SAE."""

    corpus: str
    """Corpus on which both were measured."""

    n_tokens: int
    """Tokens the correlations are over."""

    n_alive_a: int
    """Features of A that fired."""

    n_alive_b: int
    """Features of B that fired."""

    measure: str
    """What was compared, a name of `MEASURES`."""

    n_mutual: int
    """Pairs of features that are each other's best partner."""

    median_best: float
    """Median over features of A of their best value in B."""

    chance: float
    """The same with the token rows of B rolled by `chance_shift`, or what random vectors would give."""

    median_best_ba: float
    """Median over features of B of their best value in A."""

    chance_ba: float
    """Its chance level."""

    chance_shift: int | None
    """Tokens by which B was rolled; None where weights were compared."""

    new: bool
    """False if the atlas already held this pairing."""


def pair_saes(
    db: Path | str,
    a: str,
    b: str,
    *,
    measure: str = "activation",
    corpus: str | None = None,
    top_k: int = 10,
    seed: int = 0,
    wait: float = 0,
    on_progress: Progress | None = None,
    command: str | None = None,
) -> PairingSummary:
    """Compare every feature of `a` with every feature of `b` and store the best partners, in both directions.

    Args:
        db: The atlas.
        a: Name or alias of one SAE.
        b: Name or alias of another.
        measure: What is compared, a name of `MEASURES`.
        corpus: Corpus on which both were measured; None takes the only one. Measures of weights are stored with it too:
            it says how often the features fire, and the filters look at its tokens.
        top_k: Partners kept for each feature, in both directions.
        seed: Of the shift that gives the chance level.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(features_done, features_in_all)`.
        command: Command line for the record; by default that of this process.

    Raises:
        UsageError: `a` and `b` are one SAE, the corpus is not clear, or the measure means nothing for them.
        UnknownName: There is no such measure.
        AtlasError: They share no tokens, or a scan kept no activations.
    """
    started_at, what = utc_now(), measure_named(measure)
    with open_atlas(db, wait=wait) as atlas:
        sae_a, sae_b = two_saes(atlas, a, b)
        shared = corpus_in_common(atlas, sae_a, sae_b, corpus)
        name = str(shared["corpus"])
        spec = _spec(atlas, measure, sae_a, sae_b, name, top_k, seed)
        stored = _stored(atlas, measure, sae_a, sae_b, name, spec)
        if stored is not None:
            return stored
        read_sides = sides_of(atlas, what, sae_a, sae_b, name)
    sides = read_sides()
    top = what.function(*sides.arguments, top_k=top_k, on_progress=on_progress)
    chance = _chance(what, sides, seed)
    summary = _summary((sae_a, sae_b, name), measure, sides, top, chance)
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        _write(atlas, summary, top, sides, spec, top_k, add_run(atlas, spec, started_at, command=command))
    return summary


def measure_named(wanted: str) -> Measure:
    """The measure of this name that can be stored.

    Raises:
        UnknownName: There is none.
    """
    known = [name for name, measure in MEASURES.items() if measure.symmetric]
    if wanted not in known:
        raise UnknownName("measure", wanted, known, hint="--measure activation")
    return MEASURES[wanted]


def _chance(measure: Measure, sides: Sides, seed: int) -> tuple[float, float, int | None]:
    """Chance level of the best value, a to b and b to a, and the shift that gave it."""
    if sides.dimension is not None:
        d_a, d_b = (len(side) for side in (sides.n_a, sides.n_b))
        return cosine_chance(d_b, sides.dimension), cosine_chance(d_a, sides.dimension), None
    if measure.name == "activation":
        null = shift_null(*sides.arguments, seed=seed)
    else:
        null = shift_null(*sides.arguments, seed=seed, measure=cast(Any, measure.function))
    return float(null.best_ab[0]), float(null.best_ba[0]), int(null.shifts[0])


def _spec(atlas: Atlas, measure: str, sae_a: str, sae_b: str, corpus: str, top_k: int, seed: int) -> dict[str, object]:
    """What identifies a pairing: the scans behind it and the options."""
    scans = {
        side: next(s["spec_sha256"] for s in atlas.fetch("scans_of", sae=name).dicts() if s["corpus"] == corpus)
        for side, name in (("scan_a", sae_a), ("scan_b", sae_b))
    }
    return {"measure": measure, "sae_a": sae_a, "sae_b": sae_b, "corpus": corpus, "top_k": top_k, "seed": seed, **scans}


def _stored(
    atlas: Atlas, measure: str, sae_a: str, sae_b: str, corpus: str, spec: dict[str, object]
) -> PairingSummary | None:
    """The summary of an equal pairing that this atlas already holds."""
    wanted = spec_sha256(spec)
    for row in atlas.fetch("pairings", sae_a=sae_a, sae_b=sae_b).dicts():
        if row["spec_sha256"] == wanted:
            counts = atlas.fetch("pairing_counts", sae_a=sae_a, sae_b=sae_b, corpus=corpus, measure=measure).dicts()[0]
            shown = {name: row[name] for name in ("n_tokens", *_JUDGES)}
            return PairingSummary(sae_a, sae_b, corpus, measure=measure, **counts, **shown, new=False)
    return None


def _summary(
    names: tuple[str, str, str],
    measure: str,
    sides: Sides,
    top: BestPartners,
    chance: tuple[float, float, int | None],
) -> PairingSummary:
    """Count what was found."""
    best_ab, best_ba = top.index_ab[:, 0], top.index_ba[:, 0]
    chosen = np.flatnonzero(best_ab >= 0)
    return PairingSummary(
        *names,
        n_tokens=sides.n_tokens,
        n_alive_a=int((sides.n_a > 0).sum()),
        n_alive_b=int((sides.n_b > 0).sum()),
        measure=measure,
        n_mutual=int((best_ba[best_ab[chosen]] == chosen).sum()),
        median_best=top.median_best[0],
        chance=chance[0],
        median_best_ba=top.median_best[1],
        chance_ba=chance[1],
        chance_shift=chance[2],
        new=True,
    )


def _write(
    atlas: Atlas,
    summary: PairingSummary,
    top: BestPartners,
    sides: Sides,
    spec: dict[str, object],
    top_k: int,
    run_id: int,
) -> None:
    """Replace what this atlas holds for the two SAEs on this corpus by this measure."""
    if not np.isfinite(summary.median_best):
        silent = summary.sae_b if summary.n_alive_a else summary.sae_a
        raise AtlasError(
            f"no feature of {summary.sae_a} correlates with any of {summary.sae_b}",
            why=f"features of {silent} never fire on {summary.corpus}, or fire on every token alike",
        )
    for row in atlas.fetch("pairings", sae_a=summary.sae_a, sae_b=summary.sae_b).dicts():
        if row["measure"] == summary.measure and row["corpus"] == summary.corpus:
            for table in ("pair", "pairing"):
                atlas.rows(f"delete from {table} where pairing_id = $id", id=row["pairing_id"])
    pairing_id = next_id(atlas, "pairing", "pairing_id")
    atlas.insert(
        "pairing",
        {
            "pairing_id": [pairing_id],
            "measure": [summary.measure],
            "sae_a": [sae_id(atlas, summary.sae_a)],
            "sae_b": [sae_id(atlas, summary.sae_b)],
            "corpus_id": [corpus_id(atlas, summary.corpus)],
            "run_id": [run_id],
            "n_tokens": [summary.n_tokens],
            "top_k": [top_k],
            **{name: [getattr(summary, name)] for name in _JUDGES},
            "spec_sha256": [spec_sha256(spec)],
        },
    )
    columns = pair_columns(top, sides.n_a, sides.n_b)
    atlas.insert("pair", {"pairing_id": np.full(len(columns["value"]), pairing_id, dtype=np.int32), **columns})
