"""`featlas study positions`: effect sizes equal SciPy's on dense activations, planted dependence is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats.contingency import association

from atlas.activations import read_scan
from atlas.cli import run
from atlas.db import Atlas, open_atlas
from atlas.studies.positions import measure, random_v
from tests.support.planted import D_SAE, N_TOKENS, plant, planted_codes

PLACES = np.arange(N_TOKENS) % 7 + 1


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Planted SAEs; feature 0 of A fires at the first place only, feature 1 more often the later the place."""
    path = tmp_path_factory.mktemp("positions") / "planted.duckdb"
    plant(path)
    with open_atlas(path, write=True) as atlas, atlas.transaction():
        for scan_id, codes in enumerate(codes_of(), start=1):
            write_places(atlas, scan_id, codes)
    return path


def codes_of() -> tuple[np.ndarray, np.ndarray]:
    a, b = (codes.toarray().astype(np.float64) for codes in planted_codes(np.random.default_rng(0))[:2])
    a[:, 0] = np.where(PLACES == 1, 1.0 + (np.arange(N_TOKENS) % 3), 0)
    a[:, 1] = np.random.default_rng(1).random(N_TOKENS) * (np.random.default_rng(2).random(N_TOKENS) < PLACES / 20)
    return a, b


def write_places(atlas: Atlas, scan_id: int, codes: np.ndarray) -> None:
    at = PLACES[:, None] == np.unique(PLACES)
    n_tokens = at.sum(axis=0)
    atlas.insert("scan_position", {"scan_id": [scan_id] * 7, "position": np.unique(PLACES), "n_tokens": n_tokens})
    sums = [at.T.astype(float) @ values for values in (codes > 0, codes, codes**2)]
    place, feature = np.nonzero(sums[0])
    columns = {"scan_id": [scan_id] * len(place), "feature_id": feature, "position": place + 1}
    atlas.insert("feature_position", columns | dict(zip(("n_fired", "total", "total_2"),
                 (s[place, feature] for s in sums), strict=True)))  # fmt: skip


