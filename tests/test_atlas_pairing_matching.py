"""Claims about stored matchings: SciPy's total on the dense matrix of each measure, and what is kept beside the pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from atlas import open_atlas
from atlas.activations import read_scan
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.pairing import MEASURES, correlate_sparse
from atlas.pairing.assign import assign
from atlas.pairing.assign_measures import source_of_measure, unrelated
from atlas.pairing.assign_sources import InnerSource
from atlas.pairing.job import pair_saes
from atlas.pairing.matching import match_saes
from tests.pairing_laws import pearson, scans, signed
from tests.planted import D_SAE, plant

OVER_TOKENS = ["activation", "phi", "jaccard", "lift", "masked_cosine", "attribution"]


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, dict[int, int]]:
    path = tmp_path / "planted.duckdb"
    return path, plant(path)


def dense(measure: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """All values of a measure over tokens from its definition; 0 where it is undefined."""
    x, y = (a > 0).astype(float), (b > 0).astype(float)
    n_a, n_b, both = x.sum(axis=0)[:, None], y.sum(axis=0), x.T @ y
    with np.errstate(all="ignore"):
        if measure == "jaccard":
            values = both / (n_a + n_b - both)
        elif measure == "lift":
            values = len(a) * both / (n_a * n_b)
        elif measure == "conditional":
            values = both / n_a
        elif measure == "masked_cosine":
            one = a.T @ b / np.sqrt((a**2).sum(axis=0)[:, None] * (x.T @ b**2))
            other = a.T @ b / np.sqrt((b**2).sum(axis=0) * ((a**2).T @ y))
            values = np.fmax(one, other)
        else:
            values = pearson(x, y) if measure == "phi" else pearson(a, b)
    return np.nan_to_num(values)


def best_total(values: np.ndarray) -> float:
    """SciPy's total, with features free to stay alone."""
    above = np.maximum(values, 0)
    return float(above[linear_sum_assignment(above, maximize=True)].sum())


def cosines(path: Path, column: str) -> np.ndarray:
    """Cosines of the stored rows of A and B."""
    with open_atlas(path) as atlas:
        query = f"select v.{column} from feature_vector v where v.sae_id = $id order by v.feature_id"
        rows = [np.array([row[0] for row in atlas.rows(query, id=i)], dtype=float) for i in (1, 2)]
    unit = [w / np.linalg.norm(w, axis=1, keepdims=True) for w in rows]
    return unit[0] @ unit[1].T


@settings(max_examples=30, deadline=None)
@given(sides=scans, seed=st.integers(0, 2**32 - 1), measure=st.sampled_from([*OVER_TOKENS, "conditional"]))
def test_the_rows_of_every_measure_over_tokens_are_those_of_its_definition_and_so_is_the_total(sides, seed, measure):
    a, b = sides
    if measure == "attribution":
        rng = np.random.default_rng(seed)
        a, b = signed(a, rng), signed(b, rng)
    values = dense(measure, a, b)
    source = source_of_measure(MEASURES[measure], (sp.csr_array(a), sp.csr_array(b)))
    np.testing.assert_allclose(source.rows(0, a.shape[1]), values, atol=1e-6)
    ids = np.arange(0, a.shape[1], 2)
    np.testing.assert_allclose(source.take(ids), values[ids], atol=1e-6)
    got = assign(source, alone=True, top=3, block_size=4)
    assert got.certified
    assert got.total == pytest.approx(best_total(values), abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 25),
    m=st.integers(1, 25),
    measure=st.sampled_from(["preactivation", "logit", "logit of two models"]),
    spread=st.sampled_from([1.0, 1e3]),
)
def test_measures_of_weights_are_pearson_over_tokens_or_the_vocabulary(seed, n, m, measure, spread):
    rng = np.random.default_rng(seed)
    x, y = (rng.normal(size=(50, d)) * np.append(spread, np.ones(d - 1)) + rng.normal(size=d) for d in (6, 8))
    y = y if measure == "logit of two models" else x
    p, q = rng.normal(size=(n, x.shape[1])), rng.normal(size=(m, y.shape[1]))
    p[rng.random(n) < 0.2] = 0.0
    covariance = np.cov(np.hstack([x, y]), rowvar=False, bias=True)
    s_a, s_b, s_ab = covariance[:6, :6], covariance[6:, 6:], covariance[:6, 6:]
    arguments = (p, q, s_a) if y is x else (p, q, s_a, s_b, s_ab)
    values = np.nan_to_num(pearson(x @ p.T, y @ q.T))
    values[~p.any(axis=1)] = 0.0
    source = source_of_measure(MEASURES[measure.split()[0]], arguments)
    np.testing.assert_allclose(source.rows(0, n), values, atol=1e-6)
    everywhere = np.divmod(np.arange(n * m), m)
    np.testing.assert_allclose(source.at(*everywhere).reshape(n, m), values, atol=1e-6)
    assert np.abs(source.screen(np.arange(n)) - source.rows(0, n)).max() <= source.error
    got = assign(source, top=3)
    assert got.certified
    assert len(got.rows) == min(n, m)
    assert got.total == pytest.approx(values[linear_sum_assignment(values, maximize=True)].sum(), abs=1e-6)


