"""Migrations, run once each, and the views and macros, created again when their files have changed."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import duckdb

from atlas.db.sqlfiles import contract, sql_files
from atlas.errors import AtlasUnavailable

_LEDGER = """
create table if not exists migration (name varchar primary key, sha256 varchar not null, applied_at timestamp not null);
create table if not exists contract (sha256 varchar not null);
"""
_FOREIGN = """
select count(*) from (
    select table_name from duckdb_tables() union all
    select view_name from duckdb_views() where not internal union all
    select sequence_name from duckdb_sequences()
)
"""
_LEDGER_COLUMNS = """
select count(*) from duckdb_columns()
where (table_name, column_name) in (('migration', 'name'), ('migration', 'sha256'), ('contract', 'sha256'))
"""


def is_atlas(con: duckdb.DuckDBPyConnection) -> bool:
    return con.execute(_LEDGER_COLUMNS).fetchall()[0][0] == 3


def check_version(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise AtlasUnavailable for what is not an atlas, or has other tables or views than this program makes."""
    if not is_atlas(con):
        hint = "give the file that featlas wrote: --db PATH"
        raise AtlasUnavailable(f"{path} is a DuckDB file, but not an atlas", hint=hint)
    applied = {row[0] for row in con.execute("select m.name from migration m").fetchall()}
    known = {file.stem for file in sql_files("migrations")}
    if applied - known:
        raise AtlasUnavailable(f"{path} was written by a newer featlas", hint="pip install --upgrade featlas")
    contracts = con.execute("select c.sha256 from contract c").fetchall()
    if known - applied or contracts != [(contracts_sha256(),)]:
        raise AtlasUnavailable(
            f"the tables or views of {path} were made by another version of featlas",
            hint=f"featlas --db {path} migrate, which keeps everything in it",
        )


def apply_migrations(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the tables up to date, each migration in its own transaction with its record.

    Raises:
        AtlasUnavailable: The file holds something else, has newer migrations than this program, or a migration was
            edited after it was applied.
    """
    if not is_atlas(con) and con.execute(_FOREIGN).fetchall()[0][0]:
        raise AtlasUnavailable(f"{path} is a DuckDB file of another program", hint="give another file: --db PATH")
    con.execute(_LEDGER)
    applied = dict(con.execute("select m.name, m.sha256 from migration m").fetchall())
    files = sql_files("migrations")
    if unknown := sorted(set(applied) - {file.stem for file in files}):
        why, hint = f"it contains migration {unknown[0]}", "pip install --upgrade featlas"
        raise AtlasUnavailable(f"{path} was written by a newer featlas", why=why, hint=hint)
    for file in files:
        text = file.read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        if file.stem not in applied:
            _apply(con, file.stem, text, digest)
        elif applied[file.stem] != digest:
            raise AtlasUnavailable(f"{file.stem} was edited after it was applied", hint="add a new migration instead")


def _apply(con: duckdb.DuckDBPyConnection, name: str, text: str, digest: str) -> None:
    con.execute("begin transaction")
    try:
        con.execute(text)
        con.execute("insert into migration values (?, ?, now() at time zone 'UTC')", [name, digest])
        if name == "0001_core":
            _fill_lexicons(con)
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def _fill_lexicons(con: duckdb.DuckDBPyConnection) -> None:
    lexicons = json.loads((Path(__file__).parents[1] / "data" / "concepts.json").read_text(encoding="utf-8"))
    source = lexicons["source"]
    keywords = [(concept, word, source) for concept, words in lexicons["concepts"].items() for word in words]
    con.executemany("insert into concept_keyword values (?, ?, ?)", keywords)
    tokens = [(text, source) for text in lexicons["non_concept_tokens"]]
    con.executemany("insert into non_concept_token values (?, ?)", tokens)


_CONTRACTS = ("functions", "views", "macros")


@cache
def contracts_sha256() -> str:
    texts = (file.read_bytes() for folder in _CONTRACTS for file in sql_files(folder))
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def refresh_contracts(con: duckdb.DuckDBPyConnection) -> None:
    """Create all views and macros again unless they are current, with the meaning of their columns as comments."""
    if con.execute("select c.sha256 from contract c").fetchall() == [(contracts_sha256(),)]:
        return
    for folder in _CONTRACTS:
        for file in sql_files(folder):
            text = file.read_text(encoding="utf-8")
            con.execute(text)
            if folder == "views":
                view = contract(text)
                comments = [f"comment on view {view.name} is {_quoted(view.about)}"]
                comments += [f'comment on column {view.name}."{c}" is {_quoted(m)}' for c, m in view.columns.items()]
                con.execute(";\n".join(comments))
    con.execute("delete from contract")
    con.execute("insert into contract values (?)", [contracts_sha256()])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
