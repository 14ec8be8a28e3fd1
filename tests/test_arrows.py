"""No module imports itself by way of others: circles hide which part comes first."""

from __future__ import annotations

from pathlib import Path

import grimp
import pytest

PACKAGES = ("atlas", "ingest", "tui")


def circles(graph: grimp.ImportGraph) -> list[list[str]]:
    """Modules that import each other in a circle: the strongly connected components of more than one, by Tarjan 1972.

    Every import counts: of types only, and within functions.
    """
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = lowest[module] = len(index)
        stack.append(module)
        for imported in graph.find_modules_directly_imported_by(module):
            if imported not in index:
                visit(imported)
            if imported in stack:
                lowest[module] = min(lowest[module], lowest[imported])
        if lowest[module] == index[module]:
            place = stack.index(module)
            component, stack[place:] = stack[place:], []
            found.append(sorted(component))

    for module in sorted(graph.modules):
        if module not in index:
            visit(module)
    return sorted(component for component in found if len(component) > 1)


def test_no_module_imports_itself_by_way_of_others():
    assert circles(grimp.build_graph(*PACKAGES, cache_dir=None)) == []


@pytest.mark.parametrize(
    "back",
    [
        "from planted.one import x",
        "def later():\n    from planted import one",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from planted.one import x",
    ],
)
def test_a_planted_circle_is_found(back: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "planted"
    package.mkdir()
    texts = {"__init__": "", "one": "from planted import two\nx = 1", "two": "import planted.three", "three": back}
    for name, text in {**texts, "beside": "import planted.one"}.items():
        (package / f"{name}.py").write_text(text + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    graph = grimp.build_graph("planted", cache_dir=None)
    assert circles(graph) == [["planted.one", "planted.three", "planted.two"]]
