"""Folders of scans that others took the place of: marked before the database says so, cleared after."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from atlas.db import Atlas

_MARK = "superseded"


def supersede(folder: Path, by: str) -> None:
    """Note in a folder which scan takes its place; it counts once the database knows that scan."""
    with suppress(OSError):
        (folder / _MARK).write_text(by, encoding="utf-8")


def clear_superseded(atlas: Atlas) -> None:
    """Remove the folders whose scans are replaced, where a killed ingest could not."""
    used = {row[0] for row in atlas.rows("select c.store from scan c where c.store is not null")}
    known = {row[0][:12] for row in atlas.rows("select c.spec_sha256 from scan c")}
    for mark in atlas.store.glob(f"*/{_MARK}"):
        with suppress(OSError):
            if mark.parent.name in used:
                mark.unlink()
            elif mark.read_text(encoding="utf-8") in known:
                shutil.rmtree(mark.parent)
