"""The filter language: what it compiles to lets through exactly the features that it says."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.cli import run
from atlas.db import Atlas, open_atlas
from atlas.errors import UsageError
from atlas.filters.compile import Names, compile_filter
from atlas.filters.fields import NUMBERS
from atlas.filters.parser import is_unfinished, parse_filter
from atlas.filters.terms import Sort
from atlas.filters.tokens import FilterError
from atlas.queries.filtered import compiled, feature_order
from tests.support.tui_pilot import make_atlas

MARKS = frozenset([("toy-1/L2/topk-60", 3), ("toy-1/L2/l1-60", 5)])
Feature = dict
Case = tuple[str, Callable[[Feature], bool]]


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory):
    path: Path = make_atlas(tmp_path_factory.mktemp("filters") / "f.duckdb", saes=2, d_sae=60)
    with open_atlas(path, write=True) as writable:
        writable.con.execute(
            "insert into feature_label select 1, feature_id, 'me', 'says \"' || (feature_id % 7) || '\" (odd)' "
            "from feature_stat where scan_id = 1 and feature_id % 3 = 0"
        )
    with open_atlas(path) as readable:
        yield readable


@pytest.fixture(scope="module")
def features(atlas: Atlas) -> list[Feature]:
    """The rows of the view, with the best partner found in the plainest way."""
    rows = atlas.rows(
        "select f.*, s.alias, s.layer, c.scan_id from features f join saes s using (sae) join scans c using (sae, corpus)"
    ).dicts()
    pairs = atlas.rows(
        "select sae_a, feature_a, value, rank_ba from pairs_both_ways where rank_ab = 1 and measure = 'activation'"
    )
    best = {(sae, feature): (value, rank == 1) for sae, feature, value, rank in pairs}
    for row in rows:
        row["match"], row["mutual"] = best.get((row["sae"], row["feature_id"]), (None, False))
    return rows


def let_through(atlas: Atlas, line: str) -> set[tuple[int, int]]:
    order = feature_order(atlas, line=line, marks=MARKS)
    return set(zip(order.scan_ids.tolist(), order.feature_ids.tolist(), strict=True))


def expected(features: list[Feature], holds: Callable[[Feature], bool]) -> set[tuple[int, int]]:
    return {(row["scan_id"], row["feature_id"]) for row in features if holds(row)}


OPERATORS = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "=": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}
SHORT = {"d": "density", "fires": "n_fired", "m": "mean_active", "id": "feature_id", "match": "match", "max": "max", "skew": "skew", "layer": "layer"}  # fmt: skip
FLAGS: dict[str, Callable[[Feature], bool]] = {
    "dead": lambda row: row["is_dead"],
    "labelled": lambda row: row["label"] is not None,
    "matched": lambda row: row["match"] is not None,
    "mutual": lambda row: row["mutual"],
    "concept": lambda row: row["is_concept"],
    "marked": lambda row: (row["sae"], row["feature_id"]) in MARKS,
    "sae:A": lambda row: row["alias"] == "A",
    "nomatch:B": lambda row: not (row["alias"] == "A" and row["match"] is not None),
    "match:B>0.5": lambda row: row["alias"] == "A" and row["match"] is not None and row["match"] > 0.5,
    "match>=0.5": lambda row: row["match"] is not None and row["match"] >= 0.5,
}


@st.composite
def numbers(draw) -> Case:
    short, field = draw(st.sampled_from(sorted(SHORT.items())))
    bound = draw(st.sampled_from([0, 1, 5, 20, 1e-3, 0.01, 0.3, 2.5, 50]))
    if draw(st.booleans()):
        low = bound / 2
        return f"{short}:{low}..{bound}", lambda row: row[field] is not None and low <= row[field] <= bound
    operator = draw(st.sampled_from(sorted(OPERATORS)))
    return f"{short}{operator}{bound}", lambda row: row[field] is not None and OPERATORS[operator](row[field], bound)


@st.composite
def texts(draw) -> Case:
    part = draw(st.sampled_from(["w1", "W2", "1", "say", '"3"', "(odd)", "%", "_", "'"]))
    quoted = '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
    low = part.lower()

    def in_token(row: Feature) -> bool:
        return any(low in token.lower() for token in row["top_tokens"])

    def in_label(row: Feature) -> bool:
        return low in (row["label"] or "").lower()

    return draw(
        st.sampled_from(
            [
                (quoted, lambda row: in_token(row) or in_label(row)),
                (f"tok~{quoted}", in_token),
                (f"label~{quoted}", in_label),
                (f"tok:{quoted}", lambda row: any(part in (token, token.strip(" ")) for token in row["top_tokens"])),
                (
                    f"re:/^ ?w{len(part)}/",
                    lambda row: any(re.search(f"^ ?w{len(part)}", t) for t in [*row["top_tokens"], row["label"] or ""]),
                ),
            ]
        )
    )


def joined(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    def both(a: Case, b: Case) -> Case:
        return f"({a[0]} {b[0]})", lambda row: a[1](row) and b[1](row)

    def either(a: Case, b: Case) -> Case:
        return f"({a[0]} or {b[0]})", lambda row: a[1](row) or b[1](row)

    def opposite(a: Case, sign: str) -> Case:
        return f"{sign}{a[0]}", lambda row: not a[1](row)

    return st.builds(both, inner, inner) | st.builds(either, inner, inner) | st.builds(opposite, inner, st.sampled_from(["-", "!", "not "]))  # fmt: skip


CASES = st.recursive(numbers() | texts() | st.sampled_from(sorted(FLAGS.items())), joined, max_leaves=5)


@settings(max_examples=60, deadline=None)
@given(case=CASES)
def test_a_filter_lets_through_what_a_predicate_over_the_rows_does(atlas, features, case):
    line, holds = case
    assert let_through(atlas, line) == expected(features, holds)


ALPHABET = st.sampled_from([*' ()"\'/:~<>=!-.;\\%$?', "sae", "density", "or", "not", "match", "sort", "re", "tok", "A", "1e9", "..", "\x00", "é"])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(line=st.lists(ALPHABET, max_size=14).map("".join) | st.text(max_size=30))
def test_no_line_raises_anything_but_a_usage_error(atlas, line):
    with contextlib.suppress(UsageError):
        let_through(atlas, line)


@given(word=st.text(min_size=1, max_size=20).filter(lambda text: not set(text) & set('"\\')))
def test_what_is_looked_for_stands_in_the_parameters_only(word):
    query = compile_filter(parse_filter(f'tok:"{word}§"'), Names(), sort=Sort("density"))
    assert f"{word}§" in query.params.values()
    assert "§" not in query.sql


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_every_number_is_what_the_view_says(atlas, features, name):
    least = min((row[name] for row in features if row[name] is not None), default=None)
    if least is None:
        assert let_through(atlas, f"{name}>=0") == set()
    else:
        assert let_through(atlas, f"{name}<={least!r}") == expected(
            features, lambda row: row[name] is not None and row[name] <= least
        )


@pytest.mark.parametrize(
    ("line", "says", "column"),
    [
        ("max>1 dens<2", "no field 'dens' – did you mean 'density'?", 7),
        ("density<", "density< needs a value", 9),
        ('tok~"said', "the quote is not closed", 5),
        ("(a b", "the bracket is not closed", 1),
        ("a) b", "this bracket closes nothing", 2),
        ("a or", "a term is missing here", 5),
        ("density<x", "'x' is no number", 9),
        ("tok<3", "tok is a text: tok:exact or tok~part", 1),
        ("max~3", "max is a number: max>0", 1),
        ("sort:lable", "no order 'lable' – did you mean 'label'?", 6),
        ("-(sort:max)", "an order stands outside brackets", 3),
        ("dead:1", "dead takes no value: dead or -dead", 1),
        ("re:/(/", "the regular expression cannot be read", 4),
        ("sae:Q", "no SAE named 'Q'", 5),
        ("max>1 match:Q>1", "no SAE named 'Q'", 13),
        ("model:gpt", "no model named 'gpt'", 7),
    ],
)
def test_an_error_names_its_column_and_what_would_do(atlas, line, says, column):
    with pytest.raises(FilterError) as caught:
        let_through(atlas, line)
    assert says in caught.value.what
    assert caught.value.column == column
    assert f"(column {column})" in caught.value.what


@pytest.mark.parametrize(
    "line", ["", 'tok~"a\'w1" or match:B>0.5 sort:-match', "match:B -labelled", "marked or dead sort:id"]
)
def test_the_query_written_out_gives_the_same_list(atlas, line):
    query = compiled(atlas, line, sort=Sort("density"), marks=MARKS, places=True)
    names = dict(atlas.rows("select scan_id, sae from scans"))
    order = feature_order(atlas, [1, 2], line=line, sort=Sort("density"), marks=MARKS)
    rows = zip([names[scan] for scan in order.scan_ids.tolist()], order.feature_ids.tolist(), strict=True)
    assert atlas.sql(query.written_out([1, 2])).fetchall() == list(rows)


def test_the_order_is_the_one_asked_for_with_nothing_last(atlas, features):
    order = feature_order(atlas, line="sort:-match")
    by_id = {(row["scan_id"], row["feature_id"]): row["match"] for row in features}
    values = [by_id[key] for key in zip(order.scan_ids.tolist(), order.feature_ids.tolist(), strict=True)]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values == known + [None] * (len(values) - len(known))


@pytest.mark.parametrize("line", ["d", "max>1 dens", "-de", "(mat", "lab", "M"])
def test_a_word_that_may_become_a_name_is_unfinished(line):
    assert is_unfinished(line)


@pytest.mark.parametrize("line", ["", "Lily", "max>1", "dead ", '"de', "tok~de", "density<1 zebra", "tok:max"])
def test_a_word_that_becomes_no_name_is_finished(line):
    assert not is_unfinished(line)


def test_numbers_may_be_written_short(atlas):
    assert let_through(atlas, "d<1%") == let_through(atlas, "density<0.01")
    assert let_through(atlas, "fires>0.1k") == let_through(atlas, "n_fired>100")
    assert let_through(atlas, "fires:..100") == let_through(atlas, "-fires>100")


def listed(path: Path, capsys, *words: str) -> list[tuple[str, int]]:
    assert run(["--db", str(path), "ls", "features", *words, "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(row["sae"], row["feature_id"]) for row in rows]


def test_the_command_takes_the_same_filter_and_its_order(tiny, capsys):
    assert listed(tiny, capsys, "A", "density<.35 sort:max") == [("little/one", i) for i in (1, 2, 3, 4)]
    assert listed(tiny, capsys, "A", "!dead", "sort:-id") == [("little/one", i) for i in (3, 2, 1, 0)]
    assert listed(tiny, capsys, "tok~monday") == [("little/two", 0), ("little/one", 1)]
    assert listed(tiny, capsys, "--filter", "monday", "--sort", "density") == [("little/one", 1), ("little/two", 0)]
    assert listed(tiny, capsys, "sae:B", "id:2") == [("little/two", 2)]


def test_a_word_that_may_be_a_mistyped_sae_is_no_filter(tiny, capsys):
    assert run(["--db", str(tiny), "ls", "features", "monday"]) == 2
    assert "--filter monday" in capsys.readouterr().err
    assert run(["--db", str(tiny), "ls", "features", "dens<1"]) == 2
    assert "no field 'dens' – did you mean 'density'? (column 1)" in capsys.readouterr().err
