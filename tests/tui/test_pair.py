"""Two features side by side: every measure, what they would be by chance, joint activations, candidates."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from atlas.activations.joint import COLUMNS, ROWS, joint_of
from atlas.db import open_atlas, store_of
from atlas.queries import browse
from atlas.queries.browse_pair import pair_detail
from atlas.references import parse_reference
from tests.support.tui_pilot import screen_after

PAIR = parse_reference("A:0=B:1")
FIRES_A = {0: 2.0, 1: 1.0, 5: 0.1, 60: 2.0}
FIRES_B = {0: 2.0, 5: 2.0, 70: 0.5}


@pytest.fixture
def stored(full):
    """The tiny atlas with activations on disk, cut into shards at other tokens for each SAE."""
    with open_atlas(full, write=True) as atlas:
        atlas.rows("update scan set store = 'scan-' || scan_id")
    for number, feature, fires, cut in ((1, 0, FIRES_A, 50), (2, 1, FIRES_B, 30)):
        folder = store_of(full) / f"scan-{number}"
        folder.mkdir(parents=True)
        for shard, (start, stop) in enumerate([(0, cut), (cut, 100)]):
            tokens = [token for token in fires if start <= token < stop]
            columns = {
                "feature_id": pa.array([feature] * len(tokens), pa.int32()),
                "token_index": pa.array(tokens, pa.int64()),
                "activation": pa.array([fires[token] for token in tokens], pa.float32()),
            }
            pq.write_table(pa.table(columns), folder / f"shard-{shard:06d}.parquet")
            facts = {"first_token": start, "n_tokens": stop - start, "n_nonzero": len(tokens)}
            (folder / f"shard-{shard:06d}.json").write_text(json.dumps(facts))
    return full


def test_joint_activations_count_tokens_whatever_the_cuts_into_shards(stored):
    with open_atlas(stored) as atlas:
        a, b = browse.scans(atlas)
        joint = joint_of(atlas, pair_detail(atlas, a, 0, b, 1))
    assert (joint.n_both, joint.n_only_a, joint.n_only_b, joint.n_tokens) == (2, 2, 1, 100)
    counts = np.array(joint.counts)
    assert counts.shape == (ROWS + 1, COLUMNS + 1)
    assert counts[ROWS, COLUMNS] == 1  # token 0: both at their maximum
    assert counts[ROWS, 2] == 1  # token 5: A at a twentieth
    assert counts[0, COLUMNS] == 1  # token 60: B is silent


def test_the_plot_is_beside_the_measures_with_its_counts(stored):
    shown = screen_after(stored, start=PAIR)
    assert "joint  both 2 · A only 2 · B only 1" in shown
    assert "silent" in shown


def test_without_activations_the_plot_says_why(tiny):
    assert "no joint activations: the scan of little/one" in screen_after(tiny, start=PAIR)


def test_every_measure_has_its_value_its_chance_level_and_the_partner_it_prefers(full):
    lines = screen_after(full, start=PAIR).splitlines()
    measured = {line.split()[0]: line for line in lines if line.startswith((" activation  ", " logit "))}
    assert measured["activation"].split()[1:5] == [".900", ".750", ".010", "mutual"]
    assert measured["logit"].split()[1:4] == [".100", ".750", ".010"]
    assert "disagrees" in measured["logit"]


def test_matchings_say_whether_they_give_this_pair(full):
    shown = screen_after(full, start=PAIR)
    assert "assignment by activation   gives this pair" in shown
    assert "gives B:1" in screen_after(full, start=parse_reference("A:0=B:3"))


def test_b_ranks_the_candidates_by_the_next_measure(full):
    shown = screen_after(full, "b", start=PAIR)
    assert "candidates for A:0 in B by logit" in shown
    assert "1  B:2      logit .950" in shown
    assert "by logit" in shown.splitlines()[-2]


def test_the_equals_sign_puts_both_histograms_on_one_axis(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("update feature_stat set max = 8 where scan_id = 2 and feature_id = 1")
    apart, same = (screen_after(tiny, *keys, start=PAIR).splitlines() for keys in ((), ("equals_sign",)))
    assert [line.split() for line in apart if line.startswith("  0 ")] == [
        ["0", "1.00", "2.00", "│", "0", "4.00", "8.00"]
    ]
    assert [line.split() for line in same if line.startswith("  0 ")] == [
        ["0", "4.00", "8.00", "│", "0", "4.00", "8.00"]
    ]


def test_v_w_and_z_draw_a_pair_in_another_way_and_back(tiny):
    before = screen_after(tiny, start=PAIR)
    for key in ("w", "z", "v"):
        assert screen_after(tiny, key, key, start=PAIR) == before


def test_a_narrow_screen_has_measures_and_plot_below(stored):
    first = screen_after(stored, start=PAIR, size=(80, 24))
    assert "joint  both" not in first
    last = screen_after(stored, "G", start=PAIR, size=(80, 24))
    assert "joint  both 2" in last
    assert max(map(len, last.splitlines())) <= 80


def test_a_pair_that_was_never_compared_names_the_command(tiny):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from pair")
        atlas.rows("delete from pairing")
    assert "featlas correlate A B" in screen_after(tiny, start=PAIR)
