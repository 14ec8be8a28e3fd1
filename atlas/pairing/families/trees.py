"""Families of features of one SAE that fire together: trees from a dense feature down to its sparser companions.

O'Neill et al. 2024 (arXiv 2408.00657), section 5, in the order of the authors' code. Two features co-occur by
C = n_ab / (min(n_a, n_b) + 1): about the share of the tokens of the sparser feature on which the denser one fires too.
Features are linked where C reaches the threshold. The maximum spanning tree of the links is directed from denser to
sparser features. A family is a root with more than two children and all that is below it; then each of its children
with more than two children heads one too, and so on downwards. The search is repeated without the heads found so far.
Families of more than three features below the head are kept, except those that share them with a larger one (Jaccard
above 0.6).

Departures: the code divides by n + 1 of the feature that comes later in its list; here it is always the sparser one.
The code exponentiates the co-occurrence, which does not change the tree, so this is left out. Ties are broken: of equal
links those of lower ids come first, of equally dense features the lower id is above, of equally large duplicates the
first found stays, where the code drops both. Features are not selected by the scores of explanations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree

from atlas.pairing.measures.coactivation import firing
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.products import blocks, product, threads

MIN_CHILDREN = 3
"""Minimum number of children of the head of a family."""

MIN_BELOW = 4
"""Minimum number of features below the head of a family."""

MAX_OVERLAP = 0.6
"""Jaccard similarity of the features below the heads above which the smaller of two families is a duplicate."""

_Children = dict[int, list[tuple[int, float]]]
"""The features right below a feature, lower ids first, each with its co-occurrence."""


@dataclass(frozen=True, slots=True, eq=False)
class Families:
    """Trees of features, largest first, and how strongly the members of each co-occur.

    The first five have one row a member: the head of a family first, then by depth, parent and id.
    """

    family: NDArray[np.int32]
    """(n_rows,) number of the family, from 1, ascending."""
    feature: NDArray[np.int32]
    """(n_rows,) the member; a feature may be in several families."""
    parent: NDArray[np.int32]
    """(n_rows,) the feature above it; -1 for the head."""
    depth: NDArray[np.int16]
    """(n_rows,) steps from the head."""
    weight: NDArray[np.float64]
    """(n_rows,) co-occurrence with the parent, at least the threshold and below 1; NaN for the head."""
    round: NDArray[np.int16]
    """(n_families,) round of the search that found each family, from 1."""
    mean_with_head: NDArray[np.float64]
    """(n_families,) mean co-occurrence of the head with each feature below it, in [0, 1)."""
    mean_below: NDArray[np.float64]
    """(n_families,) mean co-occurrence over all pairs of features below the head, in [0, 1)."""
    n_features: int
    """Features that were searched: those that fire and are not too dense."""
    n_links: int
    """Pairs of them that co-occur by the threshold or more."""

    @property
    def quality(self) -> NDArray[np.float64]:
        """(n_families,) `mean_with_head` over `mean_below`: above 1 the members share the head more than each other."""
        apart = np.full(len(self.mean_below), np.inf)
        return np.divide(self.mean_with_head, self.mean_below, out=apart, where=self.mean_below > 0)


@dataclass(frozen=True, slots=True)
class _Tree:
    """One family; the head is the first member."""

    round: int
    members: list[int]
    parents: list[int]
    depths: list[int]
    weights: list[float]


def feature_families(
    activations: Any,
    *,
    threshold: float = 0.1,
    repeats: int = 3,
    max_density: float = 0.2,
    block_size: int = 1024,
    workers: int | None = None,
    on_progress: Progress | None = None,
) -> Families:
    """Find the families of features that fire together.

    Memory: two copies of the activations, and several times that of the links in `co_occurrences`.

    Args:
        activations: (n_tokens, d_sae) activations >= 0, any SciPy sparse array; stored zeros count as silent.
        threshold: Minimum co-occurrence of a link, in (0, 1].
        repeats: Rounds after the first, each without the heads of those before.
        max_density: Features that fire on this share of the tokens or more are left out, and those that never fire.
        block_size: Maximum number of features in one product; changes memory and time only.
        workers: Threads; None is one per core, 8 at most; changes time only.
        on_progress: Called as `on_progress(done, total)`, counted in features.

    Raises:
        ValueError: An option out of its range, or activations that are negative or not finite.
    """
    if not 0 < threshold <= 1 or repeats < 0 or not max_density > 0 or block_size < 1:
        raise ValueError("threshold must be in (0, 1], max_density above 0, repeats at least 0, block_size at least 1")
    fires = firing(activations, "activations")
    n_fired = np.diff(fires.indptr).astype(np.int64)
    chosen = np.flatnonzero((n_fired > 0) & (n_fired < max_density * max(fires.shape[1], 1)))
    fires, n_fired = fires[chosen], n_fired[chosen]
    links = co_occurrences(fires, threshold, block_size=block_size, workers=workers, on_progress=on_progress)
    found: list[_Tree] = []
    left = np.ones(len(chosen), dtype=bool)
    for number in range(1, repeats + 2):
        trees = _trees(_forest(links, n_fired, left), number)
        found += trees
        left[[tree.members[0] for tree in trees]] = False
        if not trees:
            break
    return _result(_kept(found, len(chosen)), chosen, fires, len(links.c))


def _forest(links: Links, n_fired: NDArray, left: NDArray[np.bool_]) -> _Children:
    """The maximum spanning forest of the features that are left, directed from denser to sparser."""
    at = np.flatnonzero(left[links.x] & left[links.y])
    # Ranks instead of values: no two are equal, so the forest is unique.
    rank = np.arange(1, len(at) + 1, dtype=np.float64)
    tree = minimum_spanning_tree(sp.csr_array((rank, (links.x[at], links.y[at])), shape=(len(left), len(left))))
    at = at[tree.data.astype(np.int64) - 1]
    x, y = links.x[at], links.y[at]
    downwards = n_fired[x] >= n_fired[y]
    above, below = np.where(downwards, x, y), np.where(downwards, y, x)
    order = np.lexsort((below, above))
    children: _Children = {}
    for parent, child, c in zip(above[order].tolist(), below[order].tolist(), links.c[at][order].tolist(), strict=True):
        children.setdefault(parent, []).append((child, c))
    return children


def _trees(children: _Children, number: int) -> list[_Tree]:
    """The families of a forest: from its roots down, as long as the children of a head are heads too."""
    not_roots = {child for below in children.values() for child, _ in below}
    open_heads, heads = sorted(set(children) - not_roots, reverse=True), dict[int, None]()
    while open_heads:
        head = open_heads.pop()
        if head not in heads and len(children.get(head, ())) >= MIN_CHILDREN:
            heads[head] = None
            open_heads += [child for child, _ in reversed(children[head])]
    return [_tree(head, children, number) for head in heads]


def _tree(head: int, children: _Children, number: int) -> _Tree:
    tree = _Tree(number, [head], [-1], [0], [np.nan])
    for place, parent in enumerate(tree.members):
        for child, c in children.get(parent, ()):
            tree.members.append(child)
            tree.parents.append(parent)
            tree.depths.append(tree.depths[place] + 1)
            tree.weights.append(c)
    return tree


def _kept(trees: list[_Tree], n_features: int) -> list[_Tree]:
    """Families that are large enough and no duplicates, largest first."""
    trees = sorted((tree for tree in trees if len(tree.members) > MIN_BELOW), key=lambda tree: -len(tree.members))
    size = np.array([len(tree.members) - 1 for tree in trees])
    below = [np.array(tree.members[1:]) for tree in trees]
    indptr = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    columns = np.concatenate([np.zeros(0, np.int64), *below])
    has = sp.csr_array((np.ones(len(columns)), columns, indptr), shape=(len(trees), n_features))
    shared = sp.coo_array(has @ has.T)
    first, second = shared.coords
    overlap = shared.data / (size[first] + size[second] - shared.data) if len(trees) else shared.data
    duplicates = set(second[(first < second) & (overlap > MAX_OVERLAP)].tolist())
    return [tree for place, tree in enumerate(trees) if place not in duplicates]


def _result(trees: list[_Tree], chosen: NDArray, fires: Any, n_links: int) -> Families:
    """The trees as columns, by the ids of the SAE."""
    sizes = [len(tree.members) for tree in trees]
    held = [held_together(fires, tree.members[0], np.array(tree.members[1:])) for tree in trees]

    def column(name: str, dtype: Any) -> NDArray:
        return np.array([value for tree in trees for value in getattr(tree, name)], dtype=dtype)

    parents = column("parents", np.int64)
    return Families(
        family=np.repeat(np.arange(1, len(trees) + 1, dtype=np.int32), sizes),
        feature=chosen[column("members", np.int64)].astype(np.int32),
        parent=np.where(parents < 0, -1, chosen[parents] if len(chosen) else -1).astype(np.int32),
        depth=column("depths", np.int16),
        weight=column("weights", np.float64),
        round=np.array([tree.round for tree in trees], dtype=np.int16),
        mean_with_head=np.array([pair[0] for pair in held], dtype=np.float64),
        mean_below=np.array([pair[1] for pair in held], dtype=np.float64),
        n_features=len(chosen),
        n_links=n_links,
    )


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
