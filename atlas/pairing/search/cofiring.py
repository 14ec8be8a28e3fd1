"""Measures whose value is 0 where two features never fire together: the search covers only co-firing pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.search.bothways import Progress, SparseBlock, both_ways
from atlas.pairing.search.products import blocks, check_sizes, joint_counts, threads
from atlas.pairing.search.source import Source
from atlas.pairing.search.topk import TopPairs


class Cofiring(Source):
    """The matrix of such a measure, from (d_a, n_tokens) and (d_b, n_tokens) CSR arrays without stored zeros."""

    def __init__(self, x: Any, y: Any) -> None:
        check_sizes(x.shape[1], y.shape[1])
        self.x, self.y, self.by_token = x, y, sp.csr_array(y.T)
        self.shape = (x.shape[0], y.shape[0])

    def pairs(self, features: NDArray, *, same: bool = False) -> Any:
        """(len(features), d_b) CSR of the values of all pairs that fire together, for ascending features of a.

        With `same`, A and B are one SAE and each feature is left out of its own row.
        """
        raise NotImplementedError

    def take(self, ids: NDArray) -> NDArray:
        return self.pairs(ids).toarray()

    def best(
        self,
        *,
        top_k: int = 10,
        block_size: int = 1024,
        workers: int | None = None,
        on_progress: Progress | None = None,
        same: bool = False,
    ) -> TopPairs:
        """The best pairs with their counts; options as in `correlate_sparse`."""
        check_sizes(0, 0, top_k, block_size)
        fires_x, fires_y = self.x.astype(bool), self.y.astype(bool)
        with threads(workers) as pool:
            parts = blocks(self.x, self.by_token, block_size)
            block_of = lambda features: SparseBlock(features, self.pairs(features, same=same))  # noqa: E731
            ab, ba = both_ways(self.shape, top_k, parts, block_of, pool, on_progress)
            joint_ab = joint_counts(fires_x, fires_y, ab[0], pool)
            joint_ba = joint_counts(fires_y, fires_x, ba[0], pool)
        n_x, n_y = (np.diff(side.indptr).astype(np.int64) for side in (self.x, self.y))
        return TopPairs(*ab, *ba, joint_ab, joint_ba, n_x, n_y, self.x.shape[1])
