"""`featlas metric mmcs` and `pw_mcc`: all features that fire, as sets, against Gaussian vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

import atlas.scores.dictionaries as module
from atlas.cli import run
from atlas.db import open_atlas
from tests.support.planted import plant


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "planted.duckdb"
    plant(path)
    return path


def live_rows(db: Path, sae: str) -> np.ndarray:
    """(n_live, d_in), straight from the table."""
    with open_atlas(db) as atlas:
        rows = atlas.rows(
            "select w.w_dec from feature_vector w join sae s using (sae_id) join features f "
            "on f.sae = s.name and f.feature_id = w.feature_id where s.name = $sae and f.n_fired > 0 "
            "order by w.feature_id",
            sae=sae,
        ).rows
    return np.array([row[0] for row in rows], dtype=float)


@pytest.mark.parametrize("name", ["mmcs", "pw_mcc"])
def test_the_score_is_that_of_scipys_cosines_of_features_that_fire(db, capsys, name):
    cosines = 1 - cdist(live_rows(db, "left"), live_rows(db, "right"), "cosine")
    expected = cosines.max(axis=1).mean()
    if name == "pw_mcc":
        size = np.abs(cosines)
        expected = size[linear_sum_assignment(size, maximize=True)].mean()
    command = ["--db", str(db), "metric", name, "A", "B", "--json"]
    assert run(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["value"] == pytest.approx(expected, abs=1e-6)
    assert (found["null_kind"], found["null_n"], found["p_value"]) == ("gaussian", 19, 0.05)
    assert found["null_mean"] < found["value"] - 0.1
    assert (found["n"], found["details"]) == (cosines.shape[0], {"n_x": cosines.shape[0], "n_y": cosines.shape[1]})
    assert run(command) == 0
    assert json.loads(capsys.readouterr().out)["score_id"] == found["score_id"]


def test_a_score_in_words_names_its_features_and_its_null(db, capsys):
    assert run(["--db", str(db), "metric", "mmcs", "A", "B", "--shuffles", "3", "--no-save"]) == 0
    said = capsys.readouterr().out
    assert "(3 draws of gaussian, seed 0)" in said
    assert "all features that fire, 59 and 59, as sets" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--where", "a.density > 0"), "--where is about pairs of features"),
        (("--null", "density"), "--null is about pairs of features"),
        (("--directions", "3"), "--directions is about pairs of features"),
        (("--on", "activation"), "mmcs compares weights"),
    ],
)
def test_options_about_pairs_have_no_meaning(db, capsys, arguments, message):
    assert run(["--db", str(db), "metric", "mmcs", "A", "B", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_cosines_that_do_not_fit_are_refused_with_the_way_out(db, capsys, monkeypatch):
    monkeypatch.setattr(module, "half_of_available", lambda: 1000)
    assert run(["--db", str(db), "metric", "pw_mcc", "A", "B"]) == 1
    assert "match left right --measure decoder, which assigns without holding all" in capsys.readouterr().err
    assert run(["--db", str(db), "metric", "mmcs", "A", "B", "--shuffles", "1"]) == 0


def test_silent_features_leave_nothing_to_compare(db, capsys):
    with open_atlas(db, write=True) as atlas:
        atlas.rows("update feature_stat set n_fired = 0 where scan_id = 1")
    assert run(["--db", str(db), "metric", "mmcs", "A", "B"]) == 1
    assert "no feature of left fires" in capsys.readouterr().err
