"""The SQL files keep what their headers promise."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from atlas.db import open_atlas
from atlas.errors import AtlasUnavailable
from atlas.sqlfiles import contract, sql_files

VIEWS = sql_files("views")
TABLE_MACROS = sql_files("macros")
CALLS = {
    "matches": "matches('A', 'B')",
    "kept_matches": "kept_matches('A', 'B')",
    "concept_pairs": "concept_pairs('Emotions', 'A', 'B')",
    "features_between": "features_between('A')",
    "neighbours": "neighbours('A', 0)",
    "decoder_rows_of": "decoder_rows_of('A')",
}


def stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", VIEWS, ids=stem)
def test_a_view_has_exactly_the_columns_of_its_header(path: Path, tiny: Path):
    promised = contract(path.read_text())
    with open_atlas(tiny) as atlas:
        actual = atlas.rows(f"describe {promised.name}")
    assert [row[0] for row in actual] == list(promised.columns)


@pytest.mark.parametrize("path", TABLE_MACROS, ids=stem)
def test_a_macro_has_exactly_the_columns_of_its_header(path: Path, tiny: Path):
    promised = contract(path.read_text())
    with open_atlas(tiny) as atlas:
        assert list(atlas.rows(f"select * from {CALLS[promised.name]}").columns) == list(promised.columns)


@pytest.mark.parametrize("path", VIEWS + TABLE_MACROS, ids=stem)
def test_the_grain_of_a_view_identifies_a_row(path: Path, tiny: Path):
    promised = contract(path.read_text())
    source = CALLS.get(promised.name, promised.name)
    keys = ", ".join(promised.grain)
    with open_atlas(tiny) as atlas:
        assert atlas.rows(f"select {keys} from {source} group by {keys} having count(*) > 1").rows == []
        if promised.name not in ("scores",):
            assert len(atlas.rows(f"select * from {source}")) > 0


@pytest.mark.parametrize("path", VIEWS, ids=stem)
def test_the_database_itself_can_say_what_a_column_means(path: Path, tiny: Path):
    promised = contract(path.read_text())
    with open_atlas(tiny) as atlas:
        comments = atlas.rows(
            "select column_name, comment from duckdb_columns() where table_name = $view", view=promised.name
        )
    assert dict(comments.rows) == promised.columns


def test_every_migration_runs_once(tmp_path: Path):
    path = tmp_path / "a.duckdb"
    open_atlas(path, create=True).close()
    open_atlas(path, write=True).close()
    with open_atlas(path) as atlas:
        assert len(atlas.rows("select * from migration")) == len(sql_files("migrations"))


def test_an_edited_migration_is_refused(tmp_path: Path):
    path = tmp_path / "a.duckdb"
    with open_atlas(path, create=True) as atlas:
        atlas.con.execute("update migration set sha256 = 'other' where name = '0001_core'").fetchall()
    with pytest.raises(AtlasUnavailable, match="edited after it was applied"):
        open_atlas(path, write=True)


def test_an_atlas_of_a_newer_featlas_is_refused(tmp_path: Path):
    path = tmp_path / "a.duckdb"
    with open_atlas(path, create=True) as atlas:
        atlas.con.execute("insert into migration values ('9999_future', 'x', current_localtimestamp())").fetchall()
    for write in (False, True):
        with pytest.raises(AtlasUnavailable, match="newer featlas"):
            open_atlas(path, write=write)


def test_a_database_of_something_else_is_left_alone(tmp_path: Path):
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table mine as select 1 as x")
    for write in (False, True):
        with pytest.raises(AtlasUnavailable):
            open_atlas(path, write=write)
    with duckdb.connect(str(path)) as con:
        assert con.execute("select table_name from duckdb_tables()").fetchall() == [("mine",)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database")
    with pytest.raises(AtlasUnavailable, match="cannot be opened"):
        open_atlas(path)


def test_a_missing_atlas_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(AtlasUnavailable, match="featlas demo"):
        open_atlas(tmp_path / "none.duckdb")


def test_a_failed_block_leaves_nothing_behind(tiny: Path):
    with open_atlas(tiny, write=True) as atlas, pytest.raises(RuntimeError), atlas.transaction():
        atlas.con.execute("delete from pair").fetchall()
        raise RuntimeError
    with open_atlas(tiny) as atlas:
        assert len(atlas.rows("select * from pairs")) == 8


def test_reading_reaches_no_other_file(tiny: Path, tmp_path: Path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with open_atlas(tiny) as atlas:
        for attempt in (
            f"from read_csv('{tmp_path}/secret.csv')",
            "create table x as select 1",
            "set threads = 1",
            f"attach '{tmp_path}/y.duckdb'",
            f"copy (select 1) to '{tmp_path}/z.csv'",
        ):
            with pytest.raises(duckdb.Error):
                atlas.rows(attempt)
