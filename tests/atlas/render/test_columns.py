"""Columns of tables: one declaration each, found in what the query gives, and the only place a header comes from."""

from __future__ import annotations

import dataclasses

import pytest

from atlas.choices import PAIR_SORTS
from atlas.db import open_atlas
from atlas.filters.fields import SORTABLE
from atlas.queries.browse_records import FeatureRow, PairRow, Scan
from atlas.queries.concepts import CONCEPT_SORTS, ConceptRow
from atlas.queries.orphans import ORPHAN_SORTS, OrphanRow
from atlas.queries.scorelist import SCORE_SORTS, ScoreRow
from atlas.render.columns import (
    CONCEPTS,
    FEATURES,
    SCANS,
    SCORES,
    Column,
    is_rising,
    orphan_columns,
    pair_columns,
    row_cells,
    with_arrow,
)
from tests.support.tui_pilot import drive, press
from tui.app.app import FeatlasApp
from tui.widgets.vtable import VTable

PAIRS, ORPHANS = pair_columns("A", "B", "activation", verdict=True), orphan_columns("B")

TABLES = {
    "features": (FEATURES, FeatureRow, SORTABLE),
    "pairs": (PAIRS, PairRow, PAIR_SORTS),
    "concepts": (CONCEPTS, ConceptRow, CONCEPT_SORTS),
    "scores": (SCORES, ScoreRow, SCORE_SORTS),
    "orphans": (ORPHANS, OrphanRow, ORPHAN_SORTS),
    "scans": (SCANS, Scan, ()),
}


@pytest.mark.parametrize("table", TABLES)
def test_every_column_shows_a_field_of_its_record_and_an_order_of_its_query(table):
    columns, record, sorts = TABLES[table]
    assert {column.field for column in columns} <= {field.name for field in dataclasses.fields(record)}
    orders = [column.sort for column in columns if column.sort]
    assert set(orders) <= set(sorts)
    assert len(orders) == len(set(orders))


QUERIES = {
    "features": ("browse/window", {"scans": [1], "features": [0]}),
    "partners": ("browse/window_matches", {"scans": [1], "features": [0]}),
    "scores": ("browse/score_window", {"scores": [1]}),
    "orphans": ("browse/orphan_window", {"scan": 1, "features": [0]}),
    "scans": ("browse/scans", {}),
    "pairs": (
        "browse/pair_window",
        {"features_a": [0], "features_b": [0], "scan_a": 1, "scan_b": 2, "corpus": "text", "method": "best"}
        | {"sae_a": "little/one", "sae_b": "little/two", "measure": "activation"},
    ),
    "concepts": ("concepts/counts", {"rule": "share", "min_share": 0.0, "concept": None, "sae": None, "corpus": None}),
}
ADDED = {
    "features": {"other", "partner", "value"},
    "orphans": {"partner", "value", "because"},
    "pairs": {"dropped_because"},
}
"""Fields that the order of the list, or another query, has."""


@pytest.mark.parametrize("table", TABLES)
def test_every_field_of_a_table_is_a_column_of_its_query(table, full):
    columns, record, _ = TABLES[table]
    query, parameters = QUERIES[table]
    with open_atlas(full) as atlas:
        given = set(atlas.fetch(query, **parameters).columns) | ADDED.get(table, set())
    assert {column.field for column in columns} <= given
    assert {field.name for field in dataclasses.fields(record)} == given


def test_every_header_and_cell_that_the_browser_shows_comes_from_a_declaration(full):
    declared = {name: columns for name, (columns, *_) in TABLES.items()}

    async def script(app, pilot):
        for key, name in {
            "1": "features",
            "2": "pairs",
            "5": "concepts",
            "6": "scores",
            "7": "orphans",
            "o": "scans",
        }.items():
            await press(app, pilot, key)
            table = app.desk.stage.front.query_one(VTable)
            shown = list(table.record())
            titles = [column.title for column in declared[name]]
            assert shown == titles[: len(shown)]
            assert len(shown) >= len(titles) - 1  # a kept pair was dropped for no reason

    drive(FeatlasApp(full), script, size=(200, 40))


def test_the_column_that_sorts_has_an_arrow_in_the_direction_of_its_order():
    columns = (Column("name", 4, sort="name", rising=True), Column("n", 4, sort="n"))
    for sort, reverse, titles in (
        ("name", False, ["name▲", "n"]),
        ("name", True, ["name▼", "n"]),
        ("n", False, ["name", "n▼"]),
        ("none", False, ["name", "n"]),
    ):
        up = is_rising(columns, sort, reverse=reverse)
        assert [column.title for column in with_arrow(columns, sort, up=up)] == titles


def test_cells_stand_in_the_order_of_the_columns():
    scan = Scan(1, "A", "sae", "model", "blocks.1.hook_mlp_out", 1, "standard", 3, 5, "text", 1000, 2.5, 4, 1, 3, None)
    cells = dict(zip([column.title for column in SCANS], row_cells(SCANS, scan), strict=True))
    assert cells["hook"] == "1.mlp_out"
    assert cells["alive"] == "80.0 %"
    assert cells["tokens"] == "1,000"
    assert cells["FVU"] == "·"
