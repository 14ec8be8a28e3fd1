"""The best partners of a search as columns of table `pair`."""

from __future__ import annotations

import numpy as np

from atlas.pairing.toppairs import BestPartners, TopPairs


def pair_columns(top: BestPartners, n_a: np.ndarray, n_b: np.ndarray) -> dict[str, np.ndarray]:
    """Both directions of a top-k as the columns of table `pair`, each pair once, sorted by (feature_a, rank_ab)."""
    counted = isinstance(top, TopPairs)
    ab = _side(top.index_ab, top.value_ab, top.joint_ab if counted else None)
    ba = _side(top.index_ba, top.value_ba, top.joint_ba if counted else None)
    d_b = len(n_b)
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
        "n_a": n_a[feature_a],
        "n_b": n_b[feature_b],
        "n_ab": np.ma.masked_less(np.concatenate([ab["joint"], ba["joint"]])[first], 0),
    }
    order = np.lexsort((feature_b, np.where(rank_ab == 0, np.iinfo(np.int16).max, rank_ab), feature_a))
    return {name: column[order] for name, column in columns.items()}


def _side(index: np.ndarray, value: np.ndarray, joint: np.ndarray | None) -> dict[str, np.ndarray]:
    """The stored pairs of one direction as flat columns; ranks count from 1, no joint count is -1."""
    chooser, rank = np.nonzero(index >= 0)
    return {
        "chooser": chooser.astype(np.int64),
        "partner": index[chooser, rank].astype(np.int64),
        "rank": (rank + 1).astype(np.int16),
        "value": value[chooser, rank],
        "joint": np.full(len(chooser), -1) if joint is None else joint[chooser, rank].astype(np.int64),
    }
