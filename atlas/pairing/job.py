"""From two scans in the store to rows of `pairs`: read, correlate, write in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas.activations import open_scan
from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError
from atlas.pairing.chance import ShiftNull, shift_null
from atlas.pairing.correlate import Progress, TopPairs, correlate_sparse
from atlas.queries.registry import corpus_id, corpus_in_common, sae_id, two_saes
from atlas.runs import add_run, next_id, spec_sha256, utc_now

MEASURE = "activation"
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

    n_mutual: int
    """Pairs of features that are each other's best partner."""

    median_best: float
    """Median over live features of A of the best correlation in B."""

    chance: float
    """The same with the token rows of B rolled by `chance_shift`."""

    median_best_ba: float
    """Median over live features of B of the best correlation in A."""

    chance_ba: float
    """The same with the token rows of B rolled."""

    chance_shift: int
    """Tokens by which B was rolled."""

    new: bool
    """False if the atlas already held this pairing."""


def pair_saes(
    db: Path,
    a: str,
    b: str,
    *,
    corpus: str | None = None,
    top_k: int = 10,
    seed: int = 0,
    wait: float = 0,
    on_progress: Progress | None = None,
    command: str | None = None,
) -> PairingSummary:
    """Correlate every feature of `a` with every feature of `b` over all tokens and store the best partners.

    Args:
        db: The atlas.
        a: Name or alias of one SAE.
        b: Name or alias of another.
        corpus: Corpus on which both were measured; None takes the only one.
        top_k: Partners kept for each feature, in both directions.
        seed: Of the shift that gives the chance level.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(features_done, features_in_all)`.
        command: Command line for the record; by default that of this process.

    Raises:
        UsageError: `a` and `b` are one SAE, or the corpus is not clear.
        AtlasError: They share no tokens, or a scan kept no activations.
    """
    started_at = utc_now()
    with open_atlas(db, wait=wait) as atlas:
        sae_a, sae_b = two_saes(atlas, a, b)
        shared = corpus_in_common(atlas, sae_a, sae_b, corpus)
        spec = _spec(atlas, sae_a, sae_b, str(shared["corpus"]), top_k, seed)
        stored = _stored(atlas, sae_a, sae_b, str(shared["corpus"]), spec)
        if stored is not None:
            return stored
        scans = [open_scan(atlas, name, str(shared["corpus"])) for name in (sae_a, sae_b)]
    x, y = scans[0].csr(), scans[1].csr()
    top = correlate_sparse(x, y, top_k=top_k, on_progress=on_progress)
    null = shift_null(x, y, seed=seed)
    summary = _summary(sae_a, sae_b, scans[0].corpus, top, null)
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        _write(atlas, summary, top, spec, top_k, add_run(atlas, spec, started_at, command=command))
    return summary


def _spec(atlas: Atlas, sae_a: str, sae_b: str, corpus: str, top_k: int, seed: int) -> dict[str, object]:
    """What identifies a pairing: the scans behind it and the options."""
    scans = {
        side: next(s["spec_sha256"] for s in atlas.fetch("scans_of", sae=name).dicts() if s["corpus"] == corpus)
        for side, name in (("scan_a", sae_a), ("scan_b", sae_b))
    }
    return {"measure": MEASURE, "sae_a": sae_a, "sae_b": sae_b, "corpus": corpus, "top_k": top_k, "seed": seed, **scans}


def _stored(atlas: Atlas, sae_a: str, sae_b: str, corpus: str, spec: dict[str, object]) -> PairingSummary | None:
    """The summary of an equal pairing that this atlas already holds."""
    wanted = spec_sha256(spec)
    for row in atlas.fetch("pairings", sae_a=sae_a, sae_b=sae_b).dicts():
        if row["spec_sha256"] == wanted:
            counts = atlas.fetch("pairing_counts", sae_a=sae_a, sae_b=sae_b, corpus=corpus, measure=MEASURE).dicts()[0]
            shown = {name: row[name] for name in ("n_tokens", *_JUDGES)}
            return PairingSummary(sae_a, sae_b, corpus, **counts, **shown, new=False)
    return None


