"""`featlas families`: trees of what fires together in one SAE, stored and printed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from atlas import open_atlas
from atlas.cli import run
from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.families import find_families
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.pairing.families.trees import feature_families
from tests.support.planted import D_SAE, N_TOKENS, plant, write_store


def codes() -> sp.csr_array:
    """Feature 7 fires on the tokens of 10 to 14, which fire one after the other; 8 on those of 20 to 25; 30 on all."""
    x = np.zeros((N_TOKENS, D_SAE), dtype=np.float32)
    for head, first, below in ((7, 0, range(10, 15)), (8, 1000, range(20, 26))):
        for place, feature in enumerate(below):
            x[first + 100 * place : first + 100 * place + 60, feature] = 1.0
        x[first : first + 600, head] = 2.0
    x[:, 30] = 1.0
    return sp.csr_array(x)


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    path = tmp_path / "planted.duckdb"
    plant(path)
    with open_atlas(path, write=True) as atlas:
        write_store(atlas.store / "families", codes(), 2)
        atlas.rows("update scan set store = 'families' where scan_id = 1")
    return path


def test_families_are_stored_as_they_are_found_with_their_run(planted):
    summary = find_families(planted, "A")
    assert (summary.n_families, summary.n_members, summary.new, summary.sae) == (2, 13, True, "left")
    found = feature_families(codes())
    with open_atlas(planted) as atlas:
        rows = atlas.rows(
            "select family, feature, parent, depth, weight, round from cooccurrence_families order by family, feature"
        ).rows
        assert atlas.rows("select count(*) from feature_family join run using (run_id)").rows == [(13,)]
    assert {(row[0], row[1]) for row in rows} == set(zip(found.family.tolist(), found.feature.tolist(), strict=True))
    assert [row[1:] for row in rows if row[2] is None] == [(8, None, 0, None, 1), (7, None, 0, None, 1)]
    assert {row[1:4] for row in rows if row[0] == 1 and row[3]} == {(f, 8, 1) for f in range(20, 26)}
    assert all(row[4] == pytest.approx(60 / 61) for row in rows if row[3])


def test_equal_families_are_not_computed_again_and_other_options_replace_them(planted):
    first, again = find_families(planted, "A"), find_families(planted, "left")
    assert (again.new, again.n_families, again.n_members) == (False, first.n_families, first.n_members)
    assert find_families(planted, "A", max_density=0.21).new
    with open_atlas(planted) as atlas:
        assert len(atlas.rows("from runs")) == 2
        assert atlas.rows("select count(distinct run_id) from feature_family").rows == [(1,)]


def test_a_search_that_found_nothing_is_remembered_until_another_or_a_new_scan(planted):
    assert find_families(planted, "A").n_families == 2
    nothing, again = (find_families(planted, "A", threshold=1.0) for _ in range(2))
    assert (nothing.new, again.new) == (True, False)
    assert (again.n_families, again.n_members, again.quality) == (0, 0, None)
    with open_atlas(planted) as atlas:
        assert len(atlas.rows("from feature_family")) == 0
        assert len(atlas.rows("from runs")) == 2
    found = find_families(planted, "A")
    assert (found.new, found.n_families) == (True, 2)
    with open_atlas(planted, write=True) as atlas:
        atlas.rows("delete from feature_family")
        atlas.rows("update scan set run_id = (select max(run_id) + 1 from run) where scan_id = 1")
    assert find_families(planted, "A").n_families == 2


def test_too_little_memory_is_refused_with_what_would_do(planted, capsys):
    with pytest.raises(AtlasError, match=r"families in left may need .*MB of memory and may take 0\.1MB") as refused:
        find_families(planted, "A", memory=10_000)
    assert run(["-q", "--db", str(planted), "families", "A", *(refused.value.hint or "").split()]) == 0
    assert "family 1" in capsys.readouterr().out


def test_all_that_is_called_co_occurrence_is_one_quantity(planted):
    """Six features of 60 tokens each below a head, none with another: 60 / 61 with the head, 0 below it."""
    found = find_families(planted, "A")
    with open_atlas(planted) as atlas:
        rows = atlas.rows(
            "select distinct weight, mean_with_head, mean_below from cooccurrence_families where depth = 1 and family = 1"
        ).rows
    assert rows == [(pytest.approx(60 / 61), pytest.approx(60 / 61), 0.0)]
    assert found.quality == float("inf")


def test_what_cannot_be_searched_is_refused(planted):
    for threshold, repeats, max_density in ((0.0, 3, 0.2), (0.1, -1, 0.2), (0.1, 3, 0.0)):
        with pytest.raises(UsageError, match="threshold"):
            find_families(planted, "A", threshold=threshold, repeats=repeats, max_density=max_density)
    with pytest.raises(UnknownName, match="words"):
        find_families(planted, "A", corpus="wrods")
    with open_atlas(planted, write=True) as atlas:
        atlas.rows("update scan set store = null")
    with pytest.raises(AtlasError, match="kept no activations"):
        find_families(planted, "A")


def test_trees_are_printed_under_their_heads(planted, capsys):
    assert run(["--db", str(planted), "families", "A", "--rule", "co-occurrence"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == "family 1  7 features  round 1"
    assert [line.split()[0] for line in lines[1:8]] == ["A:8", *(f"A:{f}" for f in range(20, 26))]
    assert [len(line) - len(line.lstrip()) for line in lines[1:4]] == [2, 4, 4]
    assert all(line.split()[2] == "0.98" for line in lines[2:8])
    assert lines[8:10] == ["", "family 2  6 features  round 1"]
    assert "2 families of 13 features" in captured.err
    assert run(["--db", str(planted), "families", "A", "--limit", "3"]) == 0
    assert "showing 3 of 13 rows" in capsys.readouterr().err


def test_machines_get_one_row_a_member(planted, capsys):
    assert run(["-q", "--db", str(planted), "families", "A", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "featlas.cooccurrence_families/1"
    assert [row["feature"] for row in found["rows"]][:3] == [8, 20, 21]
    assert run(["-q", "--db", str(planted), "families", "A", "--threshold", "1"]) == 0
    assert capsys.readouterr().out.strip() == "no rows"


def test_families_of_mutual_matches_may_be_those_of_one_sae(planted, capsys):
    with open_atlas(planted, write=True) as atlas:
        atlas.rows("update scan set store = 'left' where scan_id = 1")
    pair_saes(planted, "A", "B")
    assert run(["-q", "--db", str(planted), "families", "--min-value", "0.9", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["n_members"] for row in rows} == {2}
    assert len(rows) == 80
    assert (
        run(["-q", "--db", str(planted), "families", "A", "--rule", "mutual", "--min-value", "0.9", "--format", "json"])
        == 0
    )
    assert json.loads(capsys.readouterr().out)["rows"] == rows


def test_co_occurrence_needs_an_sae(planted, capsys):
    assert run(["--db", str(planted), "families", "--rule", "co-occurrence"]) == 2
    assert "families A --rule co-occurrence" in capsys.readouterr().err
