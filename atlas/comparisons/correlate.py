"""From two scans in the store to rows of `pairs`: read, compare, write in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from atlas.catalog.measures import measure_named
from atlas.catalog.saes import sae_named
from atlas.choices import DEFAULT_MEASURE
from atlas.comparisons.aligned_scans import aligned_scans
from atlas.comparisons.exchange import (
    Supplement,
    add_rows,
    complete,
    given_pairs,
    joined,
    newer_in_exchange,
    pairings_in_exchange,
    supplement,
    without,
)
from atlas.comparisons.reading import operands_of
from atlas.comparisons.rows import Pairs, best_keys, pair_columns, stored_keys
from atlas.comparisons.stored import (
    TwoScans,
    add,
    corpora_from,
    refuse_few_rows,
    scans_behind,
    sizes,
    stored_of,
    supersede,
)
from atlas.comparisons.summaries import PairingSummary
from atlas.db import Atlas, open_atlas
from atlas.db.runs import add_run, spec_sha256, utc_now
from atlas.errors import AtlasError, AtlasUnavailable
from atlas.pairing.measures.measure import Measure
from atlas.pairing.measures.operands import Chance, Operands
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.memory import half_of_available
from atlas.pairing.search.topk import BestPartners

_JUDGES = ("median_best", "chance", "median_best_ba", "chance_ba", "chance_shift", "null_n_a", "null_n_b")
"""Columns of a pairing that are stored besides its pairs."""


def pair_saes(
    db: Path | str,
    a: str,
    b: str,
    *,
    measure: str = DEFAULT_MEASURE,
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
        measure: Name or alias of one of `MEASURES`.
        corpus: Corpus on which both were measured, or only A; None takes the only one. Measures of weights are stored
            with it too: it says how often the features fire, and the filters use its tokens.
        corpus_b: Corpus on which B was measured, if another tokenization of the same text: features are then compared
            on spans of the text.
        top_k: Partners kept for each feature, in both directions.
        seed: Seed of the shift, or of the random vectors, of the chance level.
        memory: Bytes that the search may take; None takes half of what is available. Changes only the last bits.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(features_done, n_features)`.
        command: Command line for the record; by default that of this process.

    Raises:
        UsageError: The corpus is ambiguous, or the measure is not defined for these SAEs.
        UnknownName: There is no such measure.
        AtlasError: They share no text, a scan kept no activations, or there is too little memory.
    """
    started_at, what, memory = utc_now(), measure_named(measure), memory or half_of_available()
    with open_atlas(db, wait=wait) as atlas:
        two = TwoScans.compared(atlas, sae_named(atlas, a), sae_named(atlas, b), corpus, corpus_b)
        spec, by_formula = _spec(atlas, what, two, top_k, seed), _by_formula(atlas, what, two)
        stored = _stored(atlas, what, two, spec)
    if stored is not None:
        filled = complete(db, two, memory=memory, wait=wait)
        stored = replace(stored, by_formula=by_formula, problems=_problems(filled), n_filled=sum(map(len, filled)))
        return _with_sample(db, stored, wait) if two.aligned else stored
    with open_atlas(db, wait=wait) as atlas:
        others = pairings_in_exchange(atlas, two, what.name)
        read = operands_of(atlas, what, two, memory=memory)
    summary, columns, best = _compared(read, two, joined(o.best for o in others), top_k, seed, on_progress)
    added = [supplement(db, other, best, memory=memory, wait=wait) for other in others]
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        replaced = [
            f"{' and '.join(dict.fromkeys(corpora))} ({row['n_tokens']:,} {what.unit(aligned=len(set(corpora)) > 1)})"
            for row in supersede(atlas, "pairing", two, what)
            if (corpora := corpora_from(row, two.sae_a)) != two.corpora
        ]
        summary = replace(summary, by_formula=by_formula, problems=_problems(added), replaced=tuple(replaced))
        facts = {"measure": what.name, "n_tokens": summary.n_tokens, "top_k": top_k}
        facts |= {name: getattr(summary, name) for name in _JUDGES}
        run_id = add_run(atlas, spec, started_at, command=command)
        add(atlas, "pairing", two, facts, columns, spec=spec, run_id=run_id)
        for rows in added:
            add_rows(atlas, rows)
        more = newer_in_exchange(atlas, two, what.name, others)
    if more:
        complete(db, two, memory=memory, wait=wait)
    return summary


