"""The SQL files keep what their headers promise."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from atlas.db import open_atlas
from atlas.db.sqlfiles import contract, sql_files
from atlas.errors import AtlasUnavailable

VIEWS = sql_files("views")
TABLE_MACROS = sql_files("macros")
CALLS = {
    "matches": "matches('A', 'B')",
    "kept_matches": "kept_matches('A', 'B')",
    "matches_by": "matches_by('A', 'B', {'measure': 'activation', 'direction': 'a_to_b', 'method': 'best', 'top_tokens': 5, "
    "'drop_non_concept': true, 'shared_token': true, 'value': {'low': 0.0, 'high': null}, "
    "'joint': {'low': 0, 'high': null}, 'density': {'low': 0.0, 'high': 1.0}})",
    "concept_pairs": "concept_pairs('Emotions', 'A', 'B')",
    "concept_features_by": "concept_features_by('share')",
    "features_between": "features_between('A')",
    "neighbours": "neighbours('A', 0)",
    "decoder_rows_of": "decoder_rows_of('A')",
    "shared_features": "shared_features('A', 'B')",
    "sharing_sweep": "sharing_sweep('A', 'B')",
    "families_over": "families_over()",
    "counterparts": "counterparts()",
    "feature_splits": "feature_splits('activation')",
    "disagreements_between": "disagreements_between('A', 'B')",
    "position_dependence": "position_dependence()",
}


def stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", VIEWS, ids=stem)
def test_a_view_has_exactly_the_columns_of_its_header(path: Path, full: Path):
    promised = contract(path.read_text())
    with open_atlas(full) as atlas:
        actual = atlas.rows(f"describe {promised.name}")
    assert [row[0] for row in actual] == list(promised.columns)


@pytest.mark.parametrize("path", TABLE_MACROS, ids=stem)
def test_a_macro_has_exactly_the_columns_of_its_header(path: Path, full: Path):
    promised = contract(path.read_text())
    with open_atlas(full) as atlas:
        assert list(atlas.rows(f"select * from {CALLS[promised.name]}").columns) == list(promised.columns)


@pytest.mark.parametrize("path", VIEWS + TABLE_MACROS, ids=stem)
def test_the_grain_of_a_view_identifies_a_row(path: Path, full: Path):
    promised = contract(path.read_text())
    source = CALLS.get(promised.name, promised.name)
    keys = ", ".join(promised.grain)
    with open_atlas(full) as atlas:
        assert atlas.rows(f"select {keys} from {source} group by {keys} having count(*) > 1").rows == []
        assert len(atlas.rows(f"select * from {source}")) > 0


@pytest.mark.parametrize("path", VIEWS, ids=stem)
def test_the_database_itself_can_say_what_a_column_means(path: Path, full: Path):
    promised = contract(path.read_text())
    with open_atlas(full) as atlas:
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
    with pytest.raises(AtlasUnavailable, match="cannot be used as an atlas"):
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


def test_what_is_deleted_by_a_query_comes_back_when_its_block_fails(tiny: Path):
    with open_atlas(tiny, write=True) as atlas, pytest.raises(RuntimeError), atlas.transaction():
        atlas.rows("delete from pair")
        assert atlas.rows("select count(*) from pairs").rows == [(0,)]
        raise RuntimeError
    with open_atlas(tiny) as atlas:
        assert len(atlas.rows("select * from pairs")) == 8


def test_views_of_another_version_are_brought_up_to_date_by_writing(tiny: Path):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("update contract set sha256 = 'of another version'")
    with pytest.raises(AtlasUnavailable, match="migrate"):
        open_atlas(tiny)
    open_atlas(tiny, write=True).close()
    open_atlas(tiny).close()


def test_a_folder_whose_name_speaks_of_locks_is_not_taken_for_a_lock(tmp_path: Path):
    (tmp_path / "blocks").mkdir()
    path = tmp_path / "blocks" / "x.txt"
    path.write_text("no database")
    with pytest.raises(AtlasUnavailable, match="cannot be used"):
        open_atlas(path)


def test_a_name_that_duckdb_takes_for_a_scheme_is_a_file_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    open_atlas(":memory:", create=True).close()
    assert (tmp_path / ":memory:").is_file()


def test_several_labels_of_a_feature_are_one_row(tiny: Path):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("insert into feature_label values (1, 0, 'np', 'feelings'), (1, 0, 'me', 'sadness')")
        assert atlas.rows("select label from features where sae = 'little/one' and feature_id = 0").rows == [
            ("sadness; feelings",)
        ]
        assert len(atlas.rows("from features")) == 10
        assert len(atlas.rows("from matches('A', 'B')")) == 4


def test_a_token_that_the_vocabulary_lacks_keeps_its_place(tiny: Path):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("delete from vocab where text = '.'")
        for tokens, activations in atlas.rows("select tokens, activations from contexts"):
            assert len(tokens) == len(activations)
            assert "<6>" in tokens


def test_contexts_are_read_with_the_vocabulary_of_their_own_corpus(tiny: Path):
    with open_atlas(tiny, write=True) as atlas:
        before = atlas.rows("select distinct tokens from contexts order by all").rows
        atlas.rows("insert into tokenizer values (0, 'others', 9), (2, 'more', 2)")
        atlas.rows("insert into vocab values (0, 8, 'x', 'word'), (0, 1, 'y', 'word'), (2, 0, 'z', 'word')")
        assert atlas.rows("select distinct tokens from contexts order by all").rows == before
        atlas.rows("update corpus set tokenizer_id = 2")
        places = "select flatten(list(tokens)) from contexts"
        assert {"<1>", "<7>", "z"} <= set(atlas.rows(places).rows[0][0]) <= {"z", *(f"<{i}>" for i in range(1, 8))}
        atlas.rows("delete from vocab")
        assert set(atlas.rows(places).rows[0][0]) == {f"<{i}>" for i in range(8)}


def test_a_decoder_row_of_zeros_is_no_neighbour(tiny: Path):
    with open_atlas(tiny, write=True) as atlas:
        atlas.rows("update feature_vector set w_dec = [0.0, 0.0, 0.0] where sae_id = 1 and feature_id = 4")
        assert atlas.rows("select feature_id from neighbours('A', 0)").rows == [(3,), (1,), (2,)]


def test_asking_for_what_is_not_there_is_an_error_and_not_an_empty_result(tiny: Path):
    with open_atlas(tiny) as atlas:
        for call, message in (
            ("neighbours('A', 99)", "no feature 99"),
            ("matches('A', 'B', measure := 'activaton')", "no activaton pairs"),
            ("matches('A', 'A')", "no activation pairs"),
            ("concept_pairs('Emotin', 'A', 'B')", "no concept named Emotin"),
        ):
            with pytest.raises(duckdb.Error, match=message):
                atlas.rows(f"from {call}")


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


def test_an_atlas_of_the_first_schema_keeps_everything(tmp_path: Path):
    path = tmp_path / "old.duckdb"
    path.write_bytes(gzip.decompress((Path(__file__).parents[2] / "data" / "atlas-0001.duckdb.gz").read_bytes()))
    with pytest.raises(AtlasUnavailable, match="migrate"):
        open_atlas(path)
    open_atlas(path, write=True).close()
    with open_atlas(path) as atlas:
        assert len(atlas.rows("from features")) == 10
        assert len(atlas.rows("from pairs")) == 8
        assert atlas.rows("select distinct n_documents from scans").rows == [(4,)]
        (window,) = atlas.rows("select activations from contexts where sae = 'little/one' and rank = 1")
        assert window[0] == [0.0, 0.0, 2.0, 0.0, 0.5, 0.0]
        assert atlas.rows("select count(*) from features where encoder_norm is null").rows == [(0,)]
