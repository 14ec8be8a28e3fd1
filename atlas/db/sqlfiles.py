"""The SQL files of the project and the contracts in their headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Contract:
    """What the header of a view or a table macro promises."""

    kind: str
    """`view` or `macro`."""
    name: str
    """Its name in SQL."""
    grain: tuple[str, ...]
    """Columns that identify a row; empty for a scalar macro."""
    about: str
    """One sentence."""
    columns: dict[str, str]
    """Meaning of every column, in the order of the result."""


def sql_root() -> Path:
    """Folder of the SQL files: inside the package when installed, beside it in a checkout."""
    installed = Path(__file__).parents[1] / "_sql"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "sql"


def sql_files(folder: str) -> list[Path]:
    """Files of one folder in the order in which they are applied: by name."""
    return sorted((sql_root() / folder).glob("*.sql"))


@cache
def sql_text(name: str) -> str:
    """Text of `<name>.sql`, for instance `queries/features`."""
    return (sql_root() / f"{name}.sql").read_text(encoding="utf-8")


def contract(text: str) -> Contract:
    """Read the header of a view or macro file."""
    kind, name = re.findall(r"^-- (view|macro): +(\w+)", text, re.M)[0]
    grain = re.findall(r"^-- grain: +(.+)$", text, re.M)
    about = re.findall(r"^-- about: +(.+)$", text, re.M)
    columns = dict(re.findall(r"^--   (\w+)  *(\S.*)$", text, re.M))
    keys = tuple(part.strip() for part in grain[0].split(",")) if grain else ()
    return Contract(kind, name, keys, about[0] if about else "", columns)
