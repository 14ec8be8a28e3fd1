"""Claims about building the built-in models, shown on the smallest profile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.toy.build import sha256s
from bench.toy.profile import FULL, SMALLEST, ModelSpec, spec_hash
from ingest.toy.artifacts import TOY_MODELS, TOY_SAES

ROOT = Path(__file__).parents[3]


def build(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.toy.build", "--profile", "smallest", *arguments]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The smallest profile, built once."""
    out = tmp_path_factory.mktemp("toy") / "first"
    done = build("--out", str(out))
    assert done.returncode == 0, done.stderr
    return out


def tree(folder: Path) -> dict[str, dict[str, str]]:
    return {str(path.relative_to(folder)): sha256s(path) for path in sorted(folder.glob("*/*")) if path.is_dir()}


@pytest.mark.slow
def test_a_second_build_gives_the_same_bytes(built, tmp_path):
    assert build("--out", str(tmp_path / "second")).returncode == 0
    assert len(tree(built)) == 3
    assert tree(tmp_path / "second") == tree(built)
    assert (tmp_path / "second" / "manifest.json").read_bytes() == (built / "manifest.json").read_bytes()


@pytest.mark.slow
def test_a_build_goes_on_with_what_is_missing_or_damaged(built):
    before = tree(built)
    weights = built / "saes" / SMALLEST.saes[1].name / "sae_weights.safetensors"
    weights.write_bytes(b"damaged")
    done = build("--out", str(built))
    assert done.returncode == 0
    assert [spec.name for spec in (*SMALLEST.models, *SMALLEST.saes) if f"  {spec.name}:" in done.stderr] == [
        SMALLEST.saes[1].name
    ]
    assert tree(built) == before


@pytest.mark.slow
def test_the_manifest_records_what_was_built(built):
    manifest = json.loads((built / "manifest.json").read_text())
    assert list(manifest["artifacts"]) == ["tinyA", "tinyA_L1_topk32_s0", "tinyA_L1_w32_s0"]
    assert manifest["artifacts"]["tinyA"]["quality"]["val_loss"] < 6.24  # the log of 512 tokens
    assert manifest["artifacts"]["tinyA_L1_topk32_s0"]["quality"]["l0"] == pytest.approx(4, abs=0.01)
    assert manifest["software"]["sae-lens"].startswith("6.")


@pytest.mark.slow
def test_a_build_without_time_says_how_to_go_on(tmp_path):
    done = build("--out", str(tmp_path), "--minutes", "0")
    assert done.returncode == 1
    assert "the same command goes on" in done.stderr


def test_any_change_of_a_spec_changes_its_hash():
    spec = ModelSpec("tinyA", d_model=16, n_layers=2, n_heads=2, seed=0, n_steps=12)
    other = ModelSpec("tinyA", d_model=16, n_layers=2, n_heads=2, seed=1, n_steps=12)
    assert spec_hash(spec) == spec_hash(spec)
    assert len({spec_hash(spec), spec_hash(other), spec_hash(spec, "text")}) == 3


def test_the_full_profile_makes_exactly_what_the_product_names():
    assert {spec.name for spec in FULL.models} == TOY_MODELS.keys()
    assert {spec.name: spec.model for spec in FULL.saes} == TOY_SAES
