"""The activations of two features on the same tokens, counted on a grid from the stored shards."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from atlas.activations.store import open_scan
from atlas.db import Atlas
from atlas.errors import AtlasError
from atlas.queries.browse_pair import matchings_of_pair, measures_of_pair
from atlas.queries.browse_records import PairDetail
from atlas.queries.pair_records import Joint, PairMore

COLUMNS, ROWS = 32, 8
"""Bins of equal width, from 0 to the maximum of A and of B."""

_Shards = Iterator[tuple[int, np.ndarray, np.ndarray]]


def pair_more(atlas: Atlas, detail: PairDetail) -> PairMore:
    """Every measure and matching of a pair, and its joint activations where both scans kept theirs."""
    a, b = detail.a, detail.b
    place = (a.scan, a.feature.feature_id, b.scan, b.feature.feature_id)
    joint, problem = None, ""
    try:
        joint = joint_of(atlas, detail)
    except AtlasError as error:
        problem = error.what + (f" – {error.hint}" if error.hint else "")
    return PairMore(measures_of_pair(atlas, *place), matchings_of_pair(atlas, *place[:3]), joint, problem)


def joint_of(atlas: Atlas, detail: PairDetail) -> Joint:
    """How strongly two features fire on the tokens where either does. Holds one shard of both at a time.

    Raises:
        AtlasError: They never fire, were measured on other tokens, or a scan kept no activations.
    """
    a, b = detail.a, detail.b
    for side in (a, b):
        if not side.feature.max:
            raise AtlasError(f"{side.reference} never fires")
    if a.scan.corpus != b.scan.corpus:
        raise AtlasError("the two were measured on different tokenizations of the text, so their tokens differ")
    scans = [open_scan(atlas, one.scan.sae, one.scan.corpus) for one in (a, b)]
    max_a, max_b = float(a.feature.max or 0), float(b.feature.max or 0)
    counts = np.zeros((ROWS + 1, COLUMNS + 1), dtype=np.int64)
    for x, y in _aligned(scans[0].feature(a.feature.feature_id), scans[1].feature(b.feature.feature_id)):
        np.add.at(counts, (_bin(y, max_b, ROWS), _bin(x, max_a, COLUMNS)), 1)
    return Joint(
        counts=counts.tolist(),
        max_a=max_a,
        max_b=max_b,
        n_both=int(counts[1:, 1:].sum()),
        n_only_a=int(counts[0, 1:].sum()),
        n_only_b=int(counts[1:, 0].sum()),
        n_tokens=min(scan.n_tokens for scan in scans),
    )


def _bin(activation: np.ndarray, maximum: float, n_bins: int) -> np.ndarray:
    """0 where silent, else the number of the bin, from 1."""
    return np.where(activation > 0, 1 + np.clip((activation / maximum * n_bins).astype(np.int64), 0, n_bins - 1), 0)


def _aligned(a: _Shards, b: _Shards) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Activations of both on the tokens where either fires; the shards of the two may have different lengths."""
    sides, ends = (a, b), [0, 0]
    tokens = [np.empty(0, np.int64), np.empty(0, np.int64)]
    held = [np.empty(0, np.float32), np.empty(0, np.float32)]
    while True:
        behind = 0 if ends[0] <= ends[1] else 1
        shard = next(sides[behind], None)
        if shard is None:
            return
        ends[behind] = shard[0]
        tokens[behind] = np.concatenate([tokens[behind], shard[1]])
        held[behind] = np.concatenate([held[behind], shard[2]])
        cuts = [int(np.searchsorted(side, min(ends))) for side in tokens]
        either = np.union1d(tokens[0][: cuts[0]], tokens[1][: cuts[1]])
        dense = []
        for side, cut in enumerate(cuts):
            row = np.zeros(len(either), np.float32)
            row[np.searchsorted(either, tokens[side][:cut])] = held[side][:cut]
            dense.append(row)
            tokens[side], held[side] = tokens[side][cut:], held[side][cut:]
        yield dense[0], dense[1]
