"""`featlas match` and `featlas orphans` where they have something to compute, on planted twins."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from atlas.cli import run
from atlas.db import open_atlas
from tests.support.dense_measures import values_of
from tests.support.planted import D_SAE, N_TOKENS, plant, planted_codes
from tests.support.retokenised import plant_two_cuts

LOOSE = ("--keep-unshared", "--keep-non-concept")


@pytest.fixture(scope="module")
def masters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted atlas on one cut of its text, and on two."""
    folder = tmp_path_factory.mktemp("planted")
    plant(folder / "one.duckdb")
    plant_two_cuts(folder / "two.duckdb")
    return folder


@pytest.fixture
def folder(masters: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(masters, tmp_path / "atlases"))


@pytest.fixture
def one(folder: Path) -> Path:
    return folder / "one.duckdb"


def asked(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> tuple[list[dict], str]:
    assert run(["--db", str(path), *words, "--format", "json"]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out)["rows"], captured.err


def cosines(path: Path, column: str = "w_dec") -> np.ndarray:
    """Cosines of the stored rows of A and B."""
    with open_atlas(path) as atlas:
        query = f"select v.{column} from feature_vector v where v.sae_id = $id order by v.feature_id"
        rows = [np.array([row[0] for row in atlas.rows(query, id=i)], dtype=float) for i in (1, 2)]
    unit = [w / np.linalg.norm(w, axis=1, keepdims=True) for w in rows]
    return unit[0] @ unit[1].T


def test_an_assignment_is_computed_once_and_listed_from_either_side(one, capsys):
    rows, notes = asked(capsys, one, "match", "A", "B", "--method", "assignment", *LOOSE)
    a, b, twins = planted_codes(np.random.default_rng(0))
    values = np.fmax(values_of("activation", a.toarray().astype(float), b.toarray().astype(float)), 0)
    best = values[linear_sum_assignment(values, maximize=True)]
    found = {row["feature_a"]: row["feature_b"] for row in rows}
    assert twins.items() <= found.items()
    assert sum(row["value"] for row in rows) == pytest.approx(best.sum(), rel=1e-9)
    assert "proved to be the largest" in notes
    assert "mean value where nothing belongs together 0.0" in notes
    swapped, _ = asked(capsys, one, "match", "B", "A", "--method", "assignment", *LOOSE)
    assert {row["feature_b"]: row["feature_a"] for row in swapped} == found
    with open_atlas(one) as atlas:
        assert len(atlas.rows("from runs")) == 1


def test_a_greedy_matching_needs_pairs_and_is_not_above_the_assignment(one, capsys):
    assert run(["--db", str(one), "match", "A", "B", "--method", "greedy"]) == 1
    assert "correlate left right" in capsys.readouterr().err
    assert run(["-q", "--db", str(one), "correlate", "A", "B"]) == 0
    capsys.readouterr()
    greedy, notes = asked(capsys, one, "match", "A", "B", "--method", "greedy", *LOOSE)
    assigned, _ = asked(capsys, one, "match", "A", "B", "--method", "assignment", *LOOSE)
    totals = [sum(row["value"] for row in rows) for rows in (greedy, assigned)]
    assert 30 < totals[0] <= totals[1]
    assert "proved" not in notes


@pytest.mark.parametrize("column", ["w_dec", "w_enc"])
def test_orphans_by_an_assignment_are_those_under_the_threshold(one, capsys, column):
    measure = {"w_dec": "decoder", "w_enc": "encoder"}[column]
    words = ("orphans", "A", "B", "--rule", "assignment", "--measure", measure, "--threshold", "0.8")
    rows, notes = asked(capsys, one, *words)
    values = cosines(one, column)
    left, right = linear_sum_assignment(values, maximize=True)
    expected = {int(i) for i, j in zip(left, right, strict=True) if values[i, j] < 0.8}
    live = {row["feature"] for row in rows if row["orphan_because"] != "never fires"}
    assert live - {D_SAE - 1} == expected - {D_SAE - 1}
    assert (
        f"left in right on words, {N_TOKENS:,} tokens: assignment by {measure}; chance level, mean value: 0." in notes
    )


def test_the_rule_of_paulo_and_belrose_computes_both_assignments_and_says_both_chance_levels(one, capsys):
    """Encoder rows of the last ten twins are turned round: their decoders alone say that they are one."""
    _, _, twins = planted_codes(np.random.default_rng(0))
    with open_atlas(one, write=True) as atlas:
        atlas.rows(
            "update feature_vector set w_enc = list_transform(w_enc, lambda x: -x) "
            "where sae_id = 1 and feature_id between 30 and 39"
        )
    words = ("orphans", "A", "B", "--rule", "paulo-belrose")
    rows, notes = asked(capsys, one, *words, "--shared")
    assert {row["feature"]: row["partner"] for row in rows}.items() >= {i: twins[i] for i in range(30)}.items()
    assert not {row["feature"] for row in rows} & set(range(30, 40))
    with open_atlas(one) as atlas:
        chance = dict(atlas.rows("select distinct measure, chance from assignments").rows)
    levels = " and ".join(f"{chance[measure]:.4g} by {measure}" for measure in ("decoder", "encoder"))
    assert f"paulo-belrose by decoder and encoder; chance level, mean value: {levels}" in notes
    swept, _ = asked(capsys, one, *words, "--sweep")
    assert {row["threshold"]: row["n_shared"] for row in swept}[0.7] == len(rows)
    with open_atlas(one) as atlas:
        assert len(atlas.rows("from runs")) == 2


def test_orphans_take_a_stored_assignment_whatever_its_seed(one, capsys):
    asked(capsys, one, "match", "B", "A", "--method", "assignment", "--measure", "decoder", "--seed", "5")
    asked(capsys, one, "orphans", "A", "B", "--rule", "assignment")
    asked(capsys, one, "match", "A", "B", "--method", "assignment", "--measure", "decoder")
    with open_atlas(one) as atlas:
        assert len(atlas.rows("from runs")) == 1


def test_memory_is_bounded_in_both_commands(one, capsys):
    for words in (("match", "A", "B", "--method", "assignment"), ("orphans", "A", "B", "--rule", "assignment")):
        assert run(["--db", str(one), *words, "--memory", "0.1MB"]) == 1
        assert "of memory and may take 0.1MB" in capsys.readouterr().err


def test_two_cuts_of_a_text_are_named_by_both_corpora(folder, capsys):
    two = folder / "two.duckdb"
    corpora = ("--corpus", "words", "--corpus-b", "words-2")
    rows, notes = asked(capsys, two, "match", "A", "B", "--method", "assignment", *corpora, *LOOSE)
    assert "left and right on words and words-2, 4,000 spans" in notes
    shared, notes = asked(
        capsys, two, "orphans", "A", "B", "--rule", "assignment", "--measure", "activation", "--shared", *corpora
    )
    assert {row["feature"] for row in shared} == {row["feature_a"] for row in rows if row["value"] >= 0.7}
    assert "4,000 spans: assignment by activation" in notes
    for words in (("match", "A", "B"), ("orphans", "A", "B"), ("orphans", "A")):
        assert run(["--db", str(two), *words, "--corpus-b", "words-2"]) == 2
        assert "--corpus-b goes with" in capsys.readouterr().err
