"""`featlas report`: one page that stands alone, with what the commands say and the figures they draw."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from atlas.cli import run
from atlas.pages.report import Section, page, table
from tests.support.planted import plant

VOID = {"meta", "br"}


class Checked(HTMLParser):
    """Collects tags and ids, and fails where an end tag does not close the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(path: Path) -> Checked:
    found = Checked()
    found.feed(path.read_text(encoding="utf-8"))
    assert not found.open
    return found


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "planted.duckdb"
    plant(path)
    return path


def test_the_page_stands_alone_and_holds_studies_with_their_figures_and_commands(db, tmp_path, capsys):
    out = tmp_path / "r.html"
    command = ["--db", str(db), "report", "-o", str(out), "--study", "distribution A", "--study", "families A"]
    assert run(["-q", *command]) == 0
    found, text = checked(out), out.read_text(encoding="utf-8")
    assert found.seen.count("svg") == 2
    assert "script" not in found.seen
    assert not any(link.startswith(("http", "//")) for link in found.links)
    assert "study distribution A" in text
    assert "1 SAE (A left) on words, 4,000 tokens" in text
    assert "Sarle" in text
    assert capsys.readouterr().out == ""


def test_a_study_that_cannot_be_done_says_so_and_the_rest_of_the_page_stands(db, tmp_path, capsys):
    out = tmp_path / "r.html"
    assert run(["--db", str(db), "report", "-o", str(out), "--study", "distribution Z", "--study", "distribution"]) == 0
    text = out.read_text(encoding="utf-8")
    assert "no SAE named &#x27;Z&#x27;" in text
    assert text.count("<svg") == 1
    assert "no SAE named 'Z'" in capsys.readouterr().err


def test_scores_and_grids_carry_their_null_and_sample(full, tmp_path):
    out = tmp_path / "r.html"
    assert run(["-q", "--db", str(full), "report", "-o", str(out), "--study", "distribution"]) == 0
    text = out.read_text(encoding="utf-8")
    checked(out)
    assert "Grid 1: rsa" in text
    assert re.search(r"0\.60\*?<br><small>null 0\.10, n 4</small>", text)
    assert "* p adjusted for the grid" in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--study", "nothing"), 2, "no study named 'nothing'"),
        (("--study", ""), 2, "no study"),
        (("-o", "nowhere/r.html"), 1, "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_measured(db, capsys, arguments, code, message):
    assert run(["--db", str(db), "report", *arguments]) == code
    assert message in capsys.readouterr().err


def test_what_comes_from_data_is_escaped():
    text = page("<b>", [Section("<i>", "a & b", table(("<u>",), [("</td>",), (1234,), (0.123456,), (None,)]))])
    assert "<b>" not in text
    assert "<i>" not in text
    assert "&lt;/td&gt;" in text
    assert "1,234" in text
    assert "0.1235" in text
