"""Migrations, run once each, and the views and macros, made anew at every opening for writing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb

from atlas.errors import AtlasUnavailable
from atlas.sqlfiles import contract, sql_files

_LEDGER = """create table if not exists migration (
    name varchar primary key, sha256 varchar not null, applied_at timestamp not null)"""

SCHEMA_VERSION = len(sql_files("migrations"))
"""Number of migrations this program knows; an atlas records how many it has had."""


def applied_version(con: duckdb.DuckDBPyConnection) -> int | None:
    """How many migrations the file has had; None if it is no atlas."""
    known = con.execute("select count(*) from duckdb_tables() where table_name = 'migration'").fetchall()
    return con.execute("select count(*) from migration").fetchall()[0][0] if known[0][0] else None


def apply_migrations(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the tables up to date, each migration in its own transaction with its record.

    Raises:
        AtlasUnavailable: The file holds tables but no atlas, has newer migrations than this program, or a migration
            was edited after it was applied.
    """
    foreign = con.execute("select count(*) from duckdb_tables()").fetchall()[0][0]
    if applied_version(con) is None and foreign:
        raise AtlasUnavailable(f"{path} is a DuckDB file of something else", hint="give another file: --db PATH")
    con.execute(_LEDGER)
    applied = dict(con.execute("select name, sha256 from migration").fetchall())
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
    lexicons = json.loads((Path(__file__).parent / "data" / "concepts.json").read_text(encoding="utf-8"))
    source = lexicons["source"]
    keywords = [(concept, word, source) for concept, words in lexicons["concepts"].items() for word in words]
    con.executemany("insert into concept_keyword values (?, ?, ?)", keywords)
    con.executemany(
        "insert into non_concept_token values (?, ?)", [(text, source) for text in lexicons["non_concept_tokens"]]
    )


def refresh_contracts(con: duckdb.DuckDBPyConnection) -> None:
    """Make all views and macros anew and put the meaning of their columns into the database as comments."""
    for folder in ("functions", "views", "macros"):
        for file in sql_files(folder):
            text = file.read_text(encoding="utf-8")
            con.execute(text)
            if folder == "views":
                promised = contract(text)
                con.execute(f"comment on view {promised.name} is {_quoted(promised.about)}")
                for column, meaning in promised.columns.items():
                    con.execute(f'comment on column {promised.name}."{column}" is {_quoted(meaning)}')


def _quoted(text: str) -> str:
    """SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
