"""The house rules of CONTRIBUTING.md that a machine can check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(p for folder in ("atlas", "ingest", "tui", "bench", "docs") for p in (ROOT / folder).rglob("*.py"))
PACKAGED = [path for path in FILES if path.parts[len(ROOT.parts)] not in ("bench", "docs")]
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES + TESTS, ids=short)
def test_a_file_stays_under_four_hundred_lines(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=short)
def test_a_function_stays_under_forty_lines_of_code(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.lineno
            assert (node.end_lineno or 0) - start < 40, f"{node.name} in {short(path)}"


@pytest.mark.parametrize("path", FILES, ids=short)
def test_the_first_line_of_a_file_says_what_it_is(path: Path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", PACKAGED, ids=short)
def test_a_public_function_of_more_than_three_lines_has_a_docstring(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in [*tree.body, *(inner for kind in tree.body if isinstance(kind, ast.ClassDef) for inner in kind.body)]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            long = (node.end_lineno or 0) - node.body[0].lineno + 1 > 3
            assert ast.get_docstring(node) or not long, f"{node.name} in {short(path)}"


@pytest.mark.parametrize("path", FILES + TESTS, ids=short)
def test_nothing_unsafe_is_opened(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            assert not {"pickle", "cloudpickle", "dill", "joblib"} & set(names)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            assert any(k.arg == "weights_only" and getattr(k.value, "value", None) is True for k in node.keywords)


def test_every_query_that_the_code_names_is_a_file_and_every_file_is_named():
    folder = ROOT / "sql" / "queries"
    files = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.sql")}
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGED)
    called = set(re.findall(r"""\b(?:fetch|arrays|frame|fetch_\w+)\(\s*["'](\w+/\w+|\w+)["']""", code))
    lists = {name for name in files if name.startswith("catalog/list_")}  # `ls` puts their names together
    assert not called - files
    assert not {name for name in files - lists if f"{name}" not in code}


def test_contributing_gives_every_folder_one_line():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = text.split("```")[1].split("\n")
    named, parents = set(), []
    for line in filter(None, tree):
        depth = (len(line) - len(line.lstrip())) // 2
        for name in re.findall(r"(\w+)/", re.split(r"\s{3,}", line.strip())[0]):
            named.add("/".join([*parents[:depth], name]))
        parents = [*parents[:depth], line.strip().split("/")[0]]
    skipped = {"__pycache__", "artifacts"}
    there = {
        str(folder.relative_to(ROOT))
        for top in ("atlas", "ingest", "tui", "sql")
        for folder in [ROOT / top, *(ROOT / top).rglob("*")]
        if folder.is_dir() and not skipped & set(folder.parts)
    }
    assert {name for name in named if name.split("/")[0] in ("atlas", "ingest", "tui", "sql")} == there


@pytest.mark.parametrize("path", [path for path in PACKAGED if "db" not in path.parts], ids=short)
def test_sql_in_the_code_has_no_join_and_no_literal(path: Path):
    """Short statements on one table may stand in the code; the rest are files in sql/queries."""
    statement = re.compile(
        r"\s*(select|with \w+ as|insert into|update \w+ set|delete from|from \w+ (where|join|select|order))\b"
    )
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
        if statement.match(text):
            assert not re.search(r"\bjoin\b|'", text), text
