"""From two scans in the store to rows of `pairs`: read, compare, write in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName
from atlas.pairing.bothways import Progress
from atlas.pairing.exchange import Fill, Pairs, add_rows, fill, given_pairs, others_of, without
from atlas.pairing.measures import MEASURES, Measure
from atlas.pairing.memory import half_of_available
from atlas.pairing.rows import best_keys, pair_columns, stored_keys
from atlas.pairing.search import Chance, Sides, best_partners, chance_level
from atlas.pairing.sides import sides_of
from atlas.pairing.summary import PairingSummary as PairingSummary
from atlas.pairing.toppairs import BestPartners
from atlas.queries.aligned import corpora_compared
from atlas.queries.registry import corpus_id, sae_id, sae_named
from atlas.runs import add_run, next_id, spec_sha256, utc_now

_JUDGES = ("median_best", "chance", "median_best_ba", "chance_ba", "chance_shift", "null_n_a", "null_n_b")
"""What is stored of a pairing besides its pairs."""

_Names = tuple[str, str, str, str]
"""SAE A, SAE B, corpus of A, corpus of B."""

_FEWEST = 4
"""Rows that can be rolled for a chance level."""


def pair_saes(
    db: Path | str,
    a: str,
    b: str,
    *,
    measure: str = "activation",
    corpus: str | None = None,
    corpus_b: str | None = None,
    top_k: int = 10,
    seed: int = 0,
    memory: int | None = None,
    wait: float = 0,
    on_progress: Progress | None = None,
    command: str | None = None,
) -> PairingSummary:
    """Compare every feature of `a` with every feature of `b` and store the best partners, in both directions.

    The pairing also gets its values at the best pairs of stored pairings by other measures, and those get theirs at
    the best pairs found now: see `atlas.pairing.exchange`.

    Args:
        db: The atlas.
        a: Name or alias of one SAE.
        b: Name or alias of another, or of the same: then no feature is its own partner.
        measure: What is compared, a name of `MEASURES`.
        corpus: Corpus on which both were measured, or A alone; None takes the only one. Measures of weights are stored
            with it too: it says how often the features fire, and the filters look at its tokens.
        corpus_b: Corpus on which B was measured, if another cut of the same text, as where tokenizers differ: features
            are compared on spans of the text then.
        top_k: Partners kept for each feature, in both directions.
        seed: Of the shift that gives the chance level.
        memory: Bytes that the search may take; None takes half of what is available. Changes last bits only.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(features_done, features_in_all)`.
        command: Command line for the record; by default that of this process.

    Raises:
        UsageError: The corpus is not clear, or the measure means nothing for these SAEs.
        UnknownName: There is no such measure.
        AtlasError: They share no text, a scan kept no activations, or the memory does not suffice.
    """
    started_at, what, memory = utc_now(), measure_named(measure), memory or half_of_available()
    with open_atlas(db, wait=wait) as atlas:
        sae_a, sae_b = (sae_named(atlas, name) for name in (a, b))
        names = (sae_a, sae_b, *corpora_compared(atlas, sae_a, sae_b, corpus, corpus_b))
        spec = _spec(atlas, measure, names, top_k, seed)
        stored = _stored(atlas, what, names, spec)
        if stored is not None:
            return stored
        others = others_of(atlas, measure, *names)
        read_sides = sides_of(atlas, what, *names, memory=memory)
    found = _compared(read_sides, what, names, [other.best for other in others], top_k, seed, on_progress)
    filled = [fill(db, other, found.best, memory=memory, wait=wait) for other in others]
    summary = _summary(names, what, found, filled)
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        _write(atlas, summary, found, spec, top_k, add_run(atlas, spec, started_at, command=command))
        for rows in filled:
            add_rows(atlas, rows)
    return summary


def measure_named(wanted: str) -> Measure:
    """The measure of this name.

    Raises:
        UnknownName: There is none.
    """
    if wanted not in MEASURES:
        raise UnknownName("measure", wanted, list(MEASURES), hint="--measure activation")
    return MEASURES[wanted]


def _spec(atlas: Atlas, measure: str, names: _Names, top_k: int, seed: int) -> dict[str, object]:
    """What identifies a pairing: the scans behind it and the options."""
    *saes, corpus, corpus_b = names
    scans = {
        side: next(s["spec_sha256"] for s in atlas.fetch("scans_of", sae=name).dicts() if s["corpus"] == its_corpus)
        for side, name, its_corpus in zip(("scan_a", "scan_b"), saes, names[2:], strict=True)
    }
    of_both = {"measure": measure, "sae_a": saes[0], "sae_b": saes[1], "corpus": corpus}
    aligned = {"corpus_b": corpus_b} if corpus_b != corpus else {}
    return {**of_both, **aligned, "top_k": top_k, "seed": seed, **scans}


def _stored(atlas: Atlas, measure: Measure, names: _Names, spec: dict[str, object]) -> PairingSummary | None:
    """The summary of an equal pairing that this atlas already holds."""
    sides = dict(zip(("sae_a", "sae_b", "corpus", "corpus_b"), names, strict=True))
    wanted = spec_sha256(spec)
    for row in atlas.fetch("stored_pairings", **sides).dicts():
        if row["spec_sha256"] == wanted:
            counts = atlas.fetch("pairing_counts", **sides, measure=measure.name).dicts()[0]
            shown = {name: row[name] for name in ("n_tokens", *_JUDGES)}
            unit = "documents" if measure.pool else "tokens" if names[2] == names[3] else "spans"
            return PairingSummary(**sides, measure=measure.name, **counts, **shown, new=False, unit=unit)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was computed, without what it was computed from."""

    sides: Sides
    """The counts; their arguments are gone, as they take the memory that the next measure needs."""

    top: BestPartners
    """Best partners, both ways."""

    chance: Chance
    """Their chance level."""

    best: Pairs
    """Pairs in which one feature is the other's best partner."""

    columns: dict[str, np.ndarray]
    """Columns of table `pair` without the key."""


def _compared(
    read_sides: Callable[[], Sides],
    measure: Measure,
    names: _Names,
    asked: list[Pairs],
    top_k: int,
    seed: int,
    on_progress: Progress | None,
) -> _Found:
    """Search, measure the chance level, and take the values at the pairs that are asked for."""
    sides = read_sides()
    if sides.dimension is None and sides.n_tokens < _FEWEST:
        raise AtlasError(f"{names[2]} has too few {sides.unit} to compare features on: {sides.n_tokens}")
    top = best_partners(measure, sides, top_k=top_k, on_progress=on_progress)
    if not np.isfinite(top.median_best[0]):
        silent = names[0] if not sides.n_a.any() else names[1]
        raise AtlasError(
            f"no feature of {names[0]} has a {measure.name} value with any of {names[1]}",
            why=f"features of {silent} never fire on {names[2]}, or fire on every token alike",
        )
    chance = chance_level(measure, sides, seed=seed)
    none = np.zeros(0, np.int64)
    a, b = (np.concatenate([none, *(pairs[side] for pairs in asked)]) for side in (0, 1))
    missing = without((a, b), stored_keys(top))
    given = given_pairs(measure, sides, missing) if len(missing[0]) else None
    columns = pair_columns(top, sides.n_a, sides.n_b, given)
    return _Found(replace(sides, arguments=()), top, chance, best_keys(top), columns)


def _summary(names: _Names, measure: Measure, found: _Found, filled: list[Fill]) -> PairingSummary:
    """Count what was found."""
    top, sides, chance = found.top, found.sides, found.chance
    best_ab, best_ba = top.index_ab[:, 0], top.index_ba[:, 0]
    chosen = np.flatnonzero(best_ab >= 0)
    return PairingSummary(
        *names,
        n_tokens=sides.n_tokens,
        n_alive_a=int((sides.n_a > 0).sum()),
        n_alive_b=int((sides.n_b > 0).sum()),
        measure=measure.name,
        n_mutual=int((best_ba[best_ab[chosen]] == chosen).sum()),
        median_best=top.median_best[0],
        chance=chance.best_ab,
        median_best_ba=top.median_best[1],
        chance_ba=chance.best_ba,
        chance_shift=chance.shift,
        null_n_a=chance.n_a,
        null_n_b=chance.n_b,
        new=True,
        unit=sides.unit,
        shared=sides.shared,
        problems=tuple(f"{one.other.measure}: {one.problem}" for one in filled if one.problem),
    )


def _write(
    atlas: Atlas, summary: PairingSummary, found: _Found, spec: dict[str, object], top_k: int, run_id: int
) -> None:
    """Replace what this atlas holds for the two SAEs on this corpus by this measure."""
    sides = {"sae_a": summary.sae_a, "sae_b": summary.sae_b}
    for row in atlas.fetch("pairings", **sides).dicts():
        in_order = row["sae_a"] == summary.sae_a
        corpus, corpus_b = (row[side] for side in (("corpus", "corpus_b") if in_order else ("corpus_b", "corpus")))
        replaced = (in_order or MEASURES[summary.measure].symmetric) and row["measure"] == summary.measure
        # One corpus of an SAE has one pairing with another SAE, whichever cuts of a text that one was measured on.
        if replaced and (corpus == summary.corpus or corpus_b == summary.corpus_b):
            for table in ("pair", "pairing"):
                atlas.rows(f"delete from {table} where pairing_id = $id", id=row["pairing_id"])
    pairing_id = next_id(atlas, "pairing", "pairing_id")
    atlas.insert(
        "pairing",
        {
            "pairing_id": [pairing_id],
            "measure": [summary.measure],
            **{side: [sae_id(atlas, name)] for side, name in sides.items()},
            "corpus_id": [corpus_id(atlas, summary.corpus)],
            "corpus_b": [corpus_id(atlas, summary.corpus_b) if summary.corpus_b != summary.corpus else None],
            "run_id": [run_id],
            "n_tokens": [summary.n_tokens],
            "top_k": [top_k],
            **{name: [getattr(summary, name)] for name in _JUDGES},
            "spec_sha256": [spec_sha256(spec)],
        },
    )
    n = len(found.columns["value"])
    atlas.insert("pair", {"pairing_id": np.full(n, pairing_id, dtype=np.int32), **found.columns})
