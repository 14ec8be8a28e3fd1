"""`featlas study description-length`: bits equal direct counts and closed forms; the true number of features shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import stats

from atlas.activations import read_scan
from atlas.cli import run
from atlas.db import open_atlas
from atlas.errors import UnknownName
from atlas.metrics.description_length import binary_entropy, code_length, gaussian_bits, total_information
from atlas.queries.weights import weight_rows
from atlas.studies.description_length import measure
from bench.known_features import World, write_sweep
from tests.support.planted import plant

SIZES = (12, 24, 32, 48)
WORLD = World(n_features=24, d_in=16, n_tokens=1000, n_active=2, rounds=30, seed=2)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "planted.duckdb"
    plant(path)
    return path


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dictionaries of many sizes, learned on data made of 24 features."""
    path = tmp_path_factory.mktemp("sweep") / "sweep.duckdb"
    write_sweep(path, SIZES, WORLD)
    return path


def direct(codes: np.ndarray, decoder: np.ndarray, width: float) -> tuple[Any, Any, Any]:
    """Bits for support, bits for magnitudes, distortion: feature by feature, from dense arrays."""
    support = magnitude = 0.0
    rounded = np.zeros_like(codes)
    for i, column in enumerate(codes.T):
        p = np.mean(column > 0)
        support += stats.entropy([p, 1 - p], base=2)
        bins = np.floor(column / width)
        for b in np.unique(bins[column > 0]):
            inside = (column > 0) & (bins == b)
            rounded[inside, i] = column[inside].mean()
            magnitude -= np.mean(inside) * np.log2(inside.sum() / np.sum(column > 0))
    return support, magnitude, np.square((codes - rounded) @ decoder).sum(axis=1).mean()


@pytest.mark.parametrize("width", [np.inf, 1.0, 0.2])
def test_bits_and_distortion_are_those_of_direct_counts(width):
    rng = np.random.default_rng(3)
    codes = (rng.random((700, 9)) < [0, 1, *np.linspace(0.02, 0.5, 7)]) * rng.exponential(size=(700, 9))
    decoder = rng.normal(size=(9, 5))
    found = code_length(sp.csr_array(codes), decoder, width)
    support, magnitude, distortion = direct(codes, decoder, width)
    assert found.support.sum() == pytest.approx(support)
    assert found.magnitude.sum() == pytest.approx(magnitude)
    assert found.distortion == pytest.approx(distortion)
    assert found.bits == pytest.approx(support + magnitude)


def test_closed_forms():
    eight = sp.csr_array(np.repeat(np.arange(1, 9.0), 5)[:, None] * [1, 0])
    found = code_length(eight, np.eye(2), 1.0)
    assert (found.support.sum(), found.magnitude.sum(), found.distortion) == (0, pytest.approx(3), 0)
    assert binary_entropy([0, 0.5, 1]).tolist() == [0, 1, 0]
    assert total_information([1, 2, 3], 1, low=0, high=4, bins=4) == pytest.approx(8)
    assert total_information([], 7, low=0, high=1) == 0
    assert gaussian_bits(np.diag([4.0, 4.0]), 2.0) == pytest.approx(2)  # half of log2(4) for each
    assert gaussian_bits(np.diag([4.0, 0.25]), 0.5) == pytest.approx(2)  # 0.25 for each: the smaller one is left out
    assert gaussian_bits(np.eye(3), 3.0) == 0


@pytest.mark.parametrize(
    ("codes", "decoder", "width"),
    [((0, 3), (3, 2), 1), ((4, 3), (2, 2), 1), ((4, 3), (3, 2), 0), ((4, 3), (3, 2), np.nan)],
)
def test_codes_without_a_meaning_are_refused(codes, decoder, width):
    with pytest.raises(ValueError, match="do not fit"):
        code_length(sp.csr_array(codes), np.ones(decoder), width)
    with pytest.raises(ValueError, match="outside"):
        total_information([2.0], 0, low=0, high=1)


def test_the_view_counts_bits_at_the_resolution_of_the_histograms(sweep):
    with open_atlas(sweep) as atlas:
        view = atlas.sql("from description_lengths where sae = 'm24' order by feature_id").pl()
    codes = read_scan(sweep, "m24").toarray()
    for i, column in enumerate(codes.T):
        fired = column[column > 0]
        n = np.unique(fired.view(np.uint32) >> 19, return_counts=True)[1]
        assert view["magnitude_bits"][i] == pytest.approx(np.mean(column > 0) * stats.entropy(n, base=2))
    assert view["support_bits"].to_numpy() == pytest.approx(binary_entropy((codes > 0).mean(axis=0)))
    assert view["bits"].to_numpy() == pytest.approx((view["support_bits"] + view["magnitude_bits"]).to_numpy())