def _spec(atlas: Atlas, measure: Measure, two: TwoScans, top_k: int, seed: int) -> dict[str, object]:
    names = two.columns()
    if not two.aligned:
        del names["corpus_b"]
    return {"measure": measure.name, **names, "top_k": top_k, "seed": seed, **scans_behind(atlas, two)}


def _by_formula(atlas: Atlas, measure: Measure, two: TwoScans) -> tuple[float, float] | None:
    if measure.formula is None:
        return None
    same, (a, b) = two.sae_a == two.sae_b, sizes(atlas, two)
    of_a, of_b = (measure.formula(max(1, other["d_sae"] - same), other["d_in"]) for other in (b, a))
    return of_a, of_b


def _stored(atlas: Atlas, measure: Measure, two: TwoScans, spec: dict[str, object]) -> PairingSummary | None:
    """The summary of an equal pairing in the atlas, without the sample of an aligned one."""
    wanted = spec_sha256(spec)
    for row in stored_of(atlas, "pairing", two):
        if row["spec_sha256"] == wanted:
            counts = atlas.fetch("comparisons/pairing_counts", **two.columns(), measure=measure.name).dicts()[0]
            shown = {name: row[name] for name in ("measure", "n_tokens", *_JUDGES)}
            return PairingSummary(**two.columns(), **counts, **shown, new=False, unit=measure.unit(aligned=two.aligned))
    return None


def _with_sample(db: Path | str, stored: PairingSummary, wait: float) -> PairingSummary:
    """The summary with the sample of two texts and the features that fire there; unchanged without activations."""
    try:
        with open_atlas(db, wait=wait) as atlas:
            scans = aligned_scans(atlas, stored.saes, stored.corpora)
        n_a, n_b = (int((scan.n_fired() > 0).sum()) for scan in scans)
    except AtlasUnavailable:
        raise
    except AtlasError:
        return stored
    return replace(stored, n_alive_a=n_a, n_alive_b=n_b, shared=scans[0].text.alignment.sample)


def _compared(
    read: Callable[[], Operands], two: TwoScans, asked: Pairs, top_k: int, seed: int, on_progress: Progress | None
) -> tuple[PairingSummary, dict[str, np.ndarray], Pairs]:
    """Search, measure the chance level, and take the values at `asked`: the summary, columns of `pair`, best pairs.

    The activations are released on return, as the next measure needs their memory.
    """
    operands = read()
    refuse_few_rows(operands, two)
    top = operands.best(top_k=top_k, on_progress=on_progress)
    if not np.isfinite(top.median_best[0]):
        silent = two.sae_a if not operands.n_a.any() else two.sae_b
        where = " and ".join(dict.fromkeys(two.corpora))
        raise AtlasError(
            f"no feature of {two.sae_a} has a {operands.measure.name} value with any of {two.sae_b}",
            why=f"features of {silent} never fire on {where}, or fire equally on every token",
        )
    chance = operands.chance(seed=seed)
    missing = without(asked, stored_keys(top))
    given = given_pairs(operands, missing) if len(missing[0]) else None
    columns = pair_columns(top, operands.n_a, operands.n_b, given)
    return _summary(two, operands, top, chance), columns, best_keys(top)


def _summary(two: TwoScans, operands: Operands, top: BestPartners, chance: Chance) -> PairingSummary:
    best_ab, best_ba = top.index_ab[:, 0], top.index_ba[:, 0]
    chosen = np.flatnonzero(best_ab >= 0)
    return PairingSummary(
        **two.columns(),
        measure=operands.measure.name,
        n_tokens=operands.n_tokens,
        unit=operands.unit,
        n_alive_a=int((operands.n_a > 0).sum()),
        n_alive_b=int((operands.n_b > 0).sum()),
        new=True,
        n_mutual=int((best_ba[best_ab[chosen]] == chosen).sum()),
        median_best=top.median_best[0],
        chance=chance.best_ab,
        median_best_ba=top.median_best[1],
        chance_ba=chance.best_ba,
        chance_shift=chance.shift,
        null_n_a=chance.n_a,
        null_n_b=chance.n_b,
        shared=operands.shared,
    )


def _problems(added: Sequence[Supplement]) -> tuple[str, ...]:
    return tuple(f"{one.pairing.measure}: {one.problem}" for one in added if one.problem)
