"""Grids of scores: every cell is a score of its own, an interrupted grid goes on, p-values are adjusted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from atlas.cli import run
from atlas.db import open_atlas
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.filters.subset import Subset
from atlas.render.heatmap import heatmap
from atlas.render.spans import plain
from tests.support.planted import plant
from tests.support.scoring import compare, fill_grid

LOOSE = Subset(keep_non_concept=True, keep_unshared=True)
OPTIONS = {"shuffles": 20, "options": {"k": 3}}


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "planted.duckdb"
    plant(path)
    return path


def test_a_cell_is_the_score_of_its_saes(db):
    grid = fill_grid(db, "svcca", ["A", "B"], ["A", "B"], subset=LOOSE, **OPTIONS)
    with open_atlas(db) as atlas:
        cells = atlas.rows(
            "select sae_a, sae_b, value, n, n_candidates from grids where grid = $g", g=grid.grid_id
        ).dicts()
    assert sorted((cell["sae_a"], cell["sae_b"]) for cell in cells) == [("left", "right"), ("right", "left")]
    for cell in cells:
        alone = compare(db, "svcca", cell["sae_a"], cell["sae_b"], subset=LOOSE, shuffles=20, store=False, k=3)
        assert (cell["value"], cell["n"]) == (alone.value, alone.n)
        assert cell["n_candidates"] == dict(alone.steps)["candidates"]
    assert [sae.alias for sae in grid.rows] == ["A", "B"]


def test_the_same_grid_again_computes_nothing(db):
    first = fill_grid(db, "svcca", ["A"], ["B"], subset=LOOSE, **OPTIONS)
    again = fill_grid(db, "svcca", ["left"], ["rig*"], subset=LOOSE, **OPTIONS)
    assert (first.n_computed, again.n_computed, again.grid_id) == (1, 0, first.grid_id)
    with open_atlas(db) as atlas:
        assert len(atlas.rows("from scores")) == 1


def test_a_grid_that_is_there_reads_no_activations(db, monkeypatch):
    import atlas.scores.inputs as module

    first = fill_grid(db, "svcca", ["A"], ["B"], subset=LOOSE, space="activation", **OPTIONS)
    monkeypatch.setattr(module.SampledActivations, "of_both", lambda *arguments: pytest.fail("read activations"))
    again = fill_grid(db, "svcca", ["A"], ["B"], subset=LOOSE, space="activation", **OPTIONS)
    assert (again.grid_id, again.n_computed) == (first.grid_id, 0)


def test_an_interrupt_ends_the_draws_of_a_running_score(db, monkeypatch):
    """The second cell would take for ever; it ends with its next draw, and the first is kept."""
    import threading
    import time

    import atlas.scores.grid as module

    begun, score = threading.Event(), module.scored

    def endless(inputs, wanted, look):
        if inputs.compared.sae_a == "left":
            return score(inputs, wanted, look)
        begun.set()
        while True:
            time.sleep(0.01)
            look(1, 2)

    def interrupt(done, total):
        assert begun.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "scored", endless)
    with pytest.raises(KeyboardInterrupt, match="1 of 2 cells are kept; the same command resumes"):
        fill_grid(db, "svcca", ["A", "B"], ["A", "B"], subset=LOOSE, on_progress=interrupt, **OPTIONS)
    with open_atlas(db) as atlas:
        assert [row[0] for row in atlas.rows("select sae_a from scores").rows] == ["left"]


def test_an_interrupted_grid_goes_on_with_what_is_missing(db, monkeypatch):
    import atlas.scores.grid as module

    done, store = [], module.store_score

    def stop(*arguments):
        if done:
            raise KeyboardInterrupt
        done.append(store(*arguments))
        return done[0]

    with monkeypatch.context() as patch:
        patch.setattr(module, "store_score", stop)
        with pytest.raises(KeyboardInterrupt):
            fill_grid(db, "svcca", ["A", "B"], ["A", "B"], subset=LOOSE, workers=1, **OPTIONS)
    with open_atlas(db) as atlas:
        assert len(atlas.rows("from scores")) == 1
        assert len(atlas.rows("from grids")) == 0
    assert fill_grid(db, "svcca", ["A", "B"], ["A", "B"], subset=LOOSE, **OPTIONS).n_computed == 1


def test_p_values_are_adjusted_over_the_grid(db):
    fill_grid(db, "svcca", ["A", "B"], ["A", "B"], subset=LOOSE, **OPTIONS)
    with open_atlas(db) as atlas:
        found = atlas.rows("select p_value, p_adjusted from grids").rows
        assert atlas.rows("select p_value, p_adjusted from scores").rows == found
    p = np.array([row[0] for row in found])
    by_hand = [
        min(1.0, min(p[j] * len(p) / (p <= p[j]).sum() for j in range(len(p)) if p[j] >= p[i])) for i in range(len(p))
    ]
    assert [row[1] for row in found] == pytest.approx(by_hand)


def test_a_cell_without_a_score_says_why(tmp_path):
    path = tmp_path / "planted.duckdb"
    plant(path)
    subset = Subset(keep_non_concept=True, keep_unshared=True, where="a.sae = 'left' or a.feature_id < 2")
    grid = fill_grid(path, "svcca", ["A", "B"], ["A", "B"], subset=subset, **OPTIONS)
    with open_atlas(path) as atlas:
        rows = atlas.rows("select sae_a, score_id is null, problem from grids where grid = $g", g=grid.grid_id).rows
    assert sorted(row[:2] for row in rows) == [("left", False), ("right", True)]
    assert any("too few for svcca" in (row[2] or "") for row in rows)


def test_what_keeps_a_cell_from_a_score_is_told_wherever_the_grid_goes(db, capsys, tmp_path):
    page = tmp_path / "grid.html"
    few = ["--where", "a.sae = 'left' or a.feature_id < 2", "--keep-unshared", "--directions", "3", "--shuffles", "20"]
    command = ["--db", str(db), "matrix", "svcca", "--rows", "A,B", "--cols", "A,B", *few]
    assert run([*command, "--figure", str(page)]) == 0
    said = capsys.readouterr()
    assert "? B × A: " in said.err
    assert "too few for svcca" in said.err
    assert "too few for svcca" in page.read_text()
    assert run([*command, "--format", "json"]) == 0
    problems = {row["sae_a"]: row["problem"] for row in json.loads(capsys.readouterr().out)["rows"]}
    assert problems["left"] is None
    assert "too few for svcca" in problems["right"]
    assert run([*command, "--format", "csv"]) == 0
    assert "too few for svcca" in capsys.readouterr().out


def test_saes_that_cannot_be_compared_keep_why_in_both_of_their_cells(db, monkeypatch):
    import atlas.scores.grid as module

    def refuse(*arguments, **options):
        raise AtlasError("left kept no activations")

    monkeypatch.setattr(module, "pair_saes", refuse)
    with pytest.raises(AtlasError) as caught:
        fill_grid(db, "svcca", ["A", "B"], ["A", "B"], subset=LOOSE, **OPTIONS)
    assert caught.value.why == "A × B: left kept no activations"


def test_a_grid_without_any_score_is_refused_and_not_stored(db):
    for subset in (Subset(where="a.feature_id < 2"), Subset(where="a.nope > 1")):
        with pytest.raises(AtlasError, match="no pair of these SAEs has a score"):
            fill_grid(db, "svcca", ["A"], ["B"], subset=subset, **OPTIONS)
    with open_atlas(db) as atlas:
        assert len(atlas.rows("from grids")) == 0


def test_the_order_of_work_changes_nothing(tmp_path):
    values = []
    for workers in (1, 3):
        path = tmp_path / f"{workers}.duckdb"
        plant(path)
        fill_grid(path, "rsa", ["A", "B"], ["A", "B"], subset=LOOSE, workers=workers, shuffles=20)
        with open_atlas(path) as atlas:
            values.append(atlas.rows("select sae_a, value, null_mean, p_adjusted from grids").rows)
    assert values[0] == values[1]


def test_names_that_fit_nothing_are_refused(db):
    with pytest.raises(UnknownName, match="lefd"):
        fill_grid(db, "svcca", ["lefd"], ["B"], **OPTIONS)
    with pytest.raises(UsageError, match="name one SAE"):
        fill_grid(db, "svcca", ["A"], ["left"], **OPTIONS)
    with pytest.raises(UnknownName, match="no metric"):
        fill_grid(db, "svca", ["A"], ["B"])


def test_the_command_prints_a_grid_and_every_number(db, capsys, tmp_path):
    command = ["--db", str(db), "matrix", "rsa", "--rows", "A", "--cols", "B", "--keep-unshared", "--shuffles", "20"]
    figures = [tmp_path / f"grid.{kind}" for kind in ("png", "svg", "html")]
    assert run([*command, "--figure", str(figures[0])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "*" in lines[1]
    assert lines[-2:] == ["A  left", "B  right"]
    assert run([*command, "--figure", str(figures[1]), "--format", "json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["rows"]
    assert cell["p_adjusted"] == pytest.approx(1 / 21)
    assert run([*command, "--figure", str(figures[2])]) == 0
    assert figures[0].read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in figures[1].read_text()
    assert "left" in figures[2].read_text()
    assert run([*command, "--figure", str(tmp_path / "grid.pdf")]) == 2


def test_a_heatmap_has_a_shade_a_number_and_a_mark_for_every_cell():
    lines = heatmap(["a", "bb"], ["x", "y"], [[1.0, "?"], [-0.2, 0.45]], [[True, False], [False, False]])
    assert [plain(line).split() for line in lines] == [["x", "y"], ["a", "█", "1.0*", "?"], ["bb", "·-.20", "▒", ".45"]]
