"""Files that are there wholly or not at all, and what they should hold."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from atlas.errors import AtlasError

Facts = dict[str, int | str]
"""`bytes` and `sha256` of a file."""


def write_whole(path: Path, fill: Callable[[Any], object]) -> Facts:
    """Write a file under another name, see it onto the disk, then give it its name; its size and hash.

    Raises:
        AtlasError: The disk is full, or the folder cannot be written to; nothing is left.
    """
    import polars as pl
    import pyarrow as pa

    temporary = path.parent / f".{path.name}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            fill(handle)
            handle.flush()
            os.fsync(handle.fileno())
        facts: Facts = {"bytes": temporary.stat().st_size, "sha256": sha256(temporary)}
        temporary.replace(path)
        sync_folder(path.parent)
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        temporary.unlink(missing_ok=True)
        why = getattr(error, "strerror", None) or str(error)
        hint = "make room and run the same command: it resumes after the last finished shard"
        raise AtlasError(f"cannot write {path}", why=why, hint=hint) from error
    return facts


def is_whole(path: Path, facts: Facts) -> bool:
    """Whether a file is the one that the facts were stated of."""
    try:
        return path.stat().st_size == facts["bytes"] and sha256(path) == facts["sha256"]
    except (OSError, KeyError, TypeError):
        return False


def link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the disk has no such thing."""
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError as error:
        if not source.is_file():
            hint = "run the same command again"
            raise AtlasError(f"{source} is missing", why=error.strerror, hint=hint) from error
        write_whole(target, lambda to: to.write(source.read_bytes()))


def sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """See the names in a folder onto the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
