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


def kept_by(path: Path, how: str, more: str = "") -> set[tuple[int, int]]:
    loose = "drop_non_concept := false, shared_token := false"
    return {
        pair for pair, (kept, _) in judged(path, f"matches('A', 'B', method := '{how}', {loose}{more})").items() if kept
    }


def test_every_rule_by_hand(full: Path):
    assert kept_by(full, "best") == {(0, 1), (1, 0), (2, 2), (3, 1)}
    assert kept_by(full, "mutual") == {(0, 1), (1, 0), (2, 2)}
    assert kept_by(full, "one-to-one") == {(0, 1), (1, 0), (2, 2)}
    assert kept_by(full, "singletons") == {(1, 0), (2, 2)}
    assert kept_by(full, "first-seen") == {(0, 1), (1, 0), (2, 2)}
    assert kept_by(full, "assignment") == kept_by(full, "greedy") == {(0, 1), (1, 0), (2, 2), (3, 3)}


def test_first_seen_takes_the_lowest_id_where_one_to_one_takes_the_best(full: Path):
    with open_atlas(full, write=True) as atlas:
        atlas.rows("update pair set value = 0.95 where feature_a = 3 and feature_b = 1 and pairing_id = 1")
    assert (0, 1) in kept_by(full, "first-seen")
    assert (3, 1) in kept_by(full, "one-to-one")


def test_rules_look_at_what_the_filters_left(full: Path):
    assert kept_by(full, "singletons", ", max_density := 0.35") == {(2, 2), (3, 1)}


def test_a_pair_that_is_not_mutual_says_so(full: Path):
    verdict = judged(full, "matches('A', 'B', method := 'mutual', shared_token := false)")
    assert verdict[3, 1] == (False, ["not mutual"])


def test_a_stored_matching_can_be_asked_from_the_other_side(full: Path):
    swapped = judged(
        full, "matches('B', 'A', method := 'assignment', drop_non_concept := false, shared_token := false)"
    )
    assert {(a, b) for b, a in swapped} == kept_by(full, "assignment")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            "matches('A', 'B', method := 'assignment', measure := 'logit')",
            "no assignment by logit of .* yet: featlas match",
        ),
        ("matches('A', 'B', method := 'hungarian')", "method is best, mutual"),
        ("shared_features('A', 'B', rule := 'assignment', measure := 'logit')", "featlas match"),
        ("shared_features('A', 'B', rule := 'mine')", "rule is paulo-belrose"),
        ("shared_features('A', 'B', rule := 'top-1')", "no decoder pairs"),
        ("counterparts('A')", "compared by A yet"),
        ("families_over(measure := 'decoder')", "compared by decoder yet"),
        ("disagreements_between('A', 'B', which := 'left')", "which is activation, measure or both"),
    ],
)
def test_what_is_not_stored_is_an_error_that_says_what_to_run(full: Path, call: str, message: str):
    with open_atlas(full) as atlas, pytest.raises(duckdb.Error, match=message):
        atlas.rows(f"from {call}")


def shared(path: Path, options: str = "") -> dict[int, str | None]:
    with open_atlas(path) as atlas:
        return dict(atlas.rows(f"select feature, orphan_because from shared_features('A', 'B'{options})").rows)


def test_paulo_and_belrose_ask_for_one_counterpart_and_both_cosines(full: Path):
    other = "another counterpart by encoder"
    assert shared(full) == {0: None, 1: None, 2: "under the threshold", 3: other, 4: "never fires"}
    assert shared(full, ", threshold := 0.73")[0] == "under the threshold"  # its encoder cosine is 0.72
    assert shared(full, ", rule := 'assignment'") == {
        0: None,
        1: None,
        2: "under the threshold",
        3: None,
        4: "never fires",
    }
    assert shared(full, ", rule := 'top-1', measure := 'activation', threshold := 0.75") == {
        0: None,
        1: None,
        2: "under the threshold",
        3: "under the threshold",
        4: "never fires",
    }


def test_the_sweep_counts_what_the_rule_keeps_at_every_threshold(full: Path):
    with open_atlas(full) as atlas:
        swept = dict(atlas.rows("select threshold, n_shared from sharing_sweep('A', 'B')").rows)
        assert len(swept) == 101
        for threshold in (0.0, 0.6, 0.61, 0.7, 0.72, 0.73, 0.75, 0.76, 1.0):
            call = f"select count(*) from shared_features('A', 'B', threshold := {threshold}) where is_shared"
            assert swept[threshold] == atlas.rows(call).rows[0][0]
        assert (swept[0.0], swept[0.6], swept[0.61], swept[0.73], swept[0.76]) == (3, 3, 2, 1, 0)


def test_orphans_are_features_that_fire_and_stay_under_the_threshold(full: Path):
    with open_atlas(full) as atlas:
        rows = atlas.rows("select sae, feature, value from orphans where measure = 'activation' order by all").rows
    assert rows == [("little/one", 3, 0.4), ("little/two", 3, 0.3)]  # the last of both never fires


def test_disagreements_are_pairs_that_one_measure_sees_and_another_does_not(full: Path):
    with open_atlas(full) as atlas:
        found = atlas.rows("select feature_a, feature_b, activation, value, high from disagreements").rows
        assert found == [(0, 1, 0.9, 0.1, "activation")]
        assert atlas.rows("select value from disagreements_between('B', 'A', high := 0.9)").rows == [(0.1,)]
        assert atlas.rows("select value from disagreements_between('A', 'B', high := 0.91)").rows == []
        wide = atlas.rows(
            "select activation, logit from measures_of_pairs where sae_a = 'little/two' and feature_a = 1 and feature_b = 0"
        )
        assert wide.rows == [(0.9, 0.1)]


def test_a_direction_is_not_mirrored_where_the_measure_has_one(full: Path):
    with open_atlas(full, write=True) as atlas:
        atlas.rows("update pairing set measure = 'conditional' where measure = 'logit'")
        asked = "select distinct sae_a from pairs_both_ways where measure = 'conditional'"
        assert atlas.rows(asked).rows == [("little/one",)]


def test_a_comparison_with_a_direction_is_missing_from_the_other_side(full: Path):
    with open_atlas(full, write=True) as atlas:
        atlas.rows("update pairing set measure = 'conditional' where measure = 'logit'")
        assert len(atlas.rows("from matches('A', 'B', measure := 'conditional')")) == 1
        for call in (
            "matches('B', 'A', measure := 'conditional')",
            "shared_features('B', 'A', rule := 'top-1', measure := 'conditional')",
        ):
            with pytest.raises(duckdb.Error, match="no conditional pairs"):
                atlas.rows(f"from {call}")
        with pytest.raises(duckdb.Error, match="has a direction"):
            atlas.rows("from counterparts(measure := 'conditional')")


def test_a_counterpart_that_the_encoder_does_not_give_is_told_from_another_one(full: Path):
    with open_atlas(full, write=True) as atlas:
        atlas.rows("delete from matching_pair where matching_id = 4 and feature_a = 3")
    assert shared(full)[3] == "no counterpart by encoder"


def test_disagreements_say_which_side_is_high_and_whether_the_pair_is_mutual(full: Path):
    with open_atlas(full) as atlas:
        asked = "select feature_a, mutual, tokens_b from disagreements_between('A', 'B', which := '{}')"
        assert atlas.rows(asked.format("activation")).rows == [(0, True, [" happy", " sad"])]
        assert atlas.rows(asked.format("measure")).rows == []
