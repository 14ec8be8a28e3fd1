"""The whole way on real input: two language models, their SAEs and real text, to a score."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from atlas import open_atlas
from atlas.activations import read_scan
from atlas.cli import run
from atlas.pairing import correlate_sparse
from atlas.pairing.search.chance import roll_tokens
from atlas.references import parse_reference

pytestmark = [pytest.mark.real, pytest.mark.slow]

A, B = "stories260k_L2_topk256k8_s0", "llama2xs_L2_topk256k8_s0"


def test_both_models_are_measured_on_the_same_two_hundred_thousand_tokens(real_atlas: Path):
    with open_atlas(real_atlas) as atlas:
        scans = atlas.rows("select sae, corpus, n_tokens, l0, n_dead, fvu from scans order by sae").dicts()
    assert [scan["sae"] for scan in scans] == [B, A]
    assert {scan["corpus"] for scan in scans} == {"tinystories"}
    assert all(scan["n_tokens"] == scans[0]["n_tokens"] >= 200_000 for scan in scans)
    assert all(scan["l0"] == pytest.approx(8, abs=0.01) for scan in scans)
    assert scans[0]["fvu"] < 0.02 < scans[1]["fvu"] < 0.15


def test_the_median_best_correlation_is_what_was_measured_before(real_atlas: Path):
    with open_atlas(real_atlas) as atlas:
        best = atlas.rows("select median(value), count(*) from best_matches where direction = 'a_to_b'").rows[0]
    assert 0.40 < best[0] < 0.52
    assert best[1] == 256


def test_with_tokens_out_of_step_nothing_is_left_of_it(real_atlas: Path):
    a, b = read_scan(real_atlas, "A"), read_scan(real_atlas, "B")
    shifted = correlate_sparse(a, roll_tokens(b, 977), top_k=1)
    assert shifted.median_best[0] < 0.05
    with open_atlas(real_atlas) as atlas:
        assert atlas.rows("select chance from pairing").rows[0][0] < 0.05


def test_every_stored_pair_equals_numpy_on_the_dense_activations(real_atlas: Path):
    a, b = (read_scan(real_atlas, name).toarray().astype(np.float64) for name in "AB")
    with np.errstate(invalid="ignore"):
        dense = np.corrcoef(a.T, b.T)[: a.shape[1], a.shape[1] :]
    with open_atlas(real_atlas) as atlas:
        rows = np.array(atlas.rows("select feature_a, feature_b, value from pairs").rows)
    i, j = rows[:, 0].astype(int), rows[:, 1].astype(int)
    assert np.abs(dense[i, j] - rows[:, 2]).max() < 1e-6


def test_every_filter_removes_something_and_says_so(real_atlas: Path):
    with open_atlas(real_atlas) as atlas:
        reasons = dict(
            atlas.rows(
                "select unnest(dropped_because) as reason, count(*) from matches('A', 'B', min_value := 0.2, min_joint := 200, "
                "one_to_one := true) group by reason"
            ).rows
        )
        kept = atlas.rows("select count(*) from kept_matches('A', 'B', one_to_one := true)").rows[0][0]
    assert set(reasons) == {"value", "joint", "non-concept", "no shared token", "many-to-one"}
    assert 20 < kept < 256


def test_the_scores_are_above_chance_and_stored_with_it(real_atlas: Path, capsys):
    for metric in ("svcca", "rsa"):
        assert run(["--db", str(real_atlas), "metric", metric, "A", "B", "--shuffles", "500", "--json"]) == 0
        score = json.loads(capsys.readouterr().out)
        assert score["z"] > 2
        assert score["p_value"] < 0.05
    with open_atlas(real_atlas) as atlas:
        assert atlas.rows("select metric, null_n from scores order by metric").rows == [("rsa", 500), ("svcca", 500)]


def test_contexts_show_the_feature_at_its_peak(real_atlas: Path):
    with open_atlas(real_atlas) as atlas:
        rows = atlas.rows("select activation, token, tokens, activations, peak from contexts where sae = $sae", sae=A)
    assert len(rows) > 256 * 10
    for activation, token, tokens, activations, peak in rows:
        assert len(tokens) == len(activations)
        assert tokens[peak] == token
        assert activations[peak] == activation == max(activations)


def test_the_browser_shows_the_features_and_a_matched_pair_of_the_real_models(real_atlas: Path):
    from tests.support.tui_pilot import screen_after

    with open_atlas(real_atlas) as atlas:
        a, b, value = atlas.rows("select feature_a, feature_b, value from kept_matches('A', 'B') limit 1").rows[0]
        densest, token = atlas.rows(
            "select feature_id, top_tokens[1] from features where sae = $sae order by density desc limit 1", sae=A
        ).rows[0]
    features = screen_after(real_atlas, start=parse_reference(f"A:{densest}"))
    assert f"A:{densest}" in features
    assert "tokens of tinystories" in features or "corpus tinystories" in features
    assert token.strip() in features
    pair = screen_after(real_atlas, start=parse_reference(f"A:{a}=B:{b}"))
    assert f"A:{a} ↔ B:{b}" in pair.splitlines()[0]
    assert f"activation r {value:.3f}".replace("0.", ".") in pair
    table = screen_after(real_atlas, "1", size=(80, 24))
    assert "density" in table
    assert len(table.splitlines()) == 24
