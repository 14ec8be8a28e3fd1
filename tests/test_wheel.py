"""The wheel holds all that the commands need, SQL and built-in models included, and runs without the checkout."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network and unpacked into a folder."""
    missing = [name for name in ("build", "hatchling") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"building the wheel needs {' and '.join(missing)}")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def featlas(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command of the wheel, away from the checkout; where its code lies is said on the last line of stderr."""
    program = f"import sys; sys.path.insert(0, {str(site)!r}); import atlas.cli; code = atlas.cli.run(); "
    program += "print(atlas.cli.__file__, file=sys.stderr); sys.exit(code)"
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "FEATLAS_DB")}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=site.parent, env=environment)
    assert done.stderr.splitlines()[-1] == str(site / "atlas" / "cli" / "__init__.py")
    return done


@pytest.mark.parametrize(
    "path",
    [
        "atlas/_sql/migrations/0001_core.sql",
        "atlas/_sql/queries/catalog/list_saes.sql",
        "atlas/data/concepts.json",
        "ingest/toy/artifacts/manifest.json",
        "ingest/toy/templates/stories.txt",
    ],
)
def test_the_wheel_holds_what_is_no_code(unpacked, path):
    assert (unpacked / path).stat().st_size > 0


def test_the_wheel_holds_the_built_in_models_and_saes(unpacked):
    artifacts = {file.relative_to(ROOT) for file in (ROOT / "ingest" / "toy" / "artifacts").rglob("*.safetensors")}
    assert artifacts
    assert all((unpacked / file).is_file() for file in artifacts)


def test_the_wheel_prints_its_help(unpacked):
    done = featlas(unpacked, "--help")
    assert done.returncode == 0
    assert "Compare the features" in done.stdout


def test_the_wheel_makes_an_atlas_and_reads_it(unpacked, tmp_path):
    db = tmp_path / "new.duckdb"
    program = f"import sys; sys.path.insert(0, {str(unpacked)!r}); from atlas import open_atlas; "
    program += f"open_atlas({str(db)!r}, create=True).close()"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
    done = featlas(unpacked, "--db", str(db), "ls", "saes", "--format", "json")
    assert (done.returncode, done.stdout) == (0, '{"schema": "featlas.saes/1", "rows": []}\n')
