"""The pairs of a search, and given pairs, as columns of table `pair`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.search.topk import BestPartners, TopPairs, Values

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(n,) features of a and (n,) features of b."""


@dataclass(frozen=True, slots=True, eq=False)
class GivenPairs:
    """Values at the best pairs of another measure."""

    feature_a: NDArray[np.int64]
    """(n,) features of a."""
    feature_b: NDArray[np.int64]
    """(n,) their partners."""
    value: Values
    """(n,) values, none of them NaN."""
    joint: NDArray[np.int64] | None
    """(n,) tokens on which both fire; None where weights are compared."""


def pair_columns(
    top: BestPartners, n_a: np.ndarray, n_b: np.ndarray, given: GivenPairs | None = None
) -> dict[str, np.ndarray]:
    """Both directions of a top-k as the columns of table `pair`, each pair once, sorted by (feature_a, rank_ab).

    `n_a` and `n_b` are the tokens on which each feature fires; `given` pairs have no ranks.
    """
    counted = isinstance(top, TopPairs)
    ab = _one_way(top.index_ab, top.value_ab, top.joint_ab if counted else None)
    ba = _one_way(top.index_ba, top.value_ba, top.joint_ba if counted else None)
    d_b = len(n_b)
    key_ab, key_ba = ab["chooser"] * d_b + ab["partner"], ba["partner"] * d_b + ba["chooser"]
    key, first = np.unique(np.concatenate([key_ab, key_ba]), return_index=True)
    rank_ab, rank_ba = np.zeros(len(key), dtype=np.int16), np.zeros(len(key), dtype=np.int16)
    rank_ab[np.searchsorted(key, key_ab)] = ab["rank"]
    rank_ba[np.searchsorted(key, key_ba)] = ba["rank"]
    joint = np.concatenate([ab["joint"], ba["joint"]])[first]
    found = GivenPairs(key // d_b, key % d_b, np.concatenate([ab["value"], ba["value"]])[first], joint)
    columns = _columns(found, rank_ab, rank_ba, n_a, n_b)
    if given is not None:
        without = given_columns(given, n_a, n_b)
        columns = {name: np.ma.concatenate([column, without[name]]) for name, column in columns.items()}
    rank = np.ma.filled(columns["rank_ab"], np.iinfo(np.int16).max)
    order = np.lexsort((columns["feature_b"], rank, columns["feature_a"]))
    return {name: column[order] for name, column in columns.items()}


def given_columns(given: GivenPairs, n_a: np.ndarray, n_b: np.ndarray) -> dict[str, np.ndarray]:
    none = np.zeros(len(given.value), dtype=np.int16)
    return _columns(given, none, none, n_a, n_b)


def stored_keys(top: BestPartners) -> Pairs:
    """Features of a and of b of the pairs with a rank in either direction, each pair once."""
    (a, rank_a), (b, rank_b) = np.nonzero(top.index_ab >= 0), np.nonzero(top.index_ba >= 0)
    pairs = np.concatenate([np.stack([a, top.index_ab[a, rank_a]], 1), np.stack([top.index_ba[b, rank_b], b], 1)])
    unique = np.unique(pairs.astype(np.int64), axis=0)
    return unique[:, 0], unique[:, 1]


def best_keys(top: BestPartners) -> Pairs:
    """Features of a and of b of the pairs in which one is the best partner of the other, each pair once."""
    return stored_keys(BestPartners(top.index_ab[:, :1], top.value_ab[:, :1], top.index_ba[:, :1], top.value_ba[:, :1]))


def _columns(
    pairs: GivenPairs, rank_ab: np.ndarray, rank_ba: np.ndarray, n_a: np.ndarray, n_b: np.ndarray
) -> dict[str, np.ndarray]:
    """Columns of table `pair`; a rank of 0 and a joint count below 0 are null."""
    joint = np.full(len(pairs.value), -1) if pairs.joint is None else pairs.joint
    return {
        "feature_a": pairs.feature_a.astype(np.int32),
        "feature_b": pairs.feature_b.astype(np.int32),
        "value": pairs.value,
        "rank_ab": np.ma.masked_equal(rank_ab, 0),
        "rank_ba": np.ma.masked_equal(rank_ba, 0),
        "n_a": n_a[pairs.feature_a],
        "n_b": n_b[pairs.feature_b],
        "n_ab": np.ma.masked_less(joint, 0),
    }


def _one_way(index: np.ndarray, value: np.ndarray, joint: np.ndarray | None) -> dict[str, np.ndarray]:
    """The stored pairs of one direction as flat columns; ranks count from 1, no joint count is -1."""
    chooser, rank = np.nonzero(index >= 0)
    return {
        "chooser": chooser.astype(np.int64),
        "partner": index[chooser, rank].astype(np.int64),
        "rank": (rank + 1).astype(np.int16),
        "value": value[chooser, rank],
        "joint": np.full(len(chooser), -1) if joint is None else joint[chooser, rank].astype(np.int64),
    }
