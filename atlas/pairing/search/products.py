"""Sparse products over the tokens on which both features of a pair fire, in blocks so that memory stays small."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.search.bothways import runs
from atlas.pairing.search.topk import Index, Values

PAIRS_PER_BLOCK = 2_000_000
"""Maximum number of pairs in one product: 24 MB of result, so that a thread stays under 100 MB."""


def threads(workers: int | None) -> ThreadPoolExecutor:
    """A pool of `workers` threads; None is one per core, 8 at most. SciPy's products and NumPy release the lock."""
    return ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1))


def check_sizes(n_tokens_a: int, n_tokens_b: int, top_k: int = 1, block_size: int = 1) -> None:
    """Raise ValueError where the numbers of tokens differ or an option is out of its range."""
    if n_tokens_a != n_tokens_b:
        raise ValueError(f"a has {n_tokens_a} tokens and b has {n_tokens_b}; both must hold the same tokens in order")
    if top_k < 1 or block_size < 1:
        raise ValueError(f"top_k and block_size must be at least 1, not {top_k} and {block_size}")


def blocks(by_feature: Any, by_token: Any, block_size: int) -> list[NDArray]:
    """Runs of rows of (d_x, n_tokens): at most `block_size`, and about PAIRS_PER_BLOCK pairs with (n_tokens, d_y)."""
    d_x, d_y = by_feature.shape[0], by_token.shape[1]
    partners = np.diff(by_token.indptr)
    pattern = sp.csr_array((np.ones(by_feature.nnz, bool), by_feature.indices, by_feature.indptr), by_feature.shape)
    most_pairs = np.minimum(pattern @ partners, d_y)
    return list(runs(np.arange(d_x, dtype=np.int32), most_pairs, PAIRS_PER_BLOCK, block_size))


def product(by_feature: Any, features: NDArray, by_token: Any, *, same: bool = False) -> Any:
    """Sums over tokens of some features with all partners that fire together with them: (len(features), d_y).

    With `same`, both are one SAE and each feature is left out of its own row.
    """
    # A block of a search is a run of neighbours, and a slice is faster than a list of rows.
    run = len(features) and features[-1] - features[0] == len(features) - 1
    rows = by_feature[int(features[0]) : int(features[-1]) + 1] if run else by_feature[features]
    sums = sp.csr_array(rows @ by_token)
    if not same:
        return sums
    row = np.repeat(np.arange(len(features)), np.diff(sums.indptr))
    keep = sums.indices != features[row]
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[keep], minlength=len(features)))])
    return sp.csr_array((sums.data[keep], sums.indices[keep], starts), shape=sums.shape)


def joint_counts(x: Any, y: Any, index: Index, pool: Executor) -> Index:
    """(d_x, k) tokens on which both features of each stored pair fire; x and y are booleans, (d, n_tokens)."""
    joint = np.zeros(index.shape, dtype=np.int32)
    feature, rank = np.nonzero(index >= 0)
    joint[feature, rank] = joint_at(x, y, feature, index[feature, rank], pool)
    return joint


def joint_at(x: Any, y: Any, features: NDArray, partners: NDArray, pool: Executor) -> NDArray[np.int64]:
    """(n,) tokens on which both features of given pairs fire; x and y as in `joint_counts`."""
    return _of_products(x, y, features, partners, lambda products: np.diff(products.indptr), pool).astype(np.int64)


def sums_at(x: Any, y: Any, features: NDArray, partners: NDArray, pool: Executor) -> Values:
    """(n,) sums over tokens of the products of given pairs; x and y are activations, (d, n_tokens)."""
    return _of_products(x, y, features, partners, lambda products: np.asarray(products.sum(axis=1)).ravel(), pool)


def _of_products(
    x: Any, y: Any, features: NDArray, partners: NDArray, measure: Callable[[Any], NDArray], pool: Executor
) -> NDArray:
    cost = np.diff(x.indptr)[features] + np.diff(y.indptr)[partners]
    parts = list(runs(np.arange(len(features)), cost, 4_000_000, max(len(features), 1)))
    found = pool.map(lambda at: measure(sp.csr_array(x[features[at]].multiply(y[partners[at]]))), parts)
    return np.concatenate([np.zeros(0), *found])


def have_sums(x: Any, y: Any, features: NDArray, partners: NDArray) -> NDArray[np.bool_]:
    """(features, partners) whether `product` has an entry for the pair: sums that cancel to 0 have none."""
    return (x[features] @ y[partners].T).toarray() != 0
