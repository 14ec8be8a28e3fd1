"""Pairing, from two stores to rows of the views."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atlas import open_atlas
from atlas.activations import open_scan, read_scan
from atlas.comparisons.correlate import pair_saes
from atlas.errors import AtlasError, UnknownName, UsageError
from tests.support.planted import D_SAE, N_TOKENS, N_TWINS, plant, planted_codes


@pytest.fixture
def planted(tmp_path: Path) -> tuple[Path, dict[int, int]]:
    path = tmp_path / "planted.duckdb"
    return path, plant(path)


def test_a_store_is_read_back_as_it_was_written(planted):
    a, b, _ = planted_codes(np.random.default_rng(0))
    for name, codes in (("A", a), ("right", b)):
        read = read_scan(planted[0], name)
        assert read.shape == (N_TOKENS, D_SAE)
        assert (read != codes).nnz == 0


def test_blocks_are_the_matrix_cut_by_tokens(planted):
    blocks = list(open_scan(planted[0], "A").blocks())
    assert [block.shape[0] for block in blocks] == [N_TOKENS // 2] * 2


def test_planted_twins_are_found_and_nothing_else(planted):
    path, twins = planted
    found = pair_saes(path, "A", "B", top_k=3)
    with open_atlas(path) as atlas:
        strong = atlas.rows("select feature_a, feature_b from mutual_matches where value > 0.5").rows
    assert dict(strong) == twins
    assert found.n_mutual >= N_TWINS
    assert found.median_best > 0.9 > 0.2 > found.chance


def test_every_stored_pair_equals_the_dense_correlation(planted):
    path, _ = planted
    pair_saes(path, "A", "B", top_k=5)
    a, b = (read_scan(path, name).toarray().astype(np.float64) for name in "AB")
    dense = np.corrcoef(a[:, :-1].T, b[:, :-1].T)[: D_SAE - 1, D_SAE - 1 :]
    with open_atlas(path) as atlas:
        rows = atlas.rows("select feature_a, feature_b, value, n_a, n_b, n_ab from pairs").rows
    assert len(rows) >= 5 * (D_SAE - 1)
    for i, j, value, n_a, n_b, n_ab in rows:
        assert value == pytest.approx(dense[i, j], abs=1e-6)
        assert (n_a, n_b) == ((a[:, i] > 0).sum(), (b[:, j] > 0).sum())
        assert n_ab == ((a[:, i] > 0) & (b[:, j] > 0)).sum()


def test_ranks_count_from_one_on_each_side_and_are_null_outside_the_top_k(planted):
    path, _ = planted
    pair_saes(path, "A", "B", top_k=3)
    with open_atlas(path) as atlas:
        by_a = atlas.rows(
            "select list(rank_ab order by rank_ab) from pairs where rank_ab is not null group by feature_a"
        ).rows
        by_b = atlas.rows(
            "select list(rank_ba order by rank_ba) from pairs where rank_ba is not null group by feature_b"
        ).rows
        assert {tuple(row[0]) for row in by_a + by_b} == {(1, 2, 3)}
        assert atlas.rows("select count(*) from pairs where rank_ab is null and rank_ba is null").rows == [(0,)]
        assert atlas.rows("select count(*) from pairs where rank_ab is null").rows[0][0] > 0


def test_an_equal_pairing_is_not_computed_again(planted):
    path, _ = planted
    first, second = pair_saes(path, "A", "B"), pair_saes(path, "left", "right")
    assert (first.new, second.new) == (True, False)
    assert (second.n_mutual, second.median_best, second.chance) == (first.n_mutual, first.median_best, first.chance)
    with open_atlas(path) as atlas:
        assert len(atlas.rows("select * from runs")) == 1


def test_another_top_k_replaces_what_was_stored(planted):
    path, _ = planted
    pair_saes(path, "A", "B", top_k=3)
    pair_saes(path, "B", "A", top_k=2)
    with open_atlas(path) as atlas:
        assert atlas.rows("select distinct sae_a, max(rank_ab) from pairs group by 1").rows == [("right", 2)]


def test_a_pairing_that_fails_leaves_the_earlier_one(planted, monkeypatch):
    path, _ = planted
    pair_saes(path, "A", "B", top_k=3)
    monkeypatch.setattr("atlas.comparisons.correlate.pair_columns", lambda *sides: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pair_saes(path, "A", "B", top_k=2)
    with open_atlas(path) as atlas:
        assert atlas.rows("select max(rank_ab) from pairs").rows == [(3,)]
        assert len(atlas.rows("from runs")) == 1


def test_each_direction_has_its_own_median_and_chance(planted):
    path, _ = planted
    found = pair_saes(path, "A", "B")
    with open_atlas(path) as atlas:
        medians = dict(atlas.rows("select direction, median(value) from best_matches group by direction").rows)
    assert medians == {
        "a_to_b": pytest.approx(found.median_best, abs=1e-12),
        "b_to_a": pytest.approx(found.median_best_ba, abs=1e-12),
    }
    assert 0 < found.chance_ba < 0.2


def test_the_sides_may_be_asked_in_either_order(planted):
    path, twins = planted
    pair_saes(path, "A", "B")
    with open_atlas(path) as atlas:
        forward = atlas.rows("select feature_a, feature_b from matches('A', 'B') where value > 0.5").rows
        backward = atlas.rows("select feature_b, feature_a from matches('B', 'A') where value > 0.5").rows
    assert dict(forward) == dict(backward) == twins


def test_an_unknown_sae_gets_the_nearest_name(planted):
    with pytest.raises(UnknownName, match="did you mean 'right'"):
        pair_saes(planted[0], "A", "rihgt")


def test_a_missing_shard_is_named_and_nothing_is_written(planted):
    path, _ = planted
    (Path(f"{path}.store") / "right" / "shard-00001.json").unlink()
    with pytest.raises(AtlasError, match=r"incomplete: 2,000 of 4,000 tokens"):
        pair_saes(path, "A", "B")
    with open_atlas(path) as atlas:
        assert len(atlas.rows("select * from pairs")) == len(atlas.rows("select * from runs")) == 0


def test_cosines_of_decoder_rows_are_stored_without_joint_counts(planted):
    path, _ = planted
    found = pair_saes(path, "A", "B", measure="decoder", top_k=3)
    assert (found.measure, found.chance_shift) == ("decoder", None)
    with open_atlas(path) as atlas:
        rows = {
            sae: np.array([row[0] for row in atlas.rows(f"select w_dec from decoder_rows_of('{sae}')")])
            for sae in ("A", "B")
        }
        stored = atlas.rows("select feature_a, feature_b, value, n_ab from pairs where measure = 'decoder'").rows
        kept = atlas.rows("from matches('A', 'B', measure := 'decoder')").rows
    unit = {sae: w / np.linalg.norm(w, axis=1, keepdims=True) for sae, w in rows.items()}
    cosines = unit["A"] @ unit["B"].T
    assert len(stored) >= 3 * len(cosines)
    for i, j, value, n_ab in stored:
        assert value == pytest.approx(cosines[i, j], abs=1e-6)
        assert n_ab is None
    assert len(kept) == len(cosines)


@pytest.mark.parametrize("measure", ["phi", "jaccard", "lift", "masked_cosine"])
def test_measures_on_tokens_stand_beside_each_other(planted, measure):
    path, twins = planted
    pair_saes(path, "A", "B")
    found = pair_saes(path, "A", "B", measure=measure)
    assert found.median_best > found.chance
    with open_atlas(path) as atlas:
        best = "select feature_a, feature_b from mutual_matches where measure = $measure"
        mutual = dict(atlas.rows(best, measure=measure).rows)
        assert atlas.rows("select count(distinct measure) from pairs").rows == [(2,)]
    assert sum(mutual.get(i) == j for i, j in twins.items()) > 0.8 * len(twins)


def test_an_unknown_measure_names_those_that_exist(planted):
    with pytest.raises(UnknownName, match="did you mean 'decoder'"):
        pair_saes(planted[0], "A", "B", measure="decodr")


def test_weights_of_different_models_are_not_compared(planted):
    path, _ = planted
    with open_atlas(path, write=True) as atlas:
        atlas.rows("insert into model by name select * replace (2 as model_id, 'other' as name) from model")
        atlas.rows("update sae set model_id = 2 where sae_id = 2")
    with pytest.raises(UsageError, match="different spaces"):
        pair_saes(path, "A", "B", measure="decoder")
