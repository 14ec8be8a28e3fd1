"""Claims about measures by name: a misspelt one is refused with the nearest, and SQL says what the registry says."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from atlas import open_atlas
from atlas.catalog.measures import known_measure, measure_named
from atlas.cli import run
from atlas.cli.correlate import correlate
from atlas.errors import UnknownName
from atlas.pairing import MEASURES

COMMANDS = [
    "correlate A B",
    "match A B --method assignment",
    "match A B --method mutual",
    "pairs A B",
    "metric svcca A B",
    "metric svcca A B --match assignment",
    "matrix svcca --rows A --cols B",
    "orphans A B",
    "orphans A B --rule assignment",
    "orphans A",
    "families",
    "disagreements A B",
    "concepts list A B",
    "show A:1=B:1",
]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_refuses_a_misspelt_measure_with_the_nearest_one(tiny: Path, capsys, words):
    assert run(["--db", str(tiny), *words.split(), "--measure", "activaton"]) == 2
    assert "no measure named 'activaton'; did you mean 'activation'?" in capsys.readouterr().err


def test_a_measure_goes_by_its_name_and_its_aliases(tiny: Path):
    with open_atlas(tiny) as atlas:
        for name, measure in MEASURES.items():
            for known in (name, *measure.aliases):
                assert known_measure(atlas, known) == measure_named(known).name == name
        with pytest.raises(UnknownName, match="did you mean 'jaccard'"):
            known_measure(atlas, "Jacard")
    with pytest.raises(UnknownName, match="did you mean 'coactivation'"):
        measure_named("coactivations")


def test_the_view_and_the_functions_say_what_the_registry_says(tiny: Path):
    with open_atlas(tiny) as atlas:
        rows = atlas.rows("from measures").dicts()
        judged = "select measure, has_direction(measure) d, is_bounded(measure) b, unit_of(measure, false) t, unit_of(measure, true) s"
        of_functions = {row["measure"]: row for row in atlas.rows(f"{judged} from measures").dicts()}
        of_pairs = [row[0] for row in atlas.rows("describe measures_of_pairs").rows]
    assert [row["measure"] for row in rows] == list(MEASURES)
    for row, known in zip(rows, MEASURES.values(), strict=True):
        high = known.high if known.bounded else None
        assert (tuple(row["aliases"]), row["meaning"]) == (known.aliases, known.meaning)
        assert (row["has_direction"], row["minimum"], row["maximum"]) == (not known.symmetric, known.low, high)
        assert (row["needs"], row["space"], row["unit"], row["chance"]) == (
            known.needs,
            known.space,
            known.unit(),
            known.chance,
        )
        asked = of_functions[known.name]
        assert (asked["d"], asked["b"]) == (not known.symmetric, known.bounded)
        assert (asked["t"], asked["s"]) == (known.unit(), known.unit(aligned=True))
        assert (known.name in of_pairs) == known.symmetric, "view measures_of_pairs has a column for each"


def test_the_help_of_correlate_names_every_measure():
    text = CliRunner().invoke(correlate, ["--help"]).output
    assert all(name in text for measure in MEASURES.values() for name in (measure.name, *measure.aliases))
