"""Claims about stored matchings: SciPy's total on the dense matrix of each measure, and what is kept beside the pairs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from atlas import open_atlas
from atlas.activations import read_scan
from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.match import match_saes
from atlas.comparisons.summaries import MatchingSummary
from atlas.db import store_of
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.pairing import correlate_sparse
from atlas.pairing.search.chance import draw_shifts
from tests.support.dense_measures import best_total, operands_of, values_of
from tests.support.equipped import equip
from tests.support.planted import D_SAE, N_TOKENS, plant
from tests.support.retokenised import plant_two_cuts


@pytest.fixture(scope="module")
def planted_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, int]]:
    path = tmp_path_factory.mktemp("planted") / "planted.duckdb"
    return path, plant(path)


@pytest.fixture
def planted(planted_once: tuple[Path, dict[int, int]], tmp_path: Path) -> tuple[Path, dict[int, int]]:
    path, twins = planted_once
    shutil.copytree(store_of(path), store_of(tmp_path / path.name))
    return Path(shutil.copy(path, tmp_path)), twins


def cosines(path: Path, column: str) -> np.ndarray:
    """Cosines of the stored rows of A and B."""
    with open_atlas(path) as atlas:
        query = f"select v.{column} from feature_vector v where v.sae_id = $id order by v.feature_id"
        rows = [np.array([row[0] for row in atlas.rows(query, id=i)], dtype=float) for i in (1, 2)]
    unit = [w / np.linalg.norm(w, axis=1, keepdims=True) for w in rows]
    return unit[0] @ unit[1].T


@pytest.mark.parametrize("measure", ["activation", "phi", "jaccard", "lift", "masked_cosine"])
def test_an_assignment_over_tokens_is_that_of_the_dense_matrix_without_dead_features_and_values_below_zero(
    planted, measure
):
    path, twins = planted
    found = match_saes(path, "A", "B", measure=measure)
    a, b = (read_scan(path, name).toarray().astype(np.float64) for name in "AB")
    values = np.nan_to_num(values_of(measure, a, b))
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
    shift = int(draw_shifts(np.random.default_rng(np.random.PCG64(7)), a.shape[0])[0])
    same, rolled = (operands := operands_of("activation", a, b)).unrelated(7).arguments
    assert 1000 <= shift < 3000
    np.testing.assert_array_equal(rolled.toarray(), np.roll(b.toarray(), shift, axis=0))
    values = np.fmax(values_of("activation", a.toarray().astype(float), rolled.toarray().astype(float)), 0)
    taken = values[linear_sum_assignment(values, maximize=True)]
    assert same is operands.arguments[0]
    assert match_saes(path, "A", "B", seed=7).chance == pytest.approx(taken[taken > 0].mean(), rel=1e-9)
    x = np.ones((D_SAE, 12), dtype=np.float32)
    p, q = operands_of("decoder", x, x).unrelated(7).arguments
    unit = [side.astype(float) / np.linalg.norm(side.astype(float), axis=1, keepdims=True) for side in (p, q)]
    r = unit[0] @ unit[1].T
    assert match_saes(path, "A", "B", measure="decoder", seed=7).chance == pytest.approx(
        r[linear_sum_assignment(r, maximize=True)].mean(), rel=1e-9
    )


def facts(found: MatchingSummary, *but: str) -> list:
    return [getattr(found, name) for name in found.__slots__ if name not in ("new", *but)]


@pytest.mark.parametrize("method", ["assignment", "greedy"])
def test_an_equal_matching_is_not_computed_again_from_either_side_or_without_its_seed(planted, method):
    path, _ = planted
    pair_saes(path, "B", "A", top_k=3)
    first, second = (match_saes(path, *names, method=method, seed=3) for names in (("A", "B"), ("left", "right")))
    assert (first.new, second.new) == (True, False)
    assert facts(first) == facts(second)
    swapped = match_saes(path, "B", "A", method=method)
    assert not swapped.new
    assert (swapped.sae_a, swapped.sae_b) == (first.sae_b, first.sae_a)
    assert facts(swapped, "sae_a", "sae_b") == facts(first, "sae_a", "sae_b")
    with open_atlas(path) as atlas:
        assert len(atlas.rows("from runs")) == 2


def test_another_seed_computes_anew_and_other_measures_stay(planted):
    path, _ = planted
    match_saes(path, "A", "B", measure="phi")
    first, other = match_saes(path, "A", "B"), match_saes(path, "B", "A", seed=1)
    assert other.new
    assert other.total == pytest.approx(first.total)
    assert other.chance != first.chance
    with open_atlas(path) as atlas:
        stored = atlas.rows("select distinct sae_a, measure from assignments").rows
        assert sorted(stored) == [("left", "phi"), ("right", "activation")]
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
    _, rolled = operands_of("activation", a, b).unrelated(3).arguments
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


def test_a_greedy_matching_goes_with_its_pairs(planted):
    path, _ = planted
    for measure in ("activation", "phi"):
        pair_saes(path, "A", "B", measure=measure, top_k=3)
        assert match_saes(path, "B", "A", method="greedy", measure=measure).new
    match_saes(path, "A", "B")
    pair_saes(path, "B", "A", top_k=5)
    with open_atlas(path) as atlas:
        stored = atlas.rows("select m.method, m.measure from matching m order by all").rows
        assert stored == [("assignment", "activation"), ("greedy", "phi")]
        assert len(atlas.rows("from matching_pair p anti join matching m using (matching_id)")) == 0
    assert match_saes(path, "A", "B", method="greedy").new


def test_greedy_without_pairs_says_how_to_make_them(planted):
    with pytest.raises(AtlasError, match=r"featlas correlate left right --measure decoder"):
        match_saes(planted[0], "A", "B", method="greedy", measure="decoder")


@pytest.mark.parametrize("method", ["assignment", "greedy"])
@pytest.mark.parametrize("measure", ["activation", "decoder"])
def test_too_little_memory_is_refused_with_what_would_do(planted, method, measure):
    path, _ = planted
    pair_saes(path, "A", "B", measure=measure, top_k=2)
    with pytest.raises(AtlasError, match=rf"by {measure} needs about .*MB of memory and may take 0\.1MB") as refused:
        match_saes(path, "A", "B", method=method, measure=measure, memory=10_000)
    assert (refused.value.hint or "").startswith("--memory ")
    needed = round(float((refused.value.hint or "").split()[1].removesuffix("MB")) * 1e6)
    assert match_saes(path, "A", "B", method=method, measure=measure, memory=needed).new


@pytest.mark.parametrize("method", ["assignment", "greedy"])
def test_one_document_is_too_little_for_a_chance_level(planted, tmp_path, method):
    path = tmp_path / "equipped.duckdb"
    equip(path)
    measure = "activation_document_max"
    pair_saes(path, "A", "B", measure=measure)
    with open_atlas(path, write=True) as atlas:
        three = "list_transform(documents, lambda d: case when d < 0 then d else d % 3 end)"
        atlas.rows(f"update context set documents = {three}")
    with pytest.raises(AtlasError, match="words has too few documents to compare features on: 3"):
        match_saes(path, "A", "B", method=method, measure=measure)


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


def test_two_cuts_of_a_text_are_matched_as_one_and_both_corpora_are_kept(planted, tmp_path):
    path = tmp_path / "two.duckdb"
    twins = plant_two_cuts(path)
    whole, aligned = match_saes(planted[0], "A", "B"), match_saes(path, "A", "B")
    assert (aligned.corpus, aligned.corpus_b, aligned.unit, aligned.n_tokens) == ("words", "words-2", "spans", N_TOKENS)
    assert (aligned.total, aligned.chance, aligned.n_pairs) == (whole.total, whole.chance, whole.n_pairs)
    assert not match_saes(path, "A", "B").new
    pair_saes(path, "B", "A", top_k=3)
    assert match_saes(path, "A", "B", method="greedy").corpus_b == "words-2"
    pooled = match_saes(path, "A", "B", measure="activation_document_max")
    assert (pooled.unit, pooled.n_tokens) == ("documents", 10)
    other = match_saes(path, "B", "A")
    assert (other.new, other.corpus, other.corpus_b, other.n_tokens) == (False, "words-2", "words", N_TOKENS)
    with open_atlas(path) as atlas:
        stored = atlas.rows(
            "select sae_a, corpus, corpus_b, measure, count(*) from assignments group by all order by 4"
        ).rows
        greedy = atlas.rows("select feature_a, feature_b from greedy_matches").rows
    assert [row[:4] for row in stored] == [
        ("left", "words", "words-2", "activation"),
        ("left", "words", "words-2", "activation_document_max"),
    ]
    assert twins.items() <= dict(greedy).items()
