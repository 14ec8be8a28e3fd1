"""The documents say what is true now."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from atlas.cli import COMMANDS

ROOT = Path(__file__).parent.parent


def test_the_schema_page_is_written_from_the_sql_files():
    page = runpy.run_path(str(ROOT / "docs" / "schema.py"))["schema_page"]()
    assert (ROOT / "docs" / "schema.md").read_text(encoding="utf-8") == page, "run: python docs/schema.py"


def test_the_sql_files_that_list_measures_are_written_from_the_registry():
    for path, text in runpy.run_path(str(ROOT / "docs" / "schema.py"))["measure_files"]().items():
        assert path.read_text(encoding="utf-8") == text, "run: python docs/schema.py"


PAGES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_every_command_that_a_document_types_exists(name):
    text = "\n".join(re.findall(r"```.*?```", (ROOT / name).read_text(encoding="utf-8"), re.S))
    typed = set(re.findall(r"^\s*featlas(?: --db \S+)? ([a-z]+)", text, re.M))
    assert typed <= set(COMMANDS)
    assert name != "README.md" or {"demo", "ingest", "correlate", "metric", "tui", "sql"} <= typed


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES])
def test_every_file_that_a_document_links_to_is_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / name).parent / target).exists(), target
