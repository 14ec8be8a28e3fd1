"""`featlas study geometry`: every quantity is that of a dense computation, corners are those that were planted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import jensenshannon

from atlas.activations import open_scan, read_scan
from atlas.cli import run
from atlas.db import open_atlas
from atlas.figures.geometry import draw
from atlas.queries.weights import next_tokens, unembedding_of, weight_rows
from atlas.studies.geometry.output_similarity import LEAST, next_token_distributions, similarities
from atlas.studies.geometry.quadrants import Drawn, corners, correlations
from atlas.studies.geometry.study import measure
from tests.support.planted import D_IN, D_SAE, N_TOKENS, plant


def plant_text(path: Path) -> None:
    """Contexts of eight tokens for the planted atlas, and the covariance of what its SAEs read."""
    plant(path)
    rng = np.random.default_rng(3)
    with open_atlas(path, write=True) as atlas:
        n = N_TOKENS // 8
        columns = {
            "corpus_id": [1] * n,
            "context_id": list(range(n)),
            "first_token": [8 * i for i in range(n)],
            "token_ids": rng.integers(0, 8, size=(n, 8)).tolist(),
            "documents": [[i // 50] * 8 for i in range(n)],
        }
        atlas.insert("context", columns)
        square = rng.normal(size=(D_IN, D_IN))
        np.savez(atlas.store / "left" / "inputs.npz", covariance=square @ square.T)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "planted.duckdb"
    plant_text(path)
    return path


def dense_distributions(codes: np.ndarray, followed: np.ndarray) -> np.ndarray:
    """(d, vocabulary) by a loop over tokens."""
    p = np.zeros((codes.shape[1], followed.max() + 1))
    for row, token in zip(codes, followed, strict=True):
        if token >= 0:
            p[:, token] += row
    return p


def check_pairs(db: Path, sae: str, rows: list[dict], *, logit: bool) -> None:
    """Each value of the sampled pairs against dense arrays."""
    codes = read_scan(db, sae).toarray().astype(np.float64)
    with open_atlas(db) as atlas:
        followed = next_tokens(atlas, rows[0]["corpus"], len(codes))
        decoder, encoder = (weight_rows(atlas, sae, name).astype(np.float64) for name in ("w_dec", "w_enc"))
        covariance = open_scan(atlas, sae, rows[0]["corpus"]).input_covariance()
        logits = decoder @ unembedding_of(atlas, sae).astype(np.float64).T if logit else None
    p = dense_distributions(codes, followed)
    for row in rows:
        a, b = row["feature_a"], row["feature_b"]
        cosine = decoder[a] @ decoder[b] / np.linalg.norm(decoder[a]) / np.linalg.norm(decoder[b])
        assert row["decoder"] == pytest.approx(cosine, abs=1e-6)
        assert row["activation"] == pytest.approx(np.corrcoef(codes[:, a], codes[:, b])[0, 1], abs=1e-6)
        assert row["phi"] == pytest.approx(np.corrcoef(codes[:, a] > 0, codes[:, b] > 0)[0, 1], abs=1e-9)
        moved = encoder[[a, b]] @ covariance @ encoder[[a, b]].T
        assert row["preactivation"] == pytest.approx(moved[0, 1] / np.sqrt(moved[0, 0] * moved[1, 1]), abs=1e-6)
        assert row["next_token"] == pytest.approx(1 - jensenshannon(p[a], p[b]) ** 2, abs=1e-9)
        if logits is not None:
            assert row["logit"] == pytest.approx(np.corrcoef(logits[a], logits[b])[0, 1], abs=1e-5)


def test_every_quantity_of_a_pair_is_that_of_dense_arrays(db):
    found = measure(db, ["A"], pairs=40, draws=10)
    check_pairs(db, "left", found.table("pairs").rows.rows(named=True), logit=False)
    assert found.table("saes").rows["missing"].to_list() == ["logit"]
    assert "Not in this atlas: logit." in found.lines[0]


@pytest.mark.real
@pytest.mark.slow
def test_logit_weights_disagree_and_attributions_track_activations_on_two_real_models(real_atlas, tmp_path):
    found = measure(real_atlas, pairs=3000, draws=50)
    for sae in found.table("saes").rows["sae"]:
        of = found.table("pairs").rows.filter(found.table("pairs").rows["sae"] == sae)
        check_pairs(real_atlas, sae, of.rows(named=True)[:40], logit=True)
    r = {row["measure"]: (row["r"], row["n"]) for row in found.table("across").rows.iter_rows(named=True)}
    assert set(r) == {"logit", "attribution"}
    assert r["logit"][1] == pytest.approx(153, abs=12)
    assert r["logit"][0] == pytest.approx(0.17, abs=0.12)
    assert r["attribution"][0] == pytest.approx(0.57, abs=0.1)
    table = found.tables[0].rows.filter(found.tables[0].rows["alias"] == "A")
    assert table.group_by("together", "output").len()["len"].to_list() == [4] * 6
    first = {(row["side_x"], row["side_y"]): row for row in table.head(4).iter_rows(named=True)}
    assert sum(row["n"] for row in first.values()) == 3000
    assert first["high", "high"]["low"] > first["high", "high"]["mean_all"] > first["low", "low"]["high"]
    draw(found).savefig(tmp_path / "real.png")


def test_similarity_is_one_for_equal_and_least_for_disjoint_distributions():
    codes = sp.csr_array(
        np.array([[1.0, 2.0, 0.0, 0.0], [3.0, 6.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [9.0, 0.0, 0.0, 0.0]])
    )
    p = next_token_distributions(codes, np.array([5, 7, 6, -1]))
    assert p.toarray()[0, [5, 7]] == pytest.approx([0.25, 0.75])
    found = similarities(p, np.array([0, 0, 0]), np.array([1, 2, 3]))
    assert found[:2] == pytest.approx([1.0, LEAST])
    assert np.isnan(found[2])


def test_corners_have_the_means_that_were_planted_and_the_counts_of_the_edges():
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(60, 1)
    x, y = rng.normal(size=(2, len(first)))
    of = 0.5 * (x > np.median(x)) - 0.25 * (y > np.median(y))
    rows = corners([(x, y)], of, 0.5, Drawn(first, second, 60, 100, 0))[0]
    assert [row["mean"] for row in rows] == pytest.approx([0, -0.25, 0.5, 0.25])
    assert sum(row["n"] for row in rows) == len(x)
    assert [row["n_expected"] for row in rows] == pytest.approx([len(x) / 4] * 4, abs=2)
    assert all(row["low"] == pytest.approx(row["mean"]) == row["high"] for row in rows)
    tails = corners([(x, y)], of, 0.9, Drawn(first, second, 60, 10, 0))[0]
    assert tails[3]["n"] == np.sum((x > np.quantile(x, 0.9)) & (y > np.quantile(y, 0.9)))


def test_intervals_are_those_of_the_bootstrap_done_by_hand():
    rng = np.random.default_rng(1)
    first, second = np.triu_indices(12, 1)
    x = rng.normal(size=len(first))
    y = x + rng.normal(size=len(first))
    row = correlations({"x": x, "y": y}, [("x", "y")], Drawn(first, second, 12, 400, 7))[0]
    assert row["r"] == pytest.approx(np.corrcoef(x, y)[0, 1])
    by_hand = []
    for times in np.random.default_rng(np.random.PCG64(7)).multinomial(12, [1 / 12] * 12, size=400):
        copies = times[first] * times[second]
        by_hand.append(np.corrcoef(np.repeat(x, copies), np.repeat(y, copies))[0, 1])
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(by_hand, [0.025, 0.975])))
    assert correlations({"x": x, "y": 0 * y}, [("x", "y")], Drawn(first, second, 12, 4, 0))[0]["r"] is None


def test_one_seed_gives_one_sample_and_another_seed_another(db):
    one, again, other = (measure(db, ["A"], pairs=30, draws=5, seed=seed).table("pairs").rows for seed in (0, 0, 1))
    assert one.equals(again)
    assert not one.equals(other)


def test_the_command_prints_its_table_and_draws(db, tmp_path, capsys):
    command = ["-q", "--db", str(db), "study", "geometry", "--pairs", "300", "--draws", "10"]
    assert run([*command, "--format", "json", "--figure", str(tmp_path / "g.svg")]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["sae"] for row in rows} == {"left", "right"}
    drawn = (tmp_path / "g.svg").read_text()
    assert "mean cosine" in drawn
    assert "activation correlation" in drawn


def test_an_sae_with_too_few_pairs_says_so_and_draws_no_error(db, tmp_path):
    found = measure(db, ["B"], features=1, draws=5)
    assert "too few features" in found.lines[0]
    assert found.table("saes").rows["d_sae"][0] == D_SAE
    draw(found).savefig(tmp_path / "empty.png")
