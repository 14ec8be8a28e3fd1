"""What README.md prints as output of a command is what the command prints; its Python runs. Also: the demo, again.

A block of output follows a comment `<!-- output of: COMMAND -->`; a line of `…` stands for any number of lines.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from atlas.db import open_atlas

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"<!-- output of: featlas (.*?) -->\n```\n(.*?)```", README, re.S)


def run(arguments: list[str], folder: Path) -> str:
    code = "import sys; sys.argv[0] = 'featlas'; from atlas.cli import main; main()"
    program = ["-c", code] if arguments else ["-"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FEATLAS_DB": "demo.duckdb", "COLUMNS": "160"}
    ran = subprocess.run(
        [sys.executable, *program, *arguments],
        input=None if arguments else re.search(r"```python\n(.*?)```", README, re.S)[1],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ran.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, str]:
    """Folder with `demo.duckdb`, and what making it printed."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, run(["demo"], folder)


def pattern(block: str) -> str:
    lines = [
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line.rstrip()) + r" *\n" for line in block.splitlines()
    ]
    return "".join(lines)


def test_readme_shows_output():
    assert [command.split()[0] for command, _ in SHOWN] == ["demo", "metric"]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "block"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_command_prints_what_the_readme_shows(demo, command, block):
    folder, printed = demo
    said = printed if command == "demo" else run(shlex.split(command), folder)
    assert re.search(pattern(block), said), said


@pytest.mark.slow
def test_the_python_of_the_readme_runs(demo):
    score, mean, z, p = map(float, run([], demo[0]).split())
    assert score > 0.4 > 0.2 > mean
    assert z > 20
    assert p == pytest.approx(1 / 1001)


@pytest.mark.slow
def test_a_demo_on_fewer_tokens_finds_all_there(demo):
    folder, printed = demo
    assert [path.name for path in folder.glob("*.duckdb")] == ["demo.duckdb"]
    assert " of small-world (" in printed
    with open_atlas(folder / "demo.duckdb") as atlas:
        assert atlas.rows("select count(*), count(distinct corpus_id) from scan").rows == [(13, 1)]
        assert atlas.rows("select count(*), count(distinct corpus_id) from pairing").rows == [(6, 1)]
        scores = atlas.rows("select count(*) from score").rows
    assert run(["demo", "--tokens", "10000"], folder) == printed
    with open_atlas(folder / "demo.duckdb") as atlas:
        assert atlas.rows("select count(*) from score").rows == scores
