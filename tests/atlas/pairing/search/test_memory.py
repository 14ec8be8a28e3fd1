"""Claims about memory: scans that do not fit are read in blocks, with the same rows, or the message says what they need."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from atlas import open_atlas
from atlas.cli import run
from atlas.comparisons.correlate import pair_saes
from atlas.comparisons.reading import operands_of
from atlas.comparisons.stored import TwoScans
from atlas.errors import AtlasError, UsageError
from atlas.pairing import MEASURES
from atlas.pairing.search.memory import half_of_available, search_bytes, size
from tests.support.equipped import equip
from tests.support.planted import D_SAE, plant


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("equipped") / "equipped.duckdb"
    equip(path)
    return path


@pytest.fixture
def equipped(master: Path, tmp_path: Path) -> Path:
    shutil.copytree(f"{master}.store", tmp_path / "equipped.duckdb.store")
    return Path(shutil.copy(master, tmp_path / "equipped.duckdb"))


def just_too_little(path: Path, saes: str, measure: str) -> int:
    with open_atlas(path) as atlas:
        (n_nonzero,) = atlas.rows(
            f"select sum(n_nonzero) from scan join sae using (sae_id) where contains('{saes}', alias)"
        ).rows[0]
    return search_bytes(int(n_nonzero), D_SAE, D_SAE, per_activation=MEASURES[measure].bytes_per_activation) - 1


def stored(path: Path, measure: str) -> tuple[list[tuple], np.ndarray]:
    with open_atlas(path) as atlas:
        query = f"select * exclude (value), value from pairs where measure = '{measure}' order by feature_a, feature_b"
        rows = atlas.rows(query).rows
    return [row[:-1] for row in rows], np.array([row[-1] for row in rows])


@pytest.mark.parametrize("measure", ["activation", "phi"])
@pytest.mark.parametrize("saes", ["AB", "AA"])
def test_scans_that_do_not_fit_are_read_in_blocks_and_give_the_same_rows(equipped, measure, saes):
    too_little = just_too_little(equipped, saes, measure)
    two = TwoScans("left", "right" if saes == "AB" else "left", "words", "words")
    with open_atlas(equipped) as atlas:
        in_blocks = operands_of(atlas, MEASURES[measure], two, memory=too_little)
        whole = operands_of(atlas, MEASURES[measure], two, memory=too_little + 1)
    assert in_blocks().sums is not None
    assert whole().sums is None
    results = []
    for n, memory in enumerate((too_little, None)):
        pair_saes(equipped, *saes, measure="decoder", top_k=2, seed=n)
        found = pair_saes(equipped, *saes, measure=measure, top_k=3, seed=5, memory=memory)
        results.append((found.chance, found.chance_ba, found.median_best, found.n_mutual, *stored(equipped, measure)))
        with open_atlas(equipped, write=True) as atlas:
            atlas.rows("update pairing set spec_sha256 = 'another'")
    (*numbers, rows, values), (*other_numbers, other_rows, other_values) = results
    assert rows == other_rows
    assert numbers == pytest.approx(other_numbers, abs=1e-12)
    np.testing.assert_allclose(values, other_values, atol=1e-12)


@pytest.mark.parametrize("measure", ["jaccard", "attribution", "activation_document_max"])
def test_measures_that_need_all_of_a_scan_say_how_much_memory_that_is(equipped, measure):
    memory = just_too_little(equipped, "AB", measure)
    with pytest.raises(AtlasError, match=f"{measure} needs about .*MB of memory") as refused:
        pair_saes(equipped, "A", "B", measure=measure, memory=memory)
    assert refused.value.hint == f"--memory {size(memory + 1)}"
    assert "activation and phi" in (refused.value.why or "")


def test_memory_for_less_than_a_shard_is_refused_with_what_would_do(equipped):
    with pytest.raises(AtlasError, match="too little to compare left and right") as refused:
        pair_saes(equipped, "A", "B", memory=1000)
    assert run(["-q", "--db", str(equipped), "correlate", "A", "B", *(refused.value.hint or "").split()]) == 0


def test_a_measure_that_does_not_fit_is_named_when_values_are_exchanged(equipped):
    pair_saes(equipped, "A", "B", measure="masked_cosine", top_k=2)
    memory = just_too_little(equipped, "AB", "activation")
    (problem,) = pair_saes(equipped, "A", "B", memory=memory).problems
    assert problem.startswith("masked_cosine: masked_cosine needs about")


def test_what_is_available_is_read_from_the_system(tmp_path):
    told = tmp_path / "meminfo"
    told.write_text("MemTotal:       4000000 kB\nMemAvailable:   2000000 kB\n")
    assert half_of_available(told) == 1_024_000_000
    assert half_of_available(tmp_path / "missing") > 0
    assert [size(n) for n in (1, 12_340_000, 5_000_000_000, 5_010_000_000)] == ["0.1MB", "12.4MB", "5GB", "5.1GB"]


def said(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> tuple[str, str]:
    assert run(["--db", str(path), "correlate", *words]) == 0
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_the_command_says_what_was_counted_and_how_many_features_gave_the_chance_level(equipped, capsys):
    out, err = said(capsys, equipped, "A", "B", "--pool", "mean")
    assert "on words (668 documents)" in out
    assert "with the documents of right shifted by" in out
    assert "on a sample of 59 and 59 features" in out
    assert "pairs A B --measure activation_document_mean" in err
    assert said(capsys, equipped, "A", "B", "--measure", "activation_document_mean")[1].startswith("already in")


def test_the_command_calls_random_vectors_and_the_formula_beside_them_what_they_are(equipped, capsys):
    out, _ = said(capsys, equipped, "A", "B", "--measure", "decoder")
    assert "of random vectors in the place of the weights\n" in out
    assert "on a sample of 60 and 60 features; the approximation sqrt(2 ln n / d) gives 0.826\n" in out
    again, _ = said(capsys, equipped, "A", "B", "--measure", "decoder")
    assert again == out
    assert "sqrt" not in said(capsys, equipped, "A", "B", "--measure", "logit")[0]


def test_the_command_on_one_sae_suggests_what_works_on_one(equipped, capsys):
    out, err = said(capsys, equipped, "A", "A", "--measure", "phi", "--top-k", "3")
    assert "left × left  on words (4,000 tokens)" in out
    assert "pairs, each seen from both sides" in out
    assert "metric" not in err
    (line,) = (line for line in err.splitlines() if line.startswith("next:"))
    import shlex

    assert run(shlex.split(line.removeprefix("next:"))[1:]) == 0
    assert "feature_a" in capsys.readouterr().out


def test_pooling_goes_with_activations_only(equipped):
    with pytest.raises(UsageError, match="--pool does not go with"):
        from atlas.cli.correlate import _measure

        _measure("decoder", "max")
    assert run(["--db", str(equipped), "correlate", "A", "B", "--measure", "phi", "--pool", "max"]) == 2


MEASURED = """
import sys
from atlas.db import open_atlas
from atlas.comparisons.correlate import pair_saes

def now(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024

before = now("VmRSS")
pair_saes(sys.argv[1], "A", "B", measure=sys.argv[2])
print(now("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("measure", ["activation", "masked_cosine"])
def test_a_comparison_and_its_chance_level_stay_within_what_is_said_before(tmp_path, measure, monkeypatch):
    monkeypatch.setattr("tests.support.planted.N_TOKENS", 60_000)
    monkeypatch.setattr("tests.support.planted.D_SAE", 200)
    plant(tmp_path / "large.duckdb", twins=40)
    command = [sys.executable, "-c", MEASURED, str(tmp_path / "large.duckdb"), measure]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    with open_atlas(tmp_path / "large.duckdb") as atlas:
        ((n_nonzero,),) = atlas.rows("select sum(n_nonzero) from scan").rows
    assert int(n_nonzero) > 400_000
    assert int(done.stdout) < search_bytes(
        int(n_nonzero), 200, 200, per_activation=MEASURES[measure].bytes_per_activation
    )
