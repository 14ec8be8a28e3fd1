"""The one door to DuckDB: opening, creating, migrating and writing an atlas."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import duckdb

from atlas.db.handover import WriterNotice
from atlas.db.schema import apply_migrations, check_version, refresh_contracts
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError, AtlasUnavailable, disk_full

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_CLOSED = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_READING = {**_CLOSED, "enable_external_access": "false", "lock_configuration": "true"}
_WRITING = {**_CLOSED, "storage_compatibility_version": "v1.5.0"}


@dataclass(frozen=True, slots=True)
class Rows:
    """The result of a query, small enough to hold."""

    columns: tuple[str, ...]
    """Column names, in the order of the query."""
    rows: list[tuple[Any, ...]]
    """One tuple a row; SQL null is None, a list column is a list."""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Atlas:
    """An open atlas. Use as a context manager; reading closes at once, writing is a transaction."""

    def __init__(self, path: Path, con: duckdb.DuckDBPyConnection, *, writable: bool) -> None:
        self.path, self.con, self.writable = path, con, writable

    @property
    def store(self) -> Path:
        return store_of(self.path)

    def sql(self, query: str, params: object = None) -> duckdb.DuckDBPyRelation:
        """Run any SQL; the relation has `.pl()`, `.fetchall()`, `.to_arrow_table()`, …"""
        return self.con.sql(query, params=params)

    def fetch(self, query: str, **params: object) -> Rows:
        """Run `sql/queries/<query>.sql`. A missing or spare parameter raises."""
        return self.rows(sql_text(f"queries/{query}"), **params)

    def rows(self, sql: str, **params: object) -> Rows:
        """Run SQL text with named parameters, inside the transaction if one is open, and hold the whole result."""
        result = self.con.execute(sql, params)
        columns = tuple(column[0] for column in result.description or ())
        return Rows(columns, result.fetchall())

    def frame(self, query: str, **params: object) -> pl.DataFrame:
        """Run `sql/queries/<query>.sql` into a polars frame."""
        return self.con.sql(sql_text(f"queries/{query}"), params=params).pl()

    def arrays(self, query: str, **params: object) -> Mapping[str, np.ndarray]:
        """Run `sql/queries/<query>.sql` into one NumPy array a column, for long numeric results."""
        return self.columns(sql_text(f"queries/{query}"), **params)

    def columns(self, sql: str, **params: object) -> Mapping[str, np.ndarray]:
        """Run SQL text with named parameters into one NumPy array a column."""
        import numpy as np

        columns = self.con.execute(sql, params).fetchnumpy()
        return {name: np.asanyarray(values) for name, values in columns.items()}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block is written, or none of it."""
        self.con.execute("begin transaction")
        try:
            yield
        except BaseException as error:
            with suppress(duckdb.Error):  # a disk that fails may have ended the transaction already
                self.con.execute("rollback")
            if isinstance(error, duckdb.Error) and (full := disk_full(error)):
                raise full from error
            raise
        try:
            self.con.execute("commit")
        except duckdb.Error as error:
            why, hint = first_line(error), "may you write there, and is the disk sound?"
            raise disk_full(error) or AtlasUnavailable(
                f"{self.path} could not be written", why=why, hint=hint
            ) from error

    def insert(self, table: str, columns: Mapping[str, object]) -> None:
        """Append to a table: columns by name, each an array or a list of one length; masked items are null."""
        import numpy as np
        import polars as pl

        series = {
            # Polars does not know masked arrays.
            name: pl.Series(values.data).set(pl.Series(np.ma.getmaskarray(values)), None)
            if isinstance(values, np.ma.MaskedArray)
            else values
            for name, values in columns.items()
        }
        frame = pl.DataFrame(series)
        self.con.register("incoming_rows", frame.to_arrow())
        names = ", ".join(f'"{name}"' for name in frame.columns)
        self.con.execute(f'insert into "{table}" ({names}) select {names} from incoming_rows').fetchall()
        self.con.unregister("incoming_rows")

    def close(self) -> None:
        self.con.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def store_of(path: Path | str) -> Path:
    """Folder of the sparse activations that belongs to the database file `path`."""
    return Path(f"{path}.store")


def open_atlas(
    path: str | Path = "atlas.duckdb", *, write: bool = False, create: bool = False, wait: float = 0
) -> Atlas:
    """Open an atlas.

    Args:
        path: The database file.
        write: Open for writing; views and macros are brought up to date.
        create: Make the file if it is missing (implies `write`).
        wait: Seconds to wait for another program that holds the file.

    Raises:
        AtlasUnavailable: The file is missing, held by another program, not an atlas or of a newer schema.
    """
    path = Path(path).absolute()  # so that DuckDB takes no name for a scheme, such as ":memory:"
    if not path.exists() and not create:
        hint = "featlas demo, or featlas ingest --help, or name the file: --db PATH"
        raise AtlasUnavailable(f"there is no atlas at {path}", hint=hint)
    if path.is_dir() or not path.parent.is_dir():
        hint = "give a file name in a folder that exists: --db atlas.duckdb"
        raise AtlasUnavailable(f"{path} cannot be a database file", hint=hint)
    try:
        return _open_to_write(path, wait) if write or create else _open_to_read(path, wait)
    except (duckdb.Error, OSError) as error:
        raise disk_full(error) or AtlasUnavailable(
            f"{path} cannot be used as an atlas",
            why=first_line(error),
            hint="is it a whole DuckDB file, may you write there?",
        ) from error


def _open_to_write(path: Path, wait: float) -> Atlas:
    if not path.exists():
        _create(path)
    with WriterNotice(path):
        con = _connect(path, _WRITING, read_only=False, deadline=time.monotonic() + max(wait, WriterNotice.PATIENCE))
    atlas = Atlas(path, con, writable=True)
    try:
        apply_migrations(con, path)
        with atlas.transaction():
            refresh_contracts(con)
    except BaseException:
        con.close()
        raise
    return atlas


def _create(path: Path) -> None:
    """Make an empty atlas, whole or not at all: under another name first."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        con = duckdb.connect(str(new), config=dict(_WRITING))
        try:
            apply_migrations(con, path)
            con.begin()  # one commit for hundreds of statements: each would wait for the disk
            refresh_contracts(con)
            con.commit()
        finally:
            con.close()
        try:
            os.link(new, path)
        except FileExistsError:
            pass  # another program was faster; it made the same file
        except OSError:  # a file system without hard links
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)
        new.with_name(f"{new.name}.wal").unlink(missing_ok=True)


def _open_to_read(path: Path, wait: float) -> Atlas:
    con = _connect(path, _READING, read_only=True, deadline=time.monotonic() + wait)
    try:
        check_version(con, path)
    except BaseException:
        con.close()
        raise
    return Atlas(path, con, writable=False)


def _connect(path: Path, config: Mapping[str, str], *, read_only: bool, deadline: float) -> duckdb.DuckDBPyConnection:
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=dict(config))
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise
            if time.monotonic() >= deadline:
                pid = re.search(r"PID (\d+)", str(error))
                raise AtlasUnavailable(
                    f"{path} is open in another program" + (f" (PID {pid[1]})" if pid else ""),
                    why="DuckDB allows one writer and no readers beside it",
                    hint="close that program, or run again with --wait 60",
                ) from error
            time.sleep(0.1)


def first_line(error: Exception) -> str:
    """First line of an error of DuckDB, without its class name."""
    return str(error).splitlines()[0].removeprefix("Error: ")


def user_error(error: duckdb.Error) -> AtlasError:
    """An error in SQL that a user wrote, as one message with DuckDB's own pointer to the place."""
    return AtlasError(str(error).strip())
