"""Every command refuses a misspelt name of whatever it takes, with the nearest that exists, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from atlas.cli import featlas, run
from atlas.cli.kit.params import MeasureName, OneOf
from atlas.comparisons.correlate import pair_saes
from atlas.db import open_atlas
from tests.support.planted import plant

SAE, CORPUS, CONCEPT = ("letf", "left"), ("wrods", "words"), ("Emotoins", "Emotions")
NAMES = {
    "a": SAE,
    "b": ("rihgt", "right"),
    "sae": SAE,
    "saes": SAE,
    "rows": SAE,
    "cols": SAE,
    "corpus": CORPUS,
    "corpus_b": CORPUS,
    "concept": CONCEPT,
    ("ls", "words"): SAE,
    ("show", "reference"): ("letf:1", "left"),
    ("study description-length", "reference"): SAE,
    ("figure description-length", "reference"): SAE,
    ("study ablation", "features"): ("letf:1", "left"),
    ("figure ablation", "features"): ("letf:1", "left"),
    ("metric", "name"): ("svca", "svcca"),
    ("matrix", "name"): ("svca", "svcca"),
    ("concepts remove", "name"): CONCEPT,
    ("report", "studies"): ("distributoin", "distribution"),
}
"""Parameters that take a name, of any command or of one: a misspelt one, and the one that was meant."""

ARGUMENTS = {
    "ingest labels": {"file": "labels.csv"},
    "correlate": {"a": "left", "b": "right"},
    "match": {"a": "left", "b": "right"},
    "metric": {"name": "svcca", "a": "left", "b": "right"},
    "matrix": {"name": "svcca", "rows": "left", "cols": "right"},
    "ls": {"what": "features", "words": "left"},
    "show": {"reference": "left:1"},
    "pairs": {"a": "left", "b": "right"},
    "orphans": {"a": "left", "b": "right"},
    "families": {"sae": "left"},
    "disagreements": {"a": "left", "b": "right"},
    "concepts list": {"a": "left", "b": "right"},
    "concepts remove": {"name": "Emotions"},
    "study conditional": {"saes": "left", "token": " red"},
    "figure conditional": {"saes": "left", "token": " red"},
    "study ablation": {"features": "left:1"},
    "figure ablation": {"features": "left:1"},
}
"""What a command needs beside the name in question."""

ALSO = {
    ("match", "corpus_b"): {"match": "assignment"},
    ("orphans", "corpus_b"): {"rule": "assignment"},
    ("study conditional", "concept"): {"token": None},
    ("figure conditional", "concept"): {"token": None},
}
ELSEWHERE = {("tui", "reference"): "the browser says it on its screen: tests/tui/test_start.py"}


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(group, click.Group):
        yield " ".join(path), group
        return
    for name in group.list_commands(click.Context(group)):
        yield from commands(group.get_command(click.Context(group), name), (*path, name))


COMMANDS = dict(commands(featlas))


def misspelt(command: str, param: click.Parameter) -> tuple[str, str] | None:
    """A name that the parameter does not take and the one that was meant, or None if it takes no names."""
    if isinstance(param.type, OneOf):
        return param.type.choices[0] + "x", param.type.choices[0]
    if isinstance(param.type, MeasureName):
        return "activaton", "activation"
    return NAMES.get((command, param.name)) or NAMES.get(str(param.name))


ASKED = [
    (name, param.name)
    for name, command in COMMANDS.items()
    for param in command.params
    if misspelt(name, param) and (name, param.name) not in ELSEWHERE
]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    plant(folder / "a.duckdb")
    pair_saes(folder / "a.duckdb", "A", "B")
    (folder / "labels.csv").write_text("feature_id,label\n1,one\n")
    return folder / "a.duckdb"


@pytest.mark.parametrize(("command", "param"), ASKED, ids=lambda value: str(value))
def test_a_misspelt_name_is_refused_with_the_nearest(db, command, param, capsys, monkeypatch):
    monkeypatch.chdir(db.parent)
    by_name = {known.name: known for known in COMMANDS[command].params}
    wrong, meant = misspelt(command, by_name[param])
    given = ARGUMENTS.get(command, {}) | ALSO.get((command, param), {}) | {param: wrong}
    words = command.split()
    for name, value in given.items():
        if value is not None:
            words += [by_name[name].opts[0], value] if isinstance(by_name[name], click.Option) else []
    words += [
        given[known.name] for known in by_name.values() if isinstance(known, click.Argument) and known.name in given
    ]
    assert run(["--db", str(db), *words]) == 2
    said = capsys.readouterr()
    assert f"did you mean '{meant}'" in said.err.lower().replace(meant.lower(), meant)
    assert said.out == ""
    with open_atlas(db) as atlas:
        assert len(atlas.rows("from runs")) == 1


def test_every_name_in_these_tables_is_asked():
    of_one = {place for place in [*NAMES, *ALSO, *ELSEWHERE] if isinstance(place, tuple)}
    assert of_one <= {(name, param.name) for name, command in COMMANDS.items() for param in command.params}
    assert set(ARGUMENTS) <= set(COMMANDS)
