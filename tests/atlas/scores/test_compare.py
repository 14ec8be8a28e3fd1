"""Scores of queried subsets: the sample, the null, the refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from scipy.spatial.distance import pdist

from atlas import open_atlas
from atlas.catalog.compared import settle
from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.matched import select_pairs
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.filters.subset import Subset, count_steps
from atlas.metrics import METRICS, rsa
from atlas.scores.compare import matched_rows
from atlas.scores.limits import SubsetTooLarge, SubsetTooSmall
from atlas.scores.rows import weight_rows_of
from tests.support.planted import D_IN, plant
from tests.support.scoring import compare


@pytest.fixture(scope="module")
def planted_master(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, int]]:
    path = tmp_path_factory.mktemp("planted") / "planted.duckdb"
    twins = plant(path)
    pair_saes(path, "A", "B")
    return path, twins


@pytest.fixture
def db(planted_master) -> Path:
    return planted_master[0]


def test_the_default_subset_is_the_twins_on_concept_tokens(planted_master):
    path, twins = planted_master
    with open_atlas(path) as atlas:
        matched = select_pairs(atlas, settle(atlas, "left", "right", Subset(), "words"))
    on_full_stops = {i for i in twins if i % 8 == 6}
    assert dict(zip(matched.features_a.tolist(), matched.features_b.tolist(), strict=True)) == {
        i: j for i, j in twins.items() if i not in on_full_stops
    }
    assert dict(matched.steps)["left"] == len(twins) - len(on_full_stops)


def test_the_steps_add_up_to_the_candidates(db):
    with open_atlas(db) as atlas:
        matched = select_pairs(
            atlas, settle(atlas, "left", "right", Subset(where="a.n_fired > 80", min_value=0.05), "words")
        )
    steps = dict(matched.steps)
    left = steps.pop("left")
    assert steps.pop("candidates") == sum(steps.values()) + left
    assert steps["where"] > 0


def test_a_concept_has_a_rule_and_a_min_share():
    assert Subset(concept="Time").min_share == 0.5
    assert Subset(concept="Time", concept_rule="paper").min_share == 0.0
    assert Subset(concept="Time", concept_rule="word", concept_share=0.3).min_share == 0.3
    assert "concept Time by paper (share >= 0)" in Subset(concept="Time", concept_rule="paper").in_words()


def test_a_condition_that_changes_from_time_to_time_is_refused(db):
    with pytest.raises(UsageError, match="each time"):
        compare(db, "rsa", "A", "B", subset=Subset(where="Random () < 0.5"), store=False)


def test_an_interval_of_one_draw_is_refused(db):
    with pytest.raises(UsageError, match="at least 2 draws"):
        compare(db, "rsa", "A", "B", bootstrap=1, store=False)


def test_a_row_that_is_not_finite_names_its_feature(tmp_path):
    path = tmp_path / "nan.duckdb"
    plant(path)
    pair_saes(path, "A", "B")
    with open_atlas(path, write=True) as atlas:
        atlas.rows(
            "update feature_vector set w_dec = list_transform(w_dec, lambda x: 'nan'::float) where sae_id = 1 and feature_id = 3"
        )
    with pytest.raises(AtlasError, match="left:3 has decoder weights that are not finite"):
        compare(path, "rsa", "A", "B", store=False)


def test_a_condition_sees_the_features_of_both_sides(db):
    with open_atlas(db) as atlas:
        matched = select_pairs(
            atlas, settle(atlas, "left", "right", Subset(where="a.feature_id < 10 and b.max > 0"), "words")
        )
    assert matched.features_a.max() < 10


def test_svcca_and_rsa_of_the_subset_equal_scipy_on_the_decoder_rows(db):
    with open_atlas(db) as atlas:
        matched = select_pairs(atlas, settle(atlas, "left", "right", Subset(), "words"))
        x, y = weight_rows_of(atlas, "left", matched.features_a), weight_rows_of(atlas, "right", matched.features_b)
    bases = []
    for rows in (x, y):
        u, _, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
        bases.append(u[:, :10])
    expected = np.cos(scipy.linalg.subspace_angles(*bases)).mean()
    assert compare(db, "svcca", "A", "B", store=False).value == pytest.approx(expected, abs=1e-8)
    expected = scipy.stats.spearmanr(pdist(x), pdist(y)).statistic
    assert compare(db, "rsa", "A", "B", store=False).value == pytest.approx(expected, abs=1e-12)


def test_a_score_is_stored_with_its_sample_and_its_null(db):
    score = compare(db, "rsa", "A", "B", shuffles=200, seed=3, command="featlas metric rsa A B")
    with open_atlas(db) as atlas:
        row = atlas.rows("from scores where score_id = $id", id=score.score_id).dicts()[0]
        run = atlas.rows("select command, status from runs order by run_id desc limit 1").rows[0]
    assert (row["value"], row["n"], row["null_n"], row["seed"]) == (score.value, score.n, 200, 3)
    assert row["p_value"] == score.p_value == pytest.approx(1 / 201)
    assert row["z"] == pytest.approx((row["value"] - row["null_mean"]) / row["null_std"])
    assert run == ("featlas metric rsa A B", "done")


def test_an_equal_score_is_stored_once(db):
    assert compare(db, "svcca", "A", "B", shuffles=50) == compare(db, "svcca", "A", "B", shuffles=50)


def test_features_that_share_nothing_score_like_their_null(tmp_path: Path):
    plant(tmp_path / "none.duckdb", twins=0)
    pair_saes(tmp_path / "none.duckdb", "A", "B")
    loose = Subset(keep_non_concept=True, keep_unshared=True, match="best")
    score = compare(tmp_path / "none.duckdb", "rsa", "A", "B", subset=loose)
    assert abs(score.z or 0) < 3
    assert score.p_value > 0.01


def test_a_subset_that_counting_decides_is_refused_with_the_way_out(db):
    with pytest.raises(SubsetTooSmall, match="too few for svcca") as refused:
        compare(db, "svcca", "A", "B", subset=Subset(where="a.feature_id < 12"))
    assert "--directions" in str(refused.value)
    assert "where" in str(refused.value)
    with pytest.raises(SubsetTooSmall):
        compare(db, "rsa", "A", "B", subset=Subset(where="a.feature_id < 3"))


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_a_subset_without_pairs_is_refused_with_what_fell_where(db, metric):
    with pytest.raises(SubsetTooSmall, match=f"0 matched pairs are too few for {metric}") as refused:
        compare(db, metric, "A", "B", subset=Subset(where="a.density > 2"))
    assert "where 35, left 0" in str(refused.value)


def test_a_small_concept_gets_advice_that_can_help_there(db):
    with pytest.raises(SubsetTooSmall) as refused:
        compare(db, "svcca", "A", "B", subset=Subset(concept="Emotions"))
    assert "--concept-share" in str(refused.value)
    assert "--keep-non-concept" not in str(refused.value)


def test_matched_rows_are_what_a_score_is_made_of(db):
    x, y, matched = matched_rows(db, "A", "B")
    assert len(x) == len(y) == len(matched.features_a)
    assert rsa(x, y).score == compare(db, "rsa", "A", "B", store=False, shuffles=10).value


def test_a_variance_that_forces_the_score_is_refused(db):
    assert D_IN * 2 > 20
    with pytest.raises(SubsetTooSmall, match="1 by rank alone"):
        compare(db, "svcca", "A", "B", subset=Subset(where="a.feature_id < 24"), variance=0.999)


def test_a_stored_score_says_all_of_its_options(db):
    plain = compare(db, "svcca", "A", "B", shuffles=20)
    same = compare(db, "svcca", "A", "B", shuffles=20, k=10)
    assert plain == same
    assert plain.options == {"k": 10}
    assert compare(db, "rsa", "A", "B", shuffles=20).options == {"rdm": "euclidean", "compare": "spearman"}


def test_an_option_that_the_metric_lacks_is_named(db):
    with pytest.raises(UnknownName, match="option of rsa"):
        compare(db, "rsa", "A", "B", k=3)


def test_an_sae_is_not_compared_with_itself(db):
    with pytest.raises(UsageError, match="one SAE"):
        compare(db, "rsa", "A", "left")


def test_many_directions_for_few_rows_are_refused(db):
    with pytest.raises(SubsetTooSmall, match="say little of"):
        compare(db, "svcca", "A", "B", variance=0.9, shuffles=20)


def test_rsa_refuses_what_would_not_fit_into_memory(db, monkeypatch):
    monkeypatch.setattr("atlas.scores.limits.half_of_available", lambda: 1_000_000)
    with pytest.raises(SubsetTooLarge, match="which takes"):
        compare(db, "rsa", "A", "B")


def test_excess_is_how_far_from_chance_to_identity(db):
    score = compare(db, "rsa", "A", "B", shuffles=50)
    assert score.excess == pytest.approx((score.value - score.null_mean) / (1 - score.null_mean))
    with open_atlas(db) as atlas:
        assert atlas.rows("select excess from scores where score_id = $id", id=score.score_id).rows == [
            (pytest.approx(score.excess),)
        ]


def test_steps_stand_in_the_order_of_the_filters():
    reasons = [["many-to-one"], [], ["value", "joint"], ["non-concept"], ["value"]]
    assert count_steps(reasons) == [("candidates", 5), ("value", 2), ("non-concept", 1), ("many-to-one", 1)]


def test_fewer_directions_make_a_small_subset_sayable(db):
    score = compare(db, "svcca", "A", "B", subset=Subset(where="a.feature_id < 12"), k=2, shuffles=20, store=False)
    assert (score.dims_a, score.dims_b) == (2, 2)


@pytest.mark.parametrize("condition", ["density >", "a.densty > 0", "1 = 1) union select 1 --", "1=1; drop table pair"])
def test_a_condition_that_is_no_condition_is_explained(db, condition):
    with pytest.raises(UsageError, match="does not work"):
        compare(db, "rsa", "A", "B", subset=Subset(where=condition))


def test_unknown_names_get_the_nearest(db):
    with pytest.raises(UnknownName, match="did you mean 'svcca'"):
        compare(db, "svca", "A", "B")
    with pytest.raises(UnknownName, match="did you mean 'Emotions'"):
        compare(db, "rsa", "A", "B", subset=Subset(concept="emotion"))
    with pytest.raises(UnknownName, match="corpus"):
        compare(db, "rsa", "A", "B", corpus="wods")
    with pytest.raises(UnknownName, match="did you mean 'b_to_a'"):
        compare(db, "rsa", "A", "B", subset=Subset(direction="b_to_aa"))


@pytest.mark.parametrize("wrong", [{"shuffles": 2.5}, {"shuffles": 0}, {"halves": -1}, {"seed": "1"}])
def test_a_number_of_draws_that_is_none_is_refused(db, wrong):
    with pytest.raises(UsageError, match="must be at least"):
        compare(db, "rsa", "A", "B", **wrong)


def test_saes_that_were_not_paired_are_told_what_to_type(tmp_path: Path):
    plant(tmp_path / "new.duckdb")
    with pytest.raises(AtlasError, match="correlate left right"):
        compare(tmp_path / "new.duckdb", "rsa", "A", "B")
