"""The macro `matches`: every candidate is there, with every reason against it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from atlas import open_atlas


def judged(path: Path, call: str) -> dict[tuple[int, int], tuple[bool, list[str]]]:
    with open_atlas(path) as atlas:
        rows = atlas.rows(f"select feature_a, feature_b, kept, dropped_because from {call}")
    return {(a, b): (kept, reasons) for a, b, kept, reasons in rows}


def test_every_choosing_feature_has_one_candidate(tiny: Path):
    assert set(judged(tiny, "matches('A', 'B')")) == {(0, 1), (1, 0), (2, 2), (3, 1)}
    assert set(judged(tiny, "matches('A', 'B', direction := 'b_to_a')")) == {(0, 1), (1, 0), (2, 2), (0, 3)}


def test_a_pair_that_fires_on_a_full_stop_is_no_concept(tiny: Path):
    assert judged(tiny, "matches('A', 'B')")[2, 2] == (False, ["non-concept"])
    assert judged(tiny, "matches('A', 'B', drop_non_concept := false)")[2, 2] == (True, [])


def test_a_pair_without_a_common_token_is_dropped(tiny: Path):
    assert judged(tiny, "matches('A', 'B')")[3, 1] == (False, ["no shared token"])
    assert judged(tiny, "matches('A', 'B', shared_token := false)")[3, 1] == (True, [])


def test_only_the_strongest_tokens_count(tiny: Path):
    assert judged(tiny, "matches('A', 'B', top_tokens := 1)")[0, 1] == (False, ["no shared token"])


def test_all_reasons_are_kept(tiny: Path):
    assert judged(tiny, "matches('A', 'B', min_value := 0.75, min_joint := 20)")[3, 1] == (
        False,
        ["value", "joint", "no shared token"],
    )


def test_one_to_one_leaves_a_partner_to_the_best_that_chose_it(tiny: Path):
    loose = "drop_non_concept := false, shared_token := false"
    assert judged(tiny, f"matches('A', 'B', {loose})")[3, 1] == (True, [])
    assert judged(tiny, f"matches('A', 'B', one_to_one := true, {loose})")[3, 1] == (False, ["many-to-one"])
    assert judged(tiny, f"matches('A', 'B', one_to_one := true, {loose})")[0, 1] == (True, [])


def test_kept_matches_are_the_kept_ones(tiny: Path):
    with open_atlas(tiny) as atlas:
        assert sorted(atlas.rows("select feature_a, feature_b from kept_matches('A', 'B')").rows) == [(0, 1), (1, 0)]


def test_the_margin_is_the_lead_over_the_second_best(tiny: Path):
    with open_atlas(tiny) as atlas:
        margins = dict(atlas.rows("select feature_a, margin from matches('A', 'B')").rows)
    assert margins == pytest.approx({0: 0.6, 1: 0.7, 2: 0.8, 3: 0.2})


def test_the_two_sides_may_be_swapped(tiny: Path):
    forward = judged(tiny, "matches('A', 'B', direction := 'b_to_a')")
    backward = judged(tiny, "matches('B', 'A')")
    assert {(b, a): verdict for (a, b), verdict in backward.items()} == forward


def test_names_and_aliases_mean_the_same(tiny: Path):
    assert judged(tiny, "matches('little/one', 'B')") == judged(tiny, "matches('A', 'little/two')")


def test_an_unknown_sae_is_an_error_and_not_an_empty_result(tiny: Path):
    with open_atlas(tiny) as atlas, pytest.raises(duckdb.Error, match="no SAE named Z"):
        atlas.rows("select * from matches('A', 'Z')")


def test_best_mutual_and_one_to_one_matches_by_hand(tiny: Path):
    with open_atlas(tiny) as atlas:
        best = atlas.rows("select feature, partner from best_matches where direction = 'a_to_b'").rows
        mutual = atlas.rows("select feature_a, feature_b from mutual_matches").rows
        single = atlas.rows("select feature, partner from one_to_one_matches where direction = 'a_to_b'").rows
    assert sorted(best) == [(0, 1), (1, 0), (2, 2), (3, 1)]
    assert sorted(mutual) == sorted(single) == [(0, 1), (1, 0), (2, 2)]


def test_concept_pairs_need_the_concept_on_both_sides(tiny: Path):
    with open_atlas(tiny) as atlas:
        assert atlas.rows("select feature_a, feature_b from concept_pairs('emotions', 'A', 'B')").rows == [(0, 1)]
        assert atlas.rows(
            "select keywords, share from concept_features where concept = 'Emotions' and sae = 'little/one'"
        ).rows == [(["sad"], 0.5)]
        assert atlas.rows("from concept_pairs('Emotions', 'A', 'B', min_share := 0.6)").rows == []