def test_vectors_whose_products_round_coarsely_are_searched_in_double_precision():
    rng = np.random.default_rng(0)
    left, right = 1e4 * rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    assert InnerSource(left, right).error < 1e-8
    assert 1e-8 < InnerSource(left / 1e4, right).error < 1e-4


@pytest.mark.parametrize("measure", ["activation", "phi", "jaccard", "lift", "masked_cosine"])
def test_an_assignment_over_tokens_is_that_of_the_dense_matrix_without_dead_features_and_values_below_zero(
    planted, measure
):
    path, twins = planted
    found = match_saes(path, "A", "B", measure=measure)
    a, b = (read_scan(path, name).toarray().astype(np.float64) for name in "AB")
    values = dense(measure, a, b)
    with open_atlas(path) as atlas:
        rows = atlas.rows("select feature_a, feature_b, value, n_a, n_b, n_ab from assignments").rows
        (facts,) = atlas.rows("select distinct total, gap, certified, chance, measure from assignments").rows
    assert found.total == facts[0] == pytest.approx(best_total(values), rel=1e-9)
    assert facts == (found.total, found.gap, True, found.chance, measure)
    assert (found.new, found.n_pairs, found.n_alive_a, found.n_alive_b) == (True, len(rows), D_SAE - 1, D_SAE - 1)
    assert len({row[0] for row in rows}) == len({row[1] for row in rows}) == len(rows)
    for i, j, value, n_a, n_b, n_ab in rows:
        assert value == pytest.approx(values[i, j], abs=1e-6)
        assert value > 0
        assert (n_a, n_b) == ((a[:, i] > 0).sum(), (b[:, j] > 0).sum())
        assert n_ab == ((a[:, i] > 0) & (b[:, j] > 0)).sum() > 0
    assert twins.items() <= {row[0]: row[1] for row in rows}.items()
    assert found.mean > (found.chance or np.inf) > 0


@pytest.mark.parametrize(("measure", "column"), [("decoder", "w_dec"), ("encoder", "w_enc")])
def test_an_assignment_of_weights_matches_the_whole_smaller_side_and_counts_no_joint_tokens(planted, measure, column):
    path, _ = planted
    with open_atlas(path, write=True) as atlas:
        atlas.rows("delete from feature_vector where sae_id = 2 and feature_id >= 50")
        atlas.rows("delete from feature_stat where scan_id = 2 and feature_id >= 50")
        atlas.rows("update sae set d_sae = 50, hook_name = 'h' where sae_id = 2")
    found = match_saes(path, "A", "B", measure=measure)
    values = cosines(path, column)
    assert (values.shape, found.n_pairs) == ((D_SAE, 50), 50)
    assert found.total == pytest.approx(values[linear_sum_assignment(values, maximize=True)].sum(), rel=1e-9)
    with open_atlas(path) as atlas:
        rows = atlas.rows("select feature_a, feature_b, value, n_ab from assignments").rows
    assert all(n_ab is None and value == pytest.approx(values[i, j], abs=1e-9) for i, j, value, n_ab in rows)


def test_chance_is_the_mean_of_the_assignment_of_rolled_tokens_or_of_random_vectors(planted):
    path, _ = planted
    a, b = (read_scan(path, name) for name in "AB")
    (same, rolled), shift = unrelated(MEASURES["activation"], (a, b), 7)
    assert shift is not None
    assert 1000 <= shift < 3000
    np.testing.assert_array_equal(rolled.toarray(), np.roll(b.toarray(), shift, axis=0))
    values = np.maximum(dense("activation", a.toarray().astype(float), rolled.toarray().astype(float)), 0)
    taken = values[linear_sum_assignment(values, maximize=True)]
    assert same is a
    assert match_saes(path, "A", "B", seed=7).chance == pytest.approx(taken[taken > 0].mean(), rel=1e-9)
    x = np.ones((D_SAE, 12), dtype=np.float32)
    (p, q), none = unrelated(MEASURES["decoder"], (x, x), 7)
    unit = [side.astype(float) / np.linalg.norm(side.astype(float), axis=1, keepdims=True) for side in (p, q)]
    r = unit[0] @ unit[1].T
    assert none is None
    assert match_saes(path, "A", "B", measure="decoder", seed=7).chance == pytest.approx(
        r[linear_sum_assignment(r, maximize=True)].mean(), rel=1e-9
    )


