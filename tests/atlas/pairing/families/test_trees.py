"""Claims about families of co-occurrence: planted trees come back, and a naive dense implementation agrees."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing.families.trees import Families, co_occurrences, feature_families, held_together
from atlas.pairing.measures.coactivation import firing


def groups(rng: np.random.Generator, n_tokens: int, d: int, density: float) -> np.ndarray:
    """Features of which many fire on parts of the tokens of another, some on few tokens, one never, one always."""
    fires = rng.random((n_tokens, d)) < density * rng.random(d) ** 2
    for feature in range(1, d):
        if rng.random() < 0.6:
            of = fires[:, rng.integers(feature)]
            fires[:, feature] = of & (rng.random(n_tokens) < rng.choice([0.3, 0.6, 1.0])) | (
                fires[:, feature] & (rng.random(n_tokens) < 0.1)
            )
    if d > 4:
        fires[:, d - 1], fires[:, d - 2] = False, True
    return fires * rng.exponential(size=fires.shape)


samples = st.builds(
    lambda seed, n, d, density: groups(np.random.default_rng(seed), n, d, density),
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(1, 40),
    st.sampled_from([0.1, 0.5, 0.9]),
)


def naive(x: np.ndarray, threshold: float, repeats: int, max_density: float) -> list[tuple]:
    """(members, parents, weights, round) of the families, by dense counts, Kruskal and sets, as the paper tells it."""
    fires = x > 0
    n = fires.sum(axis=0)
    both = fires.T.astype(int) @ fires.astype(int)
    left = {i for i in range(x.shape[1]) if 0 < n[i] < max_density * len(x)}
    found: dict[int, tuple] = {}
    for number in range(1, repeats + 2):
        links = [(-both[i, j] / (min(n[i], n[j]) + 1), i, j) for i in left for j in left if i < j]
        below: dict[int, dict[int, float]] = {i: {} for i in left}
        component = {i: i for i in left}
        for minus_c, i, j in sorted(link for link in links if -link[0] >= threshold):
            if component[i] != component[j]:
                old, new = component[i], component[j]
                component = {k: new if c == old else c for k, c in component.items()}
                up, down = (i, j) if n[i] >= n[j] else (j, i)
                below[up][down] = -minus_c
        heads: set[int] = set()

        def explore(nodes: set[int], below=below, heads=heads) -> None:
            for root in nodes - {child for i in nodes for child in below[i]}:
                if len(below[root]) > 2:
                    heads.add(root)
                    explore(reach(root, below) - {root})

        explore(set(left))
        found |= dict.fromkeys(heads, (below, number))
        left -= heads
    families = []
    for head, (below, number) in found.items():
        members = reach(head, below)
        parents = {child: i for i in members for child in below[i]}
        weights = {child: c for i in members for child, c in below[i].items()}
        if len(members) > 4:
            families.append((head, members, parents, weights, number))
    return families


def reach(root: int, below: dict[int, dict[int, float]]) -> set[int]:
    """A feature and all below it."""
    return {root}.union(*(reach(child, below) for child in below[root]))


def as_trees(found: Families) -> list[tuple]:
    """The rows as (head, members, parents, weights, round)."""
    trees = []
    for number in range(1, len(found.round) + 1):
        rows = np.flatnonzero(found.family == number)
        feature, parent = found.feature[rows].tolist(), found.parent[rows].tolist()
        weights = dict(zip(feature[1:], found.weight[rows][1:].tolist(), strict=True))
        assert (parent[0], found.depth[rows][0], np.isnan(found.weight[rows][0])) == (-1, 0, True)
        assert len(set(feature)) == len(feature)
        depth = dict(zip(feature, found.depth[rows].tolist(), strict=True))
        assert all(depth[c] == depth[p] + 1 for c, p in zip(feature[1:], parent[1:], strict=True))
        trees.append(
            (
                feature[0],
                set(feature),
                dict(zip(feature[1:], parent[1:], strict=True)),
                weights,
                found.round[number - 1],
            )
        )
    return trees


@settings(max_examples=200, deadline=None)
@given(
    x=samples,
    threshold=st.sampled_from([0.1, 0.3]),
    repeats=st.integers(0, 3),
    max_density=st.sampled_from([0.2, 0.5, 2.0]),
    block_size=st.integers(1, 40),
)
def test_families_are_those_of_a_naive_dense_search_less_duplicates(x, threshold, repeats, max_density, block_size):
    found = feature_families(
        sp.csr_array(x), threshold=threshold, repeats=repeats, max_density=max_density, block_size=block_size
    )
    kept, all_of_them = as_trees(found), naive(x, threshold, repeats, max_density)
    by_head = {family[0]: family for family in all_of_them}
    for head, members, parents, weights, number in kept:
        assert by_head[head][1:3] == (members, parents)
        assert weights == pytest.approx(by_head[head][3])
        assert number == by_head[head][4]
    sizes = [len(family[1]) for family in kept]
    assert sizes == sorted(sizes, reverse=True)

    def alike(one: tuple, other: tuple) -> bool:
        p, q = one[1] - {one[0]}, other[1] - {other[0]}
        return len(p & q) / len(p | q) > 0.6

    missing = [by_head[head] for head in by_head.keys() - {family[0] for family in kept}]
    assert not any(alike(p, q) for p in kept for q in kept if p is not q)
    assert all(any(alike(p, q) and len(q[1]) >= len(p[1]) for q in all_of_them if q is not p) for p in missing)


@settings(max_examples=100, deadline=None)
@given(x=samples, threshold=st.sampled_from([0.05, 0.1, 0.5]), block_size=st.integers(1, 40))
def test_links_are_the_pairs_that_reach_the_threshold_strongest_first(x, threshold, block_size):
    fires = x > 0
    n, both = fires.sum(axis=0), fires.T.astype(int) @ fires.astype(int)
    c = both / (np.minimum(n[:, None], n) + 1)
    expected = sorted(
        (-c[i, j], i, j) for i, j in zip(*np.triu_indices(len(n), 1), strict=True) if c[i, j] >= threshold
    )
    links = co_occurrences(firing(sp.csr_array(x), "x"), threshold, block_size=block_size)
    assert list(zip((-links.c).tolist(), links.x.tolist(), links.y.tolist(), strict=True)) == expected


@settings(max_examples=100, deadline=None)
@given(x=samples.filter(lambda x: (x > 0).any(axis=0).sum() >= 3), seed=st.integers(0, 2**32 - 1))
def test_quality_is_the_mean_with_the_head_and_the_mean_over_pairs_below_it(x, seed):
    alive = np.random.default_rng(seed).permutation(np.flatnonzero((x > 0).any(axis=0)))
    head, others = int(alive[0]), alive[1:]
    fires = (x > 0).astype(int)
    n, both = fires.sum(axis=0), fires.T @ fires
    share = both / (np.minimum(n[:, None], n) + 1)
    among = share[np.ix_(others, others)][np.triu_indices(len(others), 1)]
    assert held_together(firing(sp.csr_array(x), "x"), head, others) == pytest.approx(
        (share[head, others].mean(), among.mean())
    )


def planted_trees() -> tuple[np.ndarray, dict[int, int]]:
    """Activations of two trees, of 1 + 4 + 16 and of 1 + 5 features, and some loners; and the parent of each."""
    x = np.zeros((6000, 40))
    parent: dict[int, int] = {}
    x[:1000, 0] = 1.0
    for child in range(1, 5):
        x[(child - 1) * 250 : child * 250 - 10, child] = 1.0
        parent[child] = 0
        for k in range(4):
            start = (child - 1) * 250 + 60 * k
            x[start : start + 59, 5 + 4 * (child - 1) + k] = 1.0
            parent[5 + 4 * (child - 1) + k] = child
    x[2000:2600, 21] = 1.0
    for k in range(5):
        x[2000 + 120 * k : 2100 + 120 * k, 22 + k] = 1.0
        parent[22 + k] = 21
    for k in range(27, 40):
        x[3000 + 50 * k : 3040 + 50 * k, k] = 1.0
    return x[:, np.random.default_rng(0).permutation(40)], parent


def test_planted_trees_are_found_and_nothing_else():
    x, parent = planted_trees()
    place = {int(old): new for new, old in enumerate(np.random.default_rng(0).permutation(40))}
    found = feature_families(sp.csr_array(x), repeats=0)
    trees = {head: (members, parents) for head, members, parents, _, _ in as_trees(found)}
    below = {i: {c for c, p in parent.items() if p == i} for i in (0, 21, 1, 2, 3, 4)}
    everything = {child for children in (below[i] for i in range(5)) for child in children}
    assert trees[place[0]] == ({place[i] for i in everything | {0}}, {place[c]: place[parent[c]] for c in everything})
    assert trees[place[21]] == ({place[i] for i in below[21] | {21}}, {place[c]: place[21] for c in below[21]})
    assert set(trees) == {place[i] for i in (0, 1, 2, 3, 4, 21)}
    assert len(found.round) == len(trees)
    by_head = dict(zip((tree[0] for tree in as_trees(found)), found.quality, strict=True))
    assert by_head[place[21]] == np.inf
    assert 5 < by_head[place[0]] < 20


def test_heads_of_a_round_are_left_out_of_the_next():
    x, _ = planted_trees()
    found = feature_families(sp.csr_array(x), repeats=3)
    heads = found.feature[found.parent < 0]
    assert len(set(heads.tolist())) == len(heads)
    assert found.n_features == 40
    with_all = x.copy()
    with_all[:, :3] += 1.0
    assert feature_families(sp.csr_array(with_all), max_density=0.9).n_features == 37


def test_silent_activations_have_no_families():
    for x in (np.zeros((5, 4)), np.zeros((0, 3)), np.zeros((4, 0))):
        found = feature_families(sp.csr_array(x))
        assert (len(found.family), len(found.round), found.n_features, found.n_links) == (0, 0, 0, 0)
        assert len(found.quality) == 0


@pytest.mark.parametrize(
    "options", [{"threshold": 0.0}, {"threshold": 1.1}, {"repeats": -1}, {"max_density": 0.0}, {"block_size": 0}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="threshold must be"):
        feature_families(sp.csr_array(np.eye(3)), **options)


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
def test_activations_that_are_negative_or_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match=r"finite|must be >= 0"):
        feature_families(sp.csr_array(np.array([[bad, 1.0]])))