def _summary(sae_a: str, sae_b: str, corpus: str, top: TopPairs, null: ShiftNull) -> PairingSummary:
    """Count what was found."""
    best_ab, best_ba = top.index_ab[:, 0], top.index_ba[:, 0]
    chosen = np.flatnonzero(best_ab >= 0)
    return PairingSummary(
        sae_a=sae_a,
        sae_b=sae_b,
        corpus=corpus,
        n_tokens=top.n_tokens,
        n_alive_a=int((top.n_a > 0).sum()),
        n_alive_b=int((top.n_b > 0).sum()),
        n_mutual=int((best_ba[best_ab[chosen]] == chosen).sum()),
        median_best=top.median_best[0],
        chance=float(null.best_ab[0]),
        median_best_ba=top.median_best[1],
        chance_ba=float(null.best_ba[0]),
        chance_shift=int(null.shifts[0]),
        new=True,
    )


def _write(
    atlas: Atlas, summary: PairingSummary, top: TopPairs, spec: dict[str, object], top_k: int, run_id: int
) -> None:
    """Replace what this atlas holds for the two SAEs on this corpus."""
    if not np.isfinite(summary.median_best):
        silent = summary.sae_b if summary.n_alive_a else summary.sae_a
        raise AtlasError(
            f"no feature of {summary.sae_a} correlates with any of {summary.sae_b}",
            why=f"features of {silent} never fire on {summary.corpus}, or fire on every token alike",
        )
    for row in atlas.fetch("pairings", sae_a=summary.sae_a, sae_b=summary.sae_b).dicts():
        if row["measure"] == MEASURE and row["corpus"] == summary.corpus:
            for table in ("pair", "pairing"):
                atlas.rows(f"delete from {table} where pairing_id = $id", id=row["pairing_id"])
    pairing_id = next_id(atlas, "pairing", "pairing_id")
    atlas.insert(
        "pairing",
        {
            "pairing_id": [pairing_id],
            "measure": [MEASURE],
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
    columns = pair_columns(top)
    atlas.insert("pair", {"pairing_id": np.full(len(columns["value"]), pairing_id, dtype=np.int32), **columns})


def pair_columns(top: TopPairs) -> dict[str, np.ndarray]:
    """Both directions of a top-k as the columns of table `pair`, each pair once, sorted by (feature_a, rank_ab)."""
    ab = _side(top.index_ab, top.value_ab, top.joint_ab)
    ba = _side(top.index_ba, top.value_ba, top.joint_ba)
    d_b = len(top.n_b)
    key_ab, key_ba = ab["chooser"] * d_b + ab["partner"], ba["partner"] * d_b + ba["chooser"]
    key, first = np.unique(np.concatenate([key_ab, key_ba]), return_index=True)
    rank_ab, rank_ba = np.zeros(len(key), dtype=np.int16), np.zeros(len(key), dtype=np.int16)
    rank_ab[np.searchsorted(key, key_ab)] = ab["rank"]
    rank_ba[np.searchsorted(key, key_ba)] = ba["rank"]
    feature_a, feature_b = key // d_b, key % d_b
    columns = {
        "feature_a": feature_a.astype(np.int32),
        "feature_b": feature_b.astype(np.int32),
        "value": np.concatenate([ab["value"], ba["value"]])[first],
        "rank_ab": np.ma.masked_equal(rank_ab, 0),
        "rank_ba": np.ma.masked_equal(rank_ba, 0),
        "n_a": top.n_a[feature_a],
        "n_b": top.n_b[feature_b],
        "n_ab": np.concatenate([ab["joint"], ba["joint"]])[first],
    }
    order = np.lexsort((feature_b, np.where(rank_ab == 0, np.iinfo(np.int16).max, rank_ab), feature_a))
    return {name: column[order] for name, column in columns.items()}


def _side(index: np.ndarray, value: np.ndarray, joint: np.ndarray) -> dict[str, np.ndarray]:
    """The stored pairs of one direction as flat columns; ranks count from 1."""
    chooser, rank = np.nonzero(index >= 0)
    return {
        "chooser": chooser.astype(np.int64),
        "partner": index[chooser, rank].astype(np.int64),
        "rank": (rank + 1).astype(np.int16),
        "value": value[chooser, rank],
        "joint": joint[chooser, rank].astype(np.int64),
    }
