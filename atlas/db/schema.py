"""Migrations, run once each, and the views and macros, made anew at every opening for writing."""

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
    """Refuse to read what is no atlas, or one whose tables or views are not those of this program.

    Raises:
        AtlasUnavailable: The message says which, and what to do.
    """
    if not is_atlas(con):
        raise AtlasUnavailable(
            f"{path} is a DuckDB file, but no atlas", hint="give the file that featlas wrote: --db PATH"
        )
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
        raise AtlasUnavailable(f"{path} is a DuckDB file of something else", hint="give another file: --db PATH")
    con.execute(_LEDGER)
    applied = dict(con.execute("select m.name, m.sha256 from migration m").fetchall())
    files = sql_files("migrations")
    unknown = sorted(set(applied) - {file.stem for file in files})
    if unknown:
        raise AtlasUnavailable(
            f"{path} was written by a newer featlas",
            why=f"it has had {unknown[0]}",
            hint="pip install --upgrade featlas",
        )
    for file in files:
        text = file.read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        if file.stem not in applied:
            _apply(con, file.stem, text, digest)
        elif applied[file.stem] != digest:
            raise AtlasUnavailable(f"{file.stem} was edited after it was applied", hint="add a new migration instead")


def _apply(con: duckdb.DuckDBPyConnection, name: str, text: str, digest: str) -> None:
    """Run one migration and record it, both or neither."""
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
    """Put the concept lexicons and the non-concept tokens that ship with featlas into a new atlas."""
    lexicons = json.loads((Path(__file__).parents[1] / "data" / "concepts.json").read_text(encoding="utf-8"))
    source = lexicons["source"]
    keywords = [(concept, word, source) for concept, words in lexicons["concepts"].items() for word in words]
    con.executemany("insert into concept_keyword values (?, ?, ?)", keywords)
    con.executemany(
        "insert into non_concept_token values (?, ?)", [(text, source) for text in lexicons["non_concept_tokens"]]
    )


_CONTRACTS = ("functions", "views", "macros")


@cache
def contracts_sha256() -> str:
    texts = (file.read_bytes() for folder in _CONTRACTS for file in sql_files(folder))
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def refresh_contracts(con: duckdb.DuckDBPyConnection) -> None:
    """Make all views and macros anew, unless they are these, with the meaning of their columns as comments."""
    if con.execute("select c.sha256 from contract c").fetchall() == [(contracts_sha256(),)]:
        return
    for folder in _CONTRACTS:
        for file in sql_files(folder):
            text = file.read_text(encoding="utf-8")
            con.execute(text)
            if folder == "views":
                promised = contract(text)
                said = [f"comment on view {promised.name} is {_quoted(promised.about)}"]
                said += [
                    f'comment on column {promised.name}."{c}" is {_quoted(m)}' for c, m in promised.columns.items()
                ]
                con.execute(";\n".join(said))
    con.execute("delete from contract")
    con.execute("insert into contract values (?)", [contracts_sha256()])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