def test_the_true_number_of_features_is_where_bits_are_least_and_mmcs_is_one(sweep):
    found = measure(sweep, reference="truth")
    rows = found.tables[0].rows.filter(found.tables[0].rows["sae"] != "truth").sort("d_sae")
    assert rows["d_sae"].to_list() == list(SIZES)
    assert rows["total_bits_per_token"].arg_min() == rows["bits"].arg_min() == SIZES.index(WORLD.n_features)
    assert rows["mmcs_to_reference"].arg_max() == SIZES.index(WORLD.n_features)
    score, chance = (rows[f"mmcs_to_{which}"].to_numpy().max() for which in ("reference", "chance"))
    assert score > 0.99 > 0.75 > chance
    assert any("at 24 features, inside the sweep" in line for line in found.lines)


def test_unexplained_variance_is_that_of_rounded_codes(sweep):
    found = measure(sweep, ["m24"])
    row = found.tables[0].rows.row(0, named=True)
    codes = read_scan(sweep, "m24").toarray().astype(np.float64)
    with open_atlas(sweep) as atlas:
        decoder = weight_rows(atlas, "m24", "w_dec").astype(np.float64)
    support, magnitude, distortion = direct(codes, decoder, row["width"])
    assert (row["support_bits"], row["magnitude_bits"]) == (pytest.approx(support), pytest.approx(magnitude))
    with np.load(f"{sweep}.store/m24/inputs.npz") as arrays:
        covariance = arrays["covariance"]
    variance = np.trace(covariance)
    assert row["added_fvu"] == pytest.approx(distortion / variance)
    assert row["added_fvu"] <= 0.01 < distortion_of_next_coarser(found, row["width"])
    assert row["gaussian_bits"] == pytest.approx(gaussian_bits(covariance, row["fvu"] * variance))
    entries = np.histogram(codes, 100, (0, codes.max()))[0]
    assert row["codes_information"] == pytest.approx(codes.size * stats.entropy(entries, base=2))


def distortion_of_next_coarser(found, width: float) -> float:
    curve = found.table("curve").rows
    return curve.filter(curve["width"] > width)["added_fvu"].to_list()[-1]


def test_fewer_tokens_may_be_read(sweep):
    row = measure(sweep, ["m12"], tokens=100).tables[0].rows.row(0, named=True)
    codes = read_scan(sweep, "m12").toarray()[:100]
    assert (row["n_tokens"], row["l0"]) == (100, pytest.approx((codes > 0).sum() / 100))


def test_an_atlas_without_covariances_is_priced_by_the_finest_bins_and_drawn(db, tmp_path, capsys):
    command = ["-q", "--db", str(db), "study", "description-length"]
    assert run([*command, "--format", "json", "--figure", str(tmp_path / "d.svg")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "featlas.study.description-length.saes/1"
    assert {row["fvu"] for row in found["rows"]} == {None}
    assert "which features fire" in (tmp_path / "d.svg").read_text()
    assert run(command) == 0
    assert "variance not known" in capsys.readouterr().out


def test_a_reference_that_is_none_of_the_saes_is_refused(db):
    with pytest.raises(UnknownName):
        measure(db, reference="nobody")


@pytest.mark.real
@pytest.mark.slow
def test_numbers_on_real_models_are_those_of_dense_codes(real_atlas):
    row = measure(real_atlas, ["A"], tokens=20_000).tables[0].rows.row(0, named=True)
    codes = read_scan(real_atlas, "A")[:20_000].toarray().astype(np.float64)
    with open_atlas(real_atlas) as atlas:
        decoder = weight_rows(atlas, row["sae"], "w_dec").astype(np.float64)
        whole = atlas.rows("select sum(support_bits) from description_lengths where sae = $s", s=row["sae"]).rows[0][0]
    support, magnitude, _ = direct(codes, decoder, row["width"])
    assert (row["support_bits"], row["magnitude_bits"]) == (pytest.approx(support), pytest.approx(magnitude))
    assert whole == pytest.approx(support, rel=0.05)
    assert row["support_bits"] < row["uniform_support_bits"]
