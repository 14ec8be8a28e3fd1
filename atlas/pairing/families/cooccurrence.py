"""Which features of one SAE fire together, and how well a head feature holds a group of others together.

Two features co-occur by C = n_ab / (min(n_a, n_b) + 1), from O'Neill et al. 2024 (arXiv 2408.00657), section 5: about
the share of the tokens of the sparser feature on which the denser one fires too. The authors' code divides by n + 1 of
the feature that comes later in its list; here it is always the sparser one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.products import blocks, product, threads


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Pairs of features that co-occur, the strongest first; ties by the lower ids."""

    x: NDArray[np.int32]
    """(n_links,) the lower feature of each pair."""
    y: NDArray[np.int32]
    """(n_links,) the higher feature of each pair."""
    c: NDArray[np.float64]
    """(n_links,) co-occurrence C, in (0, 1), descending."""


def co_occurrences(
    fires: Any,
    threshold: float,
    *,
    block_size: int = 1024,
    workers: int | None = None,
    on_progress: Progress | None = None,
) -> Links:
    """All pairs with C of at least the threshold; `fires` is (d, n_tokens), from `firing`, options as in `trees`.

    A feature is the sparser one in at most (L0 - 1) / threshold pairs, if L0 features fire on its tokens: so there are
    10 million pairs at most for 32768 features, 32 on a token and 0.1, of 16 bytes each.
    """
    n_fired = np.diff(fires.indptr).astype(np.int64)
    by_token = sp.csr_array(fires.T)

    def linked(features: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        counts = product(fires, features, by_token)
        x, y = np.repeat(features, np.diff(counts.indptr)), counts.indices
        c = counts.data / (np.minimum(n_fired[x], n_fired[y]) + 1)
        keep = np.flatnonzero((x < y) & (c >= threshold))
        keep = keep[np.lexsort((y[keep], x[keep]))]
        return x[keep].astype(np.int32), y[keep].astype(np.int32), c[keep]

    parts, done = [(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))], 0
    with threads(workers) as pool:
        todo = blocks(fires, by_token, block_size)
        for features, part in zip(todo, pool.map(linked, todo), strict=True):
            parts.append(part)
            done += len(features)
            if on_progress:
                on_progress(done, len(n_fired))
    x, y, c = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(-c, kind="stable")
    return Links(x[order], y[order], c[order])


def held_together(fires: Any, head: int, others: NDArray) -> tuple[float, float]:
    """Mean co-occurrence C of a head with each of two or more others that fire, and over all pairs of these, in [0, 1).

    The quality of a family of arXiv 2408.00657 is the first over the second. Pairs that never fire together count as 0;
    a feature with itself does not count, where the authors' code takes it as 1. Time and memory depend on the
    activations of the group, not on the number of its pairs.
    """
    n_fired = np.diff(fires.indptr).astype(np.int64)
    others = others[np.argsort(-n_fired[others], kind="stable")]
    n = n_fired[np.append(head, others)]
    by_token: Any = sp.csr_array(fires[np.append(head, others)].T)
    by_token.sort_indices()
    column, start = by_token.indices, np.repeat(by_token.indptr[:-1], np.diff(by_token.indptr))
    with_head = column[start] == 0 if len(column) else np.zeros(0, dtype=bool)
    # On its token a feature meets the denser ones before it in the row, and is the sparser one of each such pair.
    denser = np.arange(len(column)) - start - with_head
    other = column > 0
    together = float(np.sum(denser[other] / (n[column[other]] + 1)))
    headed = column[other & with_head]
    pairs = len(others) * (len(others) - 1) / 2
    return float(np.sum(1.0 / (np.minimum(n[0], n[headed]) + 1))) / len(others), together / pairs