def direct(codes: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cramér's V by SciPy and eta squared from sums of squares, column by column."""
    v, eta = [], []
    for column in codes.T:
        fired = column > 0
        table = np.array([[np.sum(fired[places == p]), np.sum(~fired[places == p])] for p in np.unique(places)])
        v.append(association(table, method="cramer"))
        means = np.array([column[places == p].mean() for p in np.unique(places)])
        sizes = np.array([np.sum(places == p) for p in np.unique(places)])
        between = np.sum(sizes * (means - column.mean()) ** 2)
        eta.append(between / np.sum((column - column.mean()) ** 2))
    return np.array(v), np.array(eta)


def test_effect_sizes_are_those_of_dense_activations(db):
    found = measure(db)
    for codes, sae in zip(codes_of(), ("left", "right"), strict=True):
        rows = found.table("features").rows.filter(found.table("features").rows["sae"] == sae).sort("feature_id")
        live = codes[:, rows["feature_id"].to_numpy()]
        assert len(rows) == np.sum((codes > 0).any(axis=0)) == D_SAE - 1
        v, eta = direct(live, PLACES)
        np.testing.assert_allclose(rows["cramers_v"], v, rtol=1e-9)
        np.testing.assert_allclose(rows["eta_squared"], eta, rtol=1e-9)
        np.testing.assert_allclose(rows["v_first"], direct(live, PLACES == 1)[0], rtol=1e-9)
        rest = rows.filter(rows["v_rest"].is_not_null())
        elsewhere = codes[:, rest["feature_id"].to_numpy()][PLACES > 1]
        np.testing.assert_allclose(rest["v_rest"], direct(elsewhere, PLACES[PLACES > 1])[0], rtol=1e-9)
        np.testing.assert_allclose(rest["eta_squared_rest"], direct(elsewhere, PLACES[PLACES > 1])[1], rtol=1e-9)
        r = [np.corrcoef(column, PLACES)[0, 1] for column in live.T]
        np.testing.assert_allclose(rows["r_place"], r, atol=1e-9)
        np.testing.assert_allclose(rows["mean_first"], live[PLACES == 1].mean(axis=0))
        np.testing.assert_allclose(rows["density_rest"], (live[PLACES > 1] > 0).mean(axis=0))


def test_a_feature_of_the_first_place_depends_on_it_and_on_nothing_else(db):
    found = measure(db, ["A"])
    top = found.table("features").rows.row(0, named=True)
    assert (top["feature_id"], top["cramers_v"], top["v_first"], top["v_rest"]) == (
        0,
        pytest.approx(1),
        pytest.approx(1),
        None,
    )
    second = found.table("features").rows.row(1, named=True)
    assert second["feature_id"] == 1
    assert second["r_place"] > 0.1
    assert second["v_rest"] > 3 * second["v_rest_chance"]
    summary = found.table().rows.row(0, named=True)
    assert summary["most_dependent"] == 0
    assert summary["l0_first"] > summary["l0_rest"] + 0.5
    assert summary["above_best_chance"] < 0.1  # two of 59, and perhaps one by luck
    assert found.table("most").rows.filter(found.table("most").rows["feature_id"] == 0)["position"].to_list() == [1]


def test_places_add_up_to_the_whole(db):
    places = measure(db, ["B"]).table("places").rows
    codes = codes_of()[1]
    assert places["n_tokens"].sum() == N_TOKENS
    assert (places["l0"] * places["n_tokens"]).sum() == pytest.approx((codes > 0).sum())
    assert (places["activation"] * places["n_tokens"]).sum() == pytest.approx(codes.sum())


def test_chance_is_what_random_places_give_and_equal_seeds_give_equal_draws():
    n_tokens = np.array([30, 50, 20, 400])
    drawn = random_v(n_tokens, np.array([40, 250, 499]), draws=4000, seed=3)
    np.testing.assert_allclose((drawn**2).mean(axis=0), 3 / 499, rtol=0.08)
    np.testing.assert_array_equal(drawn[:5], random_v(n_tokens, np.array([40, 250, 499]), draws=4000, seed=3)[:5])
    assert np.isnan(random_v(n_tokens, np.array([500]), draws=1, seed=0)).all()


@pytest.mark.real
@pytest.mark.slow
def test_numbers_on_real_models_are_those_of_dense_activations(real_atlas):
    found = measure(real_atlas, ["A"])
    with open_atlas(real_atlas) as atlas:
        corpus = found.table().rows["corpus"].to_list()[0]
        windows = atlas.rows(
            "select documents from context join corpus using (corpus_id) where name = $name order by context_id",
            name=corpus,
        )
    places = np.concatenate([np.flatnonzero(np.array(documents) >= 0) for (documents,) in windows])
    codes: Any = sp.csc_array(read_scan(real_atlas, found.table().rows["sae"].to_list()[0]))
    places = places[: codes.shape[0]]
    for row in found.table("features").rows.head(5).iter_rows(named=True):
        column = codes[:, [row["feature_id"]]].toarray().astype(np.float64)
        v, eta = direct(column, places)
        assert row["cramers_v"] == pytest.approx(v[0], rel=1e-6)
        assert row["eta_squared"] == pytest.approx(eta[0], rel=1e-6)


def test_it_prints_draws_and_stays_calm_without_positions(db, tmp_path, capsys):
    command = ["-q", "--db", str(db)]
    assert run([*command, "study", "positions", "--first", "2", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "featlas.study.positions.saes/1"
    assert run([*command, "figure", "positions", "-o", str(tmp_path / "p.svg")]) == 0
    assert "luckiest, by chance" in (tmp_path / "p.svg").read_text()
    bare = tmp_path / "bare.duckdb"
    plant(bare)
    assert run(["--db", str(bare), "study", "positions", "--figure", str(tmp_path / "b.png")]) == 0
    assert "too few to compare" in capsys.readouterr().out
    assert (tmp_path / "b.png").exists()
