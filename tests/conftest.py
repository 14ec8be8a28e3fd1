"""Fixtures: the tiny atlas, and the real models, SAEs and text."""

from __future__ import annotations

import shutil
from pathlib import Path

import jaxtyping
import pytest

from atlas.db import open_atlas
from tests.support.tiny_atlas import write_tiny
from tests.support.tiny_more import write_more

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
"""Real models, SAEs and text, beside a checkout; tests marked `real` skip where it is not."""


@pytest.fixture
def unchecked_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for users: a wrong shape reaches the function, which has to refuse it itself."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture(scope="session")
def tiny_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny atlas, written once."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.duckdb"
    with open_atlas(path, create=True) as atlas, atlas.transaction():
        write_tiny(atlas)
    return path


@pytest.fixture
def tiny(tiny_master: Path, tmp_path: Path) -> Path:
    """Two SAEs of one model (five features each), one corpus of 100 tokens in four documents, one pairing."""
    return Path(shutil.copy(tiny_master, tmp_path / "tiny.duckdb"))


@pytest.fixture
def full(tiny: Path) -> Path:
    """The tiny atlas with rows in every table: a second measure, matchings, families."""
    with open_atlas(tiny, write=True) as atlas, atlas.transaction():
        write_more(atlas)
    return tiny


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real models, SAEs and text."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder with real models, SAEs and text is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def real_atlas(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two real models, an SAE of each, on 200,000 tokens of real text, correlated: made by the commands."""
    from atlas.cli import run

    db = tmp_path_factory.mktemp("real") / "real.duckdb"
    shape = ["--tokens", "200000", "--context-length", "128", "--hook", "blocks.2.hook_resid_post"]
    for model in ("stories260k", "llama2xs"):
        where = [
            "--model",
            str(shared_data / "models" / model),
            "--corpus",
            str(shared_data / "text" / "tinystories.txt"),
        ]
        sae = ["--sae", str(shared_data / "saes" / f"{model}_L2_topk256k8_s0")]
        assert run(["-q", "--db", str(db), "ingest", *where, *sae, *shape]) == 0
    assert run(["-q", "--db", str(db), "correlate", "A", "B"]) == 0
    return db
