"""What the browser remembers about an atlas from one day to the next: one small JSON file for each database."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

_KEPT = 100
"""Filters and commands of the past that are kept."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """How the browser was left."""

    view: str = "browse"
    """Name of the view in front."""
    filter: str = ""
    """Of the feature table."""
    sort: str = "density"
    """Of the feature table."""
    reverse: bool = False
    """The order was turned round."""
    sae: str = ""
    """The one SAE that was shown; empty for all."""
    corpus: str = ""
    """Corpus of that SAE's scan."""
    cursor: str = ""
    """Full reference of the feature under the cursor."""
    marks: tuple[tuple[str, int], ...] = ()
    """(SAE, feature) that were marked."""
    filters: tuple[str, ...] = ()
    """Filters of the past, the newest last."""
    commands: tuple[str, ...] = ()
    """Command lines of the past, the newest last."""


def state_path(db: Path) -> Path:
    """Where the state of a database is kept."""
    from platformdirs import user_state_path

    name = hashlib.sha256(str(db.resolve()).encode()).hexdigest()[:16]
    return user_state_path("featlas", appauthor=False) / f"{name}.json"


def load(path: Path) -> tuple[Remembered, str]:
    """What was remembered, and a note if the file could not be read; a missing file needs none."""
    try:
        return _checked(json.loads(path.read_text(encoding="utf-8"))), ""
    except FileNotFoundError:
        return Remembered(), ""
    except (OSError, ValueError, TypeError, RecursionError):
        return Remembered(), f"what was remembered could not be read and is left aside: {path}"


def save(path: Path, state: Remembered) -> bool:
    """Write the file, whole or not at all; false if it could not be written, which is nobody's trouble."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(_shortened(state), ensure_ascii=True, indent=1), encoding="utf-8")
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        return False
    return True


def marks_of(db: Path) -> frozenset[tuple[str, int]]:
    return frozenset(load(state_path(db))[0].marks)


def _shortened(state: Remembered) -> dict[str, Any]:
    return asdict(state) | {"filters": state.filters[-_KEPT:], "commands": state.commands[-_KEPT:]}


def _checked(values: Any) -> Remembered:
    """A record from what a file says; anything of another type is an error."""
    if not isinstance(values, dict):
        raise TypeError("no object")
    default = Remembered()
    kept: dict[str, Any] = {}
    for name in (field.name for field in fields(Remembered)):
        value = values.get(name, getattr(default, name))
        if name == "marks":
            value = tuple((_text(sae), _number(feature)) for sae, feature in value)
        elif name in ("filters", "commands"):
            value = tuple(map(_text, value))
        elif type(value) is not type(getattr(default, name)):
            raise TypeError(name)
        kept[name] = value
    return Remembered(**kept)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise TypeError("no feature")
    return value
