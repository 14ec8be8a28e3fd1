"""What every writing command records in `runs`: the command line, the resolved spec, the software, the time."""

from __future__ import annotations

import datetime
import hashlib
import json
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from atlas import __version__
from atlas.db import Atlas


def spec_sha256(spec: Mapping[str, object]) -> str:
    """Hash of a spec: equal specs have equal hashes, in any order of their keys."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def utc_now() -> datetime.datetime:
    """Now, in UTC, without a time zone, as the atlas stores times."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def command_line() -> str:
    return shlex.join(["featlas", *sys.argv[1:]])


def next_id(atlas: Atlas, table: str, column: str) -> int:
    """First free number of a key column; call it inside the transaction that uses it."""
    return atlas.rows(f'select coalesce(max(t."{column}"), 0) + 1 from "{table}" t').rows[0][0]


def add_run(
    atlas: Atlas,
    spec: Mapping[str, object],
    started_at: datetime.datetime,
    *,
    command: str | None = None,
    packages: tuple[str, ...] = (),
) -> int:
    """Record a finished run inside the caller's transaction and return its number.

    Args:
        atlas: Open for writing, in a transaction.
        spec: What was computed, resolved: names, options, seeds.
        started_at: UTC, as `utc_now` gives it.
        command: The command line; by default that of this process.
        packages: Software to record besides featlas, DuckDB, NumPy and SciPy, where it is installed.
    """
    run_id = next_id(atlas, "run", "run_id")
    software = {"featlas": __version__, "python": sys.version.split()[0]}
    for package in ("duckdb", "numpy", "scipy", *packages):
        with suppress(PackageNotFoundError):
            software[package] = version(package)
    atlas.insert(
        "run",
        {
            "run_id": [run_id],
            "command": [command or command_line()],
            "spec": [json.dumps(spec, ensure_ascii=False)],
            "spec_sha256": [spec_sha256(spec)],
            "software": [json.dumps(software)],
            "started_at": [started_at],
            "finished_at": [utc_now()],
            "status": ["done"],
        },
    )
    return run_id
