"""From two scans in the store to rows of `pairs`: read, compare, write in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from atlas.catalog.compared import corpora_compared
from atlas.catalog.saes import sae_named
from atlas.choices import unit_of
from atlas.comparisons.aligned_scans import aligned_scans
from atlas.comparisons.exchange import (
    Pairs,
    Supplement,
    add_rows,
    complete,
    given_pairs,
    newer_in_exchange,
    pairings_in_exchange,
    supplement,
    without,
)
from atlas.comparisons.reading import sides_of
from atlas.comparisons.rows import best_keys, pair_columns, stored_keys
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
from atlas.comparisons.summary import PairingSummary
from atlas.db import Atlas, open_atlas
from atlas.db.runs import add_run, spec_sha256, utc_now
from atlas.errors import AtlasError, AtlasUnavailable, UnknownName
from atlas.pairing.measures.registry import MEASURES, Measure
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.chance import cosine_chance
from atlas.pairing.search.memory import half_of_available
from atlas.pairing.search.sides import Chance, Sides, best_partners, chance_level
from atlas.pairing.search.toppairs import BestPartners

_JUDGES = ("median_best", "chance", "median_best_ba", "chance_ba", "chance_shift", "null_n_a", "null_n_b")
"""What is stored of a pairing besides its pairs."""


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
    the best pairs found now: see `atlas.comparisons.exchange`.

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
        seed: Of the shift, or of the random vectors, that give the chance level.
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
        by_formula = _by_formula(atlas, what, names)
        stored = _stored(atlas, measure, names, spec)
    if stored is not None:
        filled = complete(db, names, memory=memory, wait=wait)
        stored = replace(stored, by_formula=by_formula, problems=_problems(filled), n_filled=sum(map(len, filled)))
        return stored if stored.corpus == stored.corpus_b else _with_sample(db, stored, wait)
    with open_atlas(db, wait=wait) as atlas:
        others = pairings_in_exchange(atlas, measure, *names)
        read_sides = sides_of(atlas, what, *names, memory=memory)
    found = _compared(read_sides, what, names, [other.best for other in others], top_k, seed, on_progress)
    added = [supplement(db, other, found.best, memory=memory, wait=wait) for other in others]
    summary = replace(_summary(names, what, found, added), by_formula=by_formula)
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        replaced = _write(atlas, summary, found, spec, top_k, add_run(atlas, spec, started_at, command=command))
        for rows in added:
            add_rows(atlas, rows)
        more = newer_in_exchange(atlas, others, measure, names)
    if more:
        complete(db, names, memory=memory, wait=wait)
    return replace(summary, replaced=replaced)


def measure_named(wanted: str) -> Measure:
    """The measure of this name.

    Raises:
        UnknownName: There is none.
    """
    if wanted not in MEASURES:
        raise UnknownName("measure", wanted, list(MEASURES), hint="--measure activation")
    return MEASURES[wanted]


def _spec(atlas: Atlas, measure: str, names: Names, top_k: int, seed: int) -> dict[str, object]:
    """What identifies a pairing: the scans behind it and the options."""
    sides = as_columns(names)
    if names[2] == names[3]:
        del sides["corpus_b"]
    return {"measure": measure, **sides, "top_k": top_k, "seed": seed, **scans_behind(atlas, names)}


def _by_formula(atlas: Atlas, measure: Measure, names: Names) -> tuple[float, float] | None:
    """About the chance level of cosines, of A and of B."""
    if measure.needs not in ("decoders", "encoders"):
        return None
    known = {row["sae"]: row for row in atlas.fetch("catalog/list_saes").dicts()}
    same = names[0] == names[1]
    of_a, of_b = (cosine_chance(max(1, known[n]["d_sae"] - same), known[n]["d_in"]) for n in (names[1], names[0]))
    return of_a, of_b


def _stored(atlas: Atlas, measure: str, names: Names, spec: dict[str, object]) -> PairingSummary | None:
    """The summary of an equal pairing that this atlas already holds, without the sample of an aligned one."""
    sides, wanted = as_columns(names), spec_sha256(spec)
    for row in atlas.fetch("comparisons/stored_pairings", **sides).dicts():
        if row["spec_sha256"] == wanted:
            counts = atlas.fetch("comparisons/pairing_counts", **sides, measure=measure).dicts()[0]
            shown = {name: row[name] for name in ("n_tokens", *_JUDGES)}
            return PairingSummary(
                **sides, measure=measure, **counts, **shown, new=False, unit=unit_of(measure, *names[2:])
            )
    return None


def _with_sample(db: Path | str, stored: PairingSummary, wait: float) -> PairingSummary:
    """The same with what two texts share and the features that fire there, read again; as it is without activations."""
    try:
        with open_atlas(db, wait=wait) as atlas:
            scans = aligned_scans(atlas, (stored.sae_a, stored.sae_b), (stored.corpus, stored.corpus_b))
        n_a, n_b = (int((scan.n_fired() > 0).sum()) for scan in scans)
    except AtlasUnavailable:
        raise
    except AtlasError:
        return stored
    return replace(stored, n_alive_a=n_a, n_alive_b=n_b, shared=scans[0].text.alignment.sample)


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
    names: Names,
    asked: list[Pairs],
    top_k: int,
    seed: int,
    on_progress: Progress | None,
) -> _Found:
    """Search, measure the chance level, and take the values at the pairs that are asked for."""
    sides = read_sides()
    refuse_few_rows(sides, names[2:])
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


def _summary(names: Names, measure: Measure, found: _Found, added: list[Supplement]) -> PairingSummary:
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
        problems=_problems(added),
    )


def _problems(added: Sequence[Supplement]) -> tuple[str, ...]:
    """What could not be added, and why."""
    return tuple(f"{one.pairing.measure}: {one.problem}" for one in added if one.problem)


def _write(
    atlas: Atlas, summary: PairingSummary, found: _Found, spec: dict[str, object], top_k: int, run_id: int
) -> tuple[str, ...]:
    """Replace what this atlas holds for the two SAEs on this corpus by this measure, and what was matched of it.

    Returns:
        What was replaced although it was measured on other corpora.
    """
    gone = []
    names = (summary.sae_a, summary.sae_b, summary.corpus, summary.corpus_b)
    of_both, measure = {"sae_a": names[0], "sae_b": names[1]}, summary.measure
    for row in atlas.fetch("comparisons/pairings", **of_both).dicts():
        replaced = row["sae_a"] == names[0] or MEASURES[measure].symmetric
        if replaced and row["measure"] == measure and gives_way(row, names):
            _remove_greedy(atlas, names[0], row)
            remove(atlas, "pairing", row["pairing_id"])
            corpora = corpora_from(row, names[0])
            if corpora != names[2:]:
                gone.append(
                    f"{' and '.join(dict.fromkeys(corpora))} ({row['n_tokens']:,} {unit_of(measure, *corpora)})"
                )
    facts = {"measure": measure, "n_tokens": summary.n_tokens, "top_k": top_k}
    facts |= {name: getattr(summary, name) for name in _JUDGES}
    add(atlas, "pairing", names, facts, found.columns, spec=spec, run_id=run_id)
    return tuple(gone)


def _remove_greedy(atlas: Atlas, sae_a: str, pairing: Mapping[str, Any]) -> None:
    """Delete the greedy matching of a pairing, whichever SAE was named first."""
    for row in atlas.fetch("comparisons/stored_matchings", sae_a=pairing["sae_a"], sae_b=pairing["sae_b"]).dicts():
        of_it = (row["method"], row["measure"]) == ("greedy", pairing["measure"])
        if of_it and corpora_from(row, sae_a) == corpora_from(pairing, sae_a):
            remove(atlas, "matching", row["matching_id"])
