"""The commands of docs/experiment.md: those for the built-in models run as written, all others parse, and names exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from atlas.cli import featlas, run
from atlas.db import open_atlas
from ingest.job import ingest
from ingest.spec import IngestRequest
from ingest.toy.artifacts import TOY_MODELS, TOY_SAES, toy_model, toy_sae, write_corpus

PAGE = (Path(__file__).parent.parent / "docs" / "experiment.md").read_text(encoding="utf-8")


def spread(word: str) -> list[str]:
    """A word with braces as bash spreads it."""
    match = re.search(r"\{([^{}]+)\}", word)
    if match is None:
        return [word]
    return [word.replace(match[0], part, 1) for part in match[1].split(",")]


def commands() -> list[list[list[str]]]:
    """Arguments of every command, block by block."""
    return [
        [
            [part for word in shlex.split(line)[1:] for part in spread(word)]
            for line in block.splitlines()
            if line.startswith("featlas ")
        ]
        for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    ]


def command(arguments: list[str]) -> click.Command:
    """The command that a line names."""
    found = featlas.get_command(click.Context(featlas), arguments[0])
    assert found is not None, arguments[0]
    return found


@pytest.mark.parametrize("arguments", [line for block in commands() for line in block], ids=" ".join)
def test_every_command_has_the_options_that_the_document_types(arguments):
    named = command(arguments)
    named.make_context(arguments[0], arguments[1:])


def test_every_sae_that_the_document_takes_from_the_list_of_saelens_is_in_it():
    from ingest.sources.saes.locate import Listed, locate

    wanted = re.findall(r"--sae=(gemma\S+)", PAGE)
    assert len(wanted) == 2
    for name in [name for word in wanted for name in spread(word)]:
        assert isinstance(locate(name), Listed)


@pytest.fixture
def built_in(tmp_path, monkeypatch) -> Path:
    """The atlas of the demo, on fewer tokens and without its scores, which the tests of the demo cover."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEATLAS_DB", "demo.duckdb")
    corpus = write_corpus(tmp_path / "small-world.txt", n_documents=200)
    for model in TOY_MODELS:
        saes = tuple(str(toy_sae(name)) for name, of in TOY_SAES.items() if of == model)
        ingest(
            IngestRequest(model=str(toy_model(model)), saes=saes, corpus=str(corpus), tokens=10_000),
            db=Path("demo.duckdb"),
        )
    for a, b in (("A", "I"), ("M", "I")):
        assert run(["-q", "correlate", a, b]) == 0
    return tmp_path


@pytest.mark.slow
def test_the_experiment_on_the_built_in_models_runs_as_written(built_in, capsys):
    begin, experiment, *_ = commands()
    assert begin == [["demo"]]
    for line in experiment:
        assert run(["-q", *line]) == 0, (line, capsys.readouterr().err)
    assert (built_in / "layers.svg").stat().st_size > 1000
    with open_atlas("demo.duckdb") as atlas:
        assert atlas.rows("select count(distinct grid), count(*) from grids where value is not null").rows == [(5, 33)]
        scored = (
            "select z from scores where sae_a like 'untrained%' and sae_b = 'tinyB_L1_w1024_s0' and metric = 'svcca'"
        )
        many = atlas.rows(f"{scored} and starts_with(subset, 'best')").rows
        one = atlas.rows(f"{scored} and starts_with(subset, 'one-to-one')").rows
    assert len(many) == 1
    assert len(one) == 2
    assert many[0][0] > 10 > 4 > max(abs(z) for (z,) in one), (
        "many to one, strangers look alike; one to one, they do not"
    )
