"""Claims about names: an alias never means two SAEs, and what cannot be typed is no name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from atlas.db import open_atlas
from atlas.errors import AtlasError, UsageError
from ingest.job import ingest
from ingest.planning.opened import open_sources
from ingest.spec import IngestRequest
from tests.support.ingest_tiny import HOOK, build_tiny, left_behind, tiny_request


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny model, three SAEs and a text of 40 documents."""
    return build_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def request_(tiny) -> IngestRequest:
    """One SAE on the whole text."""
    return replace(tiny_request(tiny), saes=(str(tiny / "one"),))


@pytest.mark.parametrize(
    "name", ["A", "ab", "Zz", " one", "one ", "o\nne", "o\x1b[31mne", "o\ud800ne", "a=b", "", "  ", "o\x85ne"]
)
def test_what_cannot_be_typed_or_told_from_an_alias_is_no_name(request_, name):
    with pytest.raises(UsageError):
        open_sources(replace(request_, names=(name,)))


@pytest.mark.parametrize("name", ["one", "abc", "A1", "gpt2:res/blocks.8", "zwei drei", "日本", "é"])
def test_any_other_name_is_taken(request_, name):
    open_sources(replace(request_, names=(name,)))


@pytest.mark.parametrize("change", [{"model": ""}, {"saes": ("",)}, {"model": " "}, {"hook": ""}, {"corpus_name": ""}])
def test_an_empty_option_is_refused(request_, change):
    with pytest.raises(UsageError, match="is empty"):
        open_sources(replace(request_, **change))


def test_a_folder_called_like_an_alias_needs_a_name(tiny, request_, tmp_path):
    shutil.copytree(tiny / "one", tmp_path / "A")
    with pytest.raises(UsageError, match="--name A-sae"):
        ingest(replace(request_, saes=(str(tmp_path / "A"),)), db=tmp_path / "a.duckdb")
    assert ingest(replace(request_, saes=(str(tmp_path / "A"),), names=("mine",)), db=tmp_path / "a.duckdb")


def renamed(db: Path, *, name: str, alias: str) -> None:
    """Give the only SAE another name and alias, as an older featlas may have."""
    with open_atlas(db, write=True) as atlas:
        atlas.con.execute("update sae set name = $name, alias = $alias", {"name": name, "alias": alias})


def test_an_alias_is_never_the_name_of_another_sae(tiny, request_, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(request_, db=db)
    renamed(db, name="b", alias="A")
    found = ingest(replace(request_, saes=(str(tiny / "two"),)), db=db)
    assert [scan.alias for scan in found] == ["C"]


def test_a_name_is_never_the_alias_of_another_sae(tiny, request_, tmp_path):
    db = tmp_path / "a.duckdb"
    ingest(request_, db=db)
    renamed(db, name="one", alias="ABC")
    with pytest.raises(AtlasError, match="ABC is the alias of one"):
        ingest(replace(request_, saes=(str(tiny / "two"),), names=("abc",)), db=db)


def command(tiny: Path, db: Path, sae: str, *options: str, corpus: str | None = None):
    """Run the command as the group would."""
    from ingest.cli.ingest import ingest as ingest_command

    text = str(tiny / "text.txt") if corpus is None else corpus
    arguments = ["--model", str(tiny / "model"), "--corpus", text, "--hook", HOOK, "--sae", sae]
    return CliRunner().invoke(ingest_command, [*arguments, *options], obj=SimpleNamespace(db=db, wait=0, quiet=False))


def test_an_empty_corpus_is_not_the_folder_that_one_is_in(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny)
    result = command(tiny, tmp_path / "a.duckdb", str(tiny / "one"), corpus="")
    assert isinstance(result.exception, UsageError)
    assert left_behind(tmp_path) == []


def test_the_next_step_pairs_saes_of_one_corpus_only(tiny, tmp_path):
    db = tmp_path / "my atlas.duckdb"
    first = command(tiny, db, str(tiny / "one"))
    assert "correlate A" not in first.stderr
    other = command(tiny, db, str(tiny / "two"), "--tokens", "100")
    assert "correlate A" not in other.stderr
    same = command(tiny, db, str(tiny / "two"))
    assert f"next:  featlas --db '{db}' correlate A B" in same.stderr
    bare = command(tiny, db, str(tiny / "two"), "--no-store", "--replace")
    assert "correlate A" not in bare.stderr


def test_names_cannot_steer_the_terminal(tiny, tmp_path):
    corpus = tmp_path / "te\x1b[31mxt.txt"
    shutil.copy(tiny / "text.txt", corpus)
    result = command(tiny, tmp_path / "a.duckdb", str(tiny / "one"), corpus=str(corpus))
    assert result.exit_code == 0, result.output
    assert "on te·[31mxt" in result.stdout
    assert "\x1b" not in result.output
