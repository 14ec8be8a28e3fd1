"""`featlas study distribution`: numbers equal those of dense activations, a planted second mode is found."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from atlas.activations import read_scan
from atlas.catalog.scans import chosen
from atlas.cli import run
from atlas.db import open_atlas
from atlas.errors import AtlasError, UnknownName
from atlas.studies.distribution import measure
from tests.support.planted import plant


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "planted.duckdb"
    plant(path)
    return path


def dense(db: Path, sae: str) -> np.ndarray:
    """(n_tokens, d_sae) activations as stored."""
    return read_scan(db, sae).toarray().astype(np.float64)


@pytest.mark.real
@pytest.mark.slow
def test_numbers_on_real_models_are_those_of_dense_activations(real_atlas):
    found = measure(real_atlas)
    for row in found.tables[0].rows.iter_rows(named=True):
        codes = dense(real_atlas, row["sae"])
        fired = codes > 0
        density, n_fired = fired.mean(axis=0), fired.sum(axis=0)
        live = n_fired > 0
        assert row["density_median"] == pytest.approx(np.median(density[live]))
        judged = n_fired >= 20
        of = [column[column > 0] for column in codes.T[judged]]
        above = np.mean([a.mean() > np.quantile(a, 0.5, method="inverted_cdf") for a in of])
        assert row["mean_above_median"] == pytest.approx(above, abs=1e-9)
        sarle = [(stats.skew(a) ** 2 + 1) / stats.kurtosis(a, fisher=False) for a in of]
        assert row["sarle_above"] == pytest.approx(np.mean(np.array(sarle) > 5 / 9), abs=1e-9)
        fit = stats.linregress(np.log(codes.mean(axis=0)[judged]), np.log(codes.var(axis=0)[judged]))
        assert row["variance_slope"] == pytest.approx(fit.slope, rel=1e-6)
        rank = stats.spearmanr(density[judged], codes.max(axis=0)[judged]).statistic
        assert row["density_max_rank_r"] == pytest.approx(rank, abs=1e-9)
        pooled = found.table("activations").rows.filter(found.table("activations").rows["sae"] == row["sae"])
        assert pooled["n"].sum() == fired.sum()


def test_a_feature_with_a_second_mode_stands_out_from_an_exponential_one(tmp_path):
    path = tmp_path / "modes.duckdb"
    plant(path)
    with open_atlas(path, write=True) as atlas:
        two = {1.0: 500, 8.0: 500}
        one = {0.5: 600, 1.0: 300, 2.0: 90, 8.0: 10}
        for feature, values in ((0, two), (1, one)):
            n, total = sum(values.values()), sum(v * k for v, k in values.items())
            atlas.rows("delete from histogram where scan_id = 1 and feature_id = $f", f=feature)
            for value, count in values.items():
                place = int(np.float32(value).view(np.uint32) >> 19)
                atlas.rows("insert into histogram values (1, $f, $b, $n)", f=feature, b=place, n=count)
            atlas.rows(
                "update feature_stat set n_fired = $n, total = $t, max = 8 where scan_id = 1 and feature_id = $f",
                n=n,
                t=total,
                f=feature,
            )
        rows = atlas.rows(
            "select upper_from, upper_share, upper_chance from activation_shapes where sae = 'left' and feature_id < 2 "
            "order by feature_id"
        ).rows
    assert rows[0] == (4.0, 0.5, pytest.approx(np.exp(-4 / 4.5)))
    assert rows[1] == (4.0, 0.01, pytest.approx(np.exp(-4 / 0.86)))


def test_densities_count_every_feature_that_fires_once(db):
    found = measure(db, ["A"])
    assert found.table("densities").rows["n"].sum() == found.tables[0].rows["n_fire"][0] == 59
    assert "1 SAE (A left) on words" in found.sample


def test_tables_leave_in_every_format_and_a_figure_is_drawn(db, tmp_path, capsys):
    command = ["-q", "--db", str(db), "study", "distribution"]
    assert run([*command, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "featlas.study.distribution.saes/1"
    assert run([*command, "--table", "densities", "-o", str(tmp_path / "d.csv")]) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "d.csv").read_text())))
    assert {row["sae"] for row in rows} == {"left", "right"}
    capsys.readouterr()
    assert run([*command[:-2], "figure", "distribution", "-o", str(tmp_path / "d.svg")]) == 0
    drawn = (tmp_path / "d.svg").read_text()
    assert "Sarle" in drawn
    assert "A left" in drawn
    assert run([*command[:-2], "figure", "distribution", "-o", str(tmp_path / "e.svg")]) == 0
    assert (tmp_path / "e.svg").read_text() == drawn


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("study", "distribution", "nobody"), 2, "no SAE named 'nobody'"),
        (("study", "distribution", "--table", "nothing"), 2, "known: saes, features, densities"),
        (("figure", "distribution", "-o", "x.doc"), 2, "does not say its format"),
        (("figure", "distribution", "-o", "none/x.png"), 1, "there is no folder"),
        (("study", "distribution", "--corpus", "nowhere"), 2, "no corpus named 'nowhere'"),
    ],
)
def test_what_cannot_be_done_is_said(db, capsys, arguments, code, message):
    assert run(["--db", str(db), *arguments]) == code
    assert message in capsys.readouterr().err


def test_saes_are_found_by_name_alias_pattern_and_the_folder_they_came_from(db, tmp_path):
    folder = tmp_path / "saes" / "one"
    folder.mkdir(parents=True)
    with open_atlas(db, write=True) as atlas:
        atlas.rows("update sae set source = $s where name = 'left'", s=str(folder))
        names = lambda *patterns: [scan.sae for scan in chosen(atlas, patterns)]  # noqa: E731
        assert names() == names("l*", "B") == ["left", "right"]
        assert names("a") == names(str(folder)) == names(str(folder.parent)) == ["left"]
        with pytest.raises(UnknownName):
            names("C")
        atlas.rows("delete from scan")
        with pytest.raises(AtlasError, match="holds no scan"):
            names()
