"""`featlas study families`: what was planted is found, chance is not, and children are those of a direct search."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from atlas import open_atlas
from atlas.activations import read_scan
from atlas.cli import run
from atlas.comparisons.correlate import pair_saes
from atlas.figures.families import draw
from atlas.figures.style import save
from atlas.pairing import MEASURES
from atlas.studies.families import measure, rolled
from tests.atlas.cli.test_families import codes
from tests.support.planted import N_TOKENS, plant, write_store

N_WIDE = 61


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two planted families in SAE A; SAE B is wider by one, and two of its features share what one of A fires on."""
    path = tmp_path_factory.mktemp("study") / "planted.duckdb"
    plant(path)
    narrow = codes()
    split = narrow[:, [7]].toarray()[:, 0]
    wide = np.zeros((N_TOKENS, N_WIDE), np.float32)
    wide[:300, 3], wide[300:, 4] = split[:300], split[300:]
    wide[:, 5] = narrow[:, [8]].toarray()[:, 0]
    with open_atlas(path, write=True) as atlas:
        for sae_id, name, x in ((1, "narrow", narrow), (2, "wide", sp.csr_array(wide))):
            write_store(atlas.store / name, x, 2)
            fired = np.bincount(sp.coo_array(x).coords[1], minlength=N_WIDE)
            atlas.rows("update scan set store = $name where scan_id = $id", name=name, id=sae_id)
            for feature, n in enumerate(fired.tolist()):
                atlas.rows(
                    "update feature_stat set n_fired = $n where scan_id = $id and feature_id = $f",
                    n=n,
                    id=sae_id,
                    f=feature,
                )
        atlas.rows("update sae set d_sae = $n where sae_id = 2", n=N_WIDE)
    pair_saes(path, "A", "B", measure="masked_cosine")
    return path


def test_planted_families_are_found_and_rolled_tokens_give_none(db):
    found = measure(db, ["A"])
    row = found.tables[0].rows.row(0, named=True)
    assert (row["n_families"], row["n_members"], row["largest"], row["deepest"]) == (2, 13, 7, 1)
    assert (row["n_families_by_chance"], row["n_members_by_chance"]) == (0, 0)
    assert row["quality_above_1"] == 1
    assert found.table("heads").rows["feature"].to_list() == [8, 7]
    assert len(found.table("trees").rows) == 13
    assert "no two widths" in found.lines[-1]


def test_rolling_keeps_every_feature_and_breaks_what_they_share():
    x, moved = codes().toarray(), rolled(codes(), 0).toarray()
    for column, other in zip(x.T, moved.T, strict=True):
        assert any(np.array_equal(np.roll(column, shift), other) for shift in [0, *range(N_TOKENS)])
        if column.all():
            break
    assert (x.sum(axis=0) == moved.sum(axis=0)).all()
    assert not np.array_equal(x, moved)


def test_children_are_the_features_that_chose_a_parent(db):
    found = measure(db)
    splits = {row["feature"]: row["children"] for row in found.table("splits").rows.iter_rows(named=True)}
    assert splits[7] == [3, 4]
    assert splits[8] == [5]
    assert sum(children is None for children in splits.values()) == len(splits) - 2
    counts = found.table("children").rows
    assert dict(zip(counts["n_children"], counts["found"], strict=True)) == {0: len(splits) - 2, 1: 1, 2: 1, 3: 0}
    n = len(splits)
    assert counts["by_chance"].sum() == pytest.approx(n)
    assert counts["by_chance"][1] == pytest.approx(3 * (1 - 1 / n) ** 2)
    assert "1 have two children or more" in found.lines[-1]


def test_tables_leave_and_a_figure_is_drawn_with_or_without_families(db, tmp_path, capsys):
    command = ["-q", "--db", str(db), "study", "families"]
    assert run([*command, "--format", "json", "--figure", str(tmp_path / "f.svg")]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "featlas.study.families.saes/1"
    drawn = (tmp_path / "f.svg").read_text()
    assert "chance: children dealt at random" in drawn
    assert "A:8 " in drawn
    assert run([*command, "B", "--threshold", "1", "--figure", str(tmp_path / "e.svg")]) == 0
    assert "no family of" in (tmp_path / "e.svg").read_text()


def test_an_atlas_in_which_nothing_was_compared_has_no_children_and_a_figure(tmp_path):
    plant(tmp_path / "alone.duckdb")
    found = measure(tmp_path / "alone.duckdb")
    assert "featlas correlate NARROW WIDE" in found.lines[-1]
    assert len(found.table("splits").rows) == len(found.table("children").rows) == 0
    save(draw(found), tmp_path / "alone.svg")


@pytest.mark.real
@pytest.mark.slow
def test_children_on_real_models_are_those_of_a_direct_search(real_atlas):
    pair_saes(real_atlas, "A", "B", measure="masked_cosine")
    with open_atlas(real_atlas) as atlas:
        names = [row[0] for row in atlas.rows("select sae from saes order by alias").rows]
        rows = atlas.rows("select feature, n_children from feature_splits() where sae = $a", a=names[0]).rows
    found = MEASURES["masked_cosine"].search(read_scan(real_atlas, "A"), read_scan(real_atlas, "B"))
    chose = found.index_ba[:, 0][found.value_ba[:, 0] >= 0.5]
    expected = np.bincount(chose, minlength=256)
    assert {feature: n for feature, n in rows if n} == {i: n for i, n in enumerate(expected.tolist()) if n}