def test_an_equal_matching_is_not_computed_again_and_another_seed_or_order_replaces_it(planted):
    path, _ = planted
    first, second = match_saes(path, "A", "B"), match_saes(path, "left", "right")
    assert (first.new, second.new) == (True, False)
    assert [getattr(first, n) for n in first.__slots__ if n != "new"] == [
        getattr(second, n) for n in second.__slots__ if n != "new"
    ]
    match_saes(path, "A", "B", measure="phi")
    swapped = match_saes(path, "B", "A", seed=1)
    assert swapped.total == pytest.approx(first.total)
    with open_atlas(path) as atlas:
        assert sorted(atlas.rows("select distinct sae_a, measure from assignments").rows) == [
            ("left", "phi"),
            ("right", "activation"),
        ]
        assert len(atlas.rows("from runs")) == 3
        assert atlas.rows("select count(distinct matching_id) from matching_pair").rows == [(2,)]


def test_greedy_takes_the_largest_stored_value_first(planted):
    path, twins = planted
    pair_saes(path, "B", "A", top_k=4)
    found = match_saes(path, "A", "B", method="greedy")
    with open_atlas(path) as atlas:
        stored = atlas.rows("select feature_b, feature_a, value, n_ab from pairs where measure = 'activation'").rows
        rows = atlas.rows("select feature_a, feature_b, value, n_ab from greedy_matches").rows
    expected, used_a, used_b = [], set(), set()
    for i, j, value, n_ab in sorted(stored, key=lambda row: (-row[2], row[0], row[1])):
        if value > 0 and i not in used_a and j not in used_b:
            expected.append((i, j, value, n_ab))
            used_a.add(i)
            used_b.add(j)
    assert sorted(rows) == sorted(expected)
    assert (found.gap, found.certified, found.n_pairs) == (None, False, len(expected))
    assert found.total == pytest.approx(sum(row[2] for row in expected))
    assert twins.items() <= {row[0]: row[1] for row in rows}.items()
    assert found.total <= match_saes(path, "A", "B").total + 1e-9


def test_greedy_chance_is_the_same_among_the_best_partners_of_rolled_tokens(planted):
    path, _ = planted
    pair_saes(path, "A", "B", top_k=4)
    found = match_saes(path, "A", "B", method="greedy", seed=3)
    a, b = (read_scan(path, name) for name in "AB")
    (_, rolled), _ = unrelated(MEASURES["activation"], (a, b), 3)
    top = correlate_sparse(a, rolled, top_k=4)
    pairs = {(i, int(j)): v for i in range(D_SAE) for j, v in zip(top.index_ab[i], top.value_ab[i], strict=True)}
    pairs |= {(int(i), j): v for j in range(D_SAE) for i, v in zip(top.index_ba[j], top.value_ba[j], strict=True)}
    used_a, used_b, values = set(), set(), []
    for (i, j), value in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        if min(i, j) >= 0 and value > 0 and i not in used_a and j not in used_b:
            values.append(value)
            used_a.add(i)
            used_b.add(j)
    assert found.chance == pytest.approx(np.mean(values), rel=1e-9)


def test_a_greedy_matching_follows_its_pairs(planted):
    path, _ = planted
    pair_saes(path, "A", "B", top_k=3)
    assert match_saes(path, "A", "B", method="greedy").new
    assert not match_saes(path, "A", "B", method="greedy").new
    pair_saes(path, "A", "B", top_k=5)
    assert match_saes(path, "A", "B", method="greedy").new


def test_greedy_without_pairs_says_how_to_make_them(planted):
    with pytest.raises(AtlasError, match=r"featlas correlate left right --measure decoder"):
        match_saes(planted[0], "A", "B", method="greedy", measure="decoder")


def test_what_cannot_be_matched_is_refused(planted):
    path, _ = planted
    with pytest.raises(UsageError, match="one SAE"):
        match_saes(path, "A", "left")
    with pytest.raises(UnknownName, match="greedy"):
        match_saes(path, "A", "B", method="gredy")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError):
        match_saes(path, "A", "B", measure="conditional")


def test_progress_goes_over_both_passes_and_never_back(planted):
    seen = []
    match_saes(planted[0], "A", "B", on_progress=lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {2 * D_SAE}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert (D_SAE, 2 * D_SAE) in seen
    assert seen[-1] == (2 * D_SAE, 2 * D_SAE)
