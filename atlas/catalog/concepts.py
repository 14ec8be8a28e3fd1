"""Concepts of an atlas, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atlas.errors import UnknownName

if TYPE_CHECKING:
    from atlas.db import Atlas


def concept_named(atlas: Atlas, wanted: str) -> str:
    """Name of a concept, letter case aside.

    Raises:
        UnknownName: There is no such concept.
    """
    known = [row[0] for row in atlas.fetch("concepts/names")]
    for name in known:
        if name.lower() == wanted.lower():
            return name
    raise UnknownName("concept", wanted, known, hint="featlas ls concepts")
