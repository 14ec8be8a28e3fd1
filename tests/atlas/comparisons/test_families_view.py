"""Families: what mutual matches connect over several SAEs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from atlas.db import Atlas, open_atlas

Edge = tuple[int, int, int, int]
"""Two SAEs, and a feature of each."""


def add_saes(atlas: Atlas, n: int) -> None:
    """SAEs 3 to n, of five features each, on the corpus of the tiny atlas."""
    for table, key in (("sae", "sae_id"), ("scan", "sae_id")):
        columns = [row[0] for row in atlas.rows(f"describe {table}")]
        names = {"sae_id": "{i}", "scan_id": "{i}", "name": "'s{i}'", "alias": "'Z{i}'", "sha256": "'x{i}'"}
        for i in range(3, n + 1):
            values = ", ".join(names.get(column, column).format(i=i) for column in columns)
            atlas.rows(f"insert into {table} select {values} from {table} where {key} = 1")
    for i in range(3, n + 1):
        atlas.rows(f"insert into feature_stat select * replace ({i} as scan_id) from feature_stat where scan_id = 1")


def set_mutual(atlas: Atlas, edges: list[Edge], compared: set[tuple[int, int]]) -> None:
    """Replace all comparisons: these pairs of SAEs, and these mutual matches of value 0.5."""
    atlas.rows("delete from pair")
    base = atlas.rows("select * from pairing where pairing_id = 1")
    atlas.rows("delete from pairing")
    for number, (a, b) in enumerate(sorted(compared), start=1):
        row = dict(zip(base.columns, base.rows[0], strict=True)) | {"pairing_id": number, "sae_a": a, "sae_b": b}
        atlas.insert("pairing", {name: [value] for name, value in row.items()})
        here = [edge for edge in edges if edge[:2] == (a, b)]
        if here:
            ones = [1] * len(here)
            atlas.insert(
                "pair",
                {
                    "pairing_id": [number] * len(here),
                    "feature_a": [edge[2] for edge in here],
                    "feature_b": [edge[3] for edge in here],
                    "value": [0.5] * len(here),
                    "rank_ab": ones,
                    "rank_ba": ones,
                    "n_a": ones,
                    "n_b": ones,
                    "n_ab": ones,
                },
            )


@st.composite
def matchings(draw: st.DrawFn) -> tuple[list[Edge], set[tuple[int, int]]]:
    """Random one-to-one matches between some of the pairs of five SAEs."""
    every = [(a, b) for a in range(1, 6) for b in range(a + 1, 6)]
    compared = draw(st.sets(st.sampled_from(every), min_size=1))
    edges: list[Edge] = []
    for a, b in sorted(compared):
        partners = draw(st.permutations(range(5)))
        chosen = draw(st.sets(st.integers(0, 4)))
        edges += [(a, b, feature, partners[feature]) for feature in sorted(chosen)]
    return edges, compared


@settings(max_examples=15, deadline=None)
@given(drawn=matchings())
def test_families_are_the_connected_components(five_atlas: Atlas, drawn):
    edges, compared = drawn
    set_mutual(five_atlas, edges, compared)
    nodes = [(a, f) for a, _, f, _ in edges], [(b, g) for _, b, _, g in edges]
    place = {node: i for i, node in enumerate(sorted({*nodes[0], *nodes[1]}))}
    graph = sp.coo_array(
        (np.ones(len(edges)), ([place[n] for n in nodes[0]], [place[n] for n in nodes[1]])),
        shape=(len(place), len(place)),
    )
    _, label = connected_components(graph, directed=False)
    expected: dict[int, set] = {}
    for node, i in place.items():
        expected.setdefault(int(label[i]), set()).add(node)
    found: dict[int, set] = {}
    facts = {}
    rows = five_atlas.rows(
        "select family, s.sae_id, feature, n_members, n_saes, n_matches, n_compared, consistent, closed from families "
        "join sae s on s.name = families.sae"
    )
    for family, sae, feature, *rest in rows:
        found.setdefault(family, set()).add((sae, feature))
        facts[family] = rest
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected.values()))
    for family, members in found.items():
        n_members, n_saes, n_matches, n_compared, consistent, closed = facts[family]
        inside = [e for e in edges if (e[0], e[2]) in members]
        pairs = sum((a, b) in compared for a, _ in members for b, _ in members)
        assert (n_members, n_saes) == (len(members), len({sae for sae, _ in members}))
        assert (n_matches, n_compared) == (len(inside), pairs)
        assert (consistent, closed) == (n_members == n_saes, len(inside) == pairs)
    counted = five_atlas.rows(
        "select s.sae_id, c.feature, c.n_compared, c.n_counterparts from counterparts() c join sae s on s.name = c.sae"
    )
    for sae, feature, n_compared, n_counterparts in counted:
        assert n_compared == sum(sae in pair for pair in compared)
        assert n_counterparts == sum((sae, feature) in ((a, f), (b, g)) for a, b, f, g in edges)


@pytest.fixture(scope="module")
def five_atlas(tiny_master: Path, tmp_path_factory: pytest.TempPathFactory):
    """The tiny atlas with five SAEs, open for writing."""
    path = tmp_path_factory.mktemp("five") / "five.duckdb"
    path.write_bytes(tiny_master.read_bytes())
    with open_atlas(path, write=True) as atlas:
        add_saes(atlas, 5)
        yield atlas


def test_a_cycle_that_comes_back_elsewhere_is_not_consistent(five_atlas: Atlas):
    round_trip = [(1, 2, 0, 0), (2, 3, 0, 0), (1, 3, 1, 0)]
    set_mutual(five_atlas, round_trip, {(1, 2), (2, 3), (1, 3)})
    assert five_atlas.rows("select distinct n_members, n_saes, consistent, closed from families").rows == [
        (4, 3, False, False)
    ]
    set_mutual(five_atlas, [(1, 2, 0, 0), (2, 3, 0, 0), (1, 3, 0, 0)], {(1, 2), (2, 3), (1, 3)})
    assert five_atlas.rows("select distinct n_members, n_saes, consistent, closed from families").rows == [
        (3, 3, True, True)
    ]


def test_an_sae_on_two_corpora_is_one_sae(five_atlas: Atlas):
    set_mutual(five_atlas, [(1, 2, 0, 0), (2, 3, 0, 1)], {(1, 2), (2, 3)})
    five_atlas.rows("update scan set sae_id = 1 where scan_id = 3")
    five_atlas.rows("update pairing set sae_a = 2, sae_b = 1 where pairing_id = 2")
    five_atlas.rows("insert into corpus select * replace (9 as corpus_id, 'other' as name, 'y' as sha256) from corpus")
    five_atlas.rows("update scan set corpus_id = 9 where scan_id = 3")
    five_atlas.rows("update pairing set corpus_b = 9 where pairing_id = 2")
    found = five_atlas.rows("select distinct n_members, n_saes, consistent from families").rows
    five_atlas.rows("update scan set sae_id = 3, corpus_id = 1 where scan_id = 3")
    five_atlas.rows("delete from corpus where corpus_id = 9")
    assert found == [(3, 2, False)]


def test_the_surest_families_come_first(five_atlas: Atlas):
    set_mutual(
        five_atlas,
        [(1, 2, 0, 0), (1, 2, 1, 1), (1, 3, 2, 2), (2, 3, 3, 2), (1, 3, 3, 4), (2, 3, 1, 3)],
        {(1, 2), (1, 3), (2, 3)},
    )
    five_atlas.rows("update pair set value = 0.9 where pairing_id = 1 and feature_a = 1")
    facts = five_atlas.rows(
        "select distinct family, n_saes, consistent, least_value from families order by family"
    ).rows
    assert [row[1:] for row in facts] == sorted(
        (row[1:] for row in facts), key=lambda row: (-row[0], not row[1], -row[2])
    )
    assert len(facts) >= 3


def test_a_least_value_cuts_families(five_atlas: Atlas):
    set_mutual(five_atlas, [(1, 2, 0, 0), (2, 3, 0, 0)], {(1, 2), (2, 3)})
    five_atlas.rows("update pair set value = 0.9 where pairing_id = 1")
    members = "select s.sae_id from families_over(min_value := 0.6) f join sae s on s.name = f.sae order by all"
    assert five_atlas.rows(members).rows == [(1,), (2,)]


def test_counterparts_of_a_least_value_are_counted_with_their_mean(five_atlas: Atlas):
    compared = {(1, 2), (1, 3), (1, 4)}
    set_mutual(five_atlas, [(1, 2, 0, 3), (1, 3, 0, 1), (1, 4, 0, 2), (1, 4, 1, 0)], compared)
    five_atlas.rows("update pair set value = 0.25 * pairing_id where feature_a = 0")  # 0.25, 0.5 and 0.75
    of_one = "where c.sae = (select name from sae where sae_id = 1) and c.feature < 3 order by c.feature"
    columns = "c.feature, c.n_compared, c.n_counterparts, c.mean_value"
    assert five_atlas.rows(f"select {columns} from counterparts() c {of_one}").rows == [
        (0, 3, 3, 0.5),
        (1, 3, 1, 0.5),
        (2, 3, 0, None),
    ]
    assert five_atlas.rows(f"select {columns} from counterparts(min_value := 0.5) c {of_one}").rows == [
        (0, 3, 2, 0.625),
        (1, 3, 1, 0.5),
        (2, 3, 0, None),
    ]
    asked_from_b = "select feature, mean_value from counterparts() c join sae s on s.name = c.sae where s.sae_id = 2"
    assert five_atlas.rows(f"{asked_from_b} and n_counterparts > 0").rows == [(3, 0.25)]


def test_the_least_value_of_a_family_is_its_weakest_match(five_atlas: Atlas):
    set_mutual(five_atlas, [(1, 2, 0, 0), (2, 3, 0, 0), (1, 3, 1, 1)], {(1, 2), (2, 3), (1, 3)})
    five_atlas.rows("update pair set value = case when feature_a = 1 then 0.9 else 0.25 * pairing_id end")
    weakest = five_atlas.rows("select min(value) from pair where feature_a = 0").rows[0][0]
    assert five_atlas.rows("select distinct n_members, least_value from families order by all").rows == [
        (2, 0.9),
        (3, weakest),
    ]
    assert five_atlas.rows("select distinct least_value from families_over(min_value := 0.8)").rows == [(0.9,)]
