"""Feature labels as other tools write them: tables, JSON, explanations of Neuronpedia and of delphi.

A row has a feature number under `feature`, `feature_id` or `index` and a text under `label`, `description` or
`explanation`. A file of delphi is named `{hookpoint}_latent{number}.txt` and holds the text as a JSON string.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from atlas.errors import AtlasError

FEATURE_KEYS = ("feature", "feature_id", "index")
LABEL_KEYS = ("label", "description", "explanation")
SUFFIXES = (".csv", ".tsv", ".jsonl", ".json")

_DELPHI = re.compile(r"(?P<hookpoint>.+)_latent(?P<feature>\d{1,9})\.txt")
_HINT = "give a .csv, .tsv, .jsonl or .json file (or one of them as .gz), or a folder of Neuronpedia or delphi"


@dataclass(frozen=True, slots=True)
class Label:
    """What a file calls one feature."""

    feature_id: int
    """Number of the feature, 0 or more; whether the SAE has it is not checked here."""
    text: str
    """The label, not empty, without spaces around it."""
    source: str | None
    """Who made it, if the row says so: `typeName/explanationModelName` of Neuronpedia."""
    part: str | None
    """Where the feature lives, if the file says so: `5-res-jb` of Neuronpedia, `layers.5.mlp` of delphi."""
    place: str
    """File and line, for messages."""


def label_files(path: Path) -> list[Path]:
    """Files that hold labels, in the order of the numbers in their names.

    Raises:
        AtlasError: The path is missing, or holds no file of a kind that can be read.
    """
    if not path.exists():
        raise AtlasError(f"there are no labels at {path}", hint=_HINT)
    if path.is_file():
        if not _is_readable(path):
            raise AtlasError(f"{path.name} is not a file of labels that can be read", hint=_HINT)
        return [path]
    folder = path / "explanations" if (path / "explanations").is_dir() else path
    inside = [file for file in folder.iterdir() if file.is_file() and _is_readable(file)]
    files = sorted((file for file in inside if not file.name.startswith(".")), key=_by_number)
    if not files:
        raise AtlasError(f"the folder {folder} holds no file of labels", hint=_HINT)
    return files


def read_labels(path: Path) -> Iterator[Label]:
    """Every label of a file or folder.

    Raises:
        AtlasError: A file cannot be read, or a row is not a label; the message names file and line.
    """
    for file in label_files(path):
        try:
            yield from _delphi(file) if _DELPHI.fullmatch(file.name) else _rows(file)
        except UnicodeDecodeError as error:
            why = f"{error.reason} (byte 0x{error.object[error.start]:02X})"
            raise AtlasError(f"{file} is not UTF-8 text", why=why, hint="write it again as UTF-8") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise AtlasError(f"{file} is damaged", why=str(error), hint="get the file again") from error
        except OSError as error:
            raise AtlasError(f"{file} cannot be read", why=error.strerror or str(error)) from error


def layer_of_part(part: str | None) -> int | None:
    """The layer that a part names: 5 for `5-res-jb`, `5` and `layers.5.mlp`; None if it names none."""
    found = re.match(r"(\d{1,4})(?:-|$)", part or "") or re.search(
        r"(?:^|\.)(?:layers|h|blocks)\.(\d{1,4})(?:\.|$)", part or ""
    )
    return int(found[1]) if found else None


def _is_readable(file: Path) -> bool:
    return _kind(file) in SUFFIXES or _DELPHI.fullmatch(file.name) is not None


def _kind(file: Path) -> str:
    """Suffix of a file, that of what is inside for a `.gz`."""
    name = file.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _by_number(file: Path) -> list[tuple[int, int, str]]:
    """Sorts `batch-2` before `batch-10`."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d+)", file.name)]


def _open(file: Path) -> IO[str]:
    opener = gzip.open if file.name.lower().endswith(".gz") else open
    return cast(IO[str], opener(file, "rt", encoding="utf-8-sig", newline=""))


def _delphi(file: Path) -> Iterator[Label]:
    """The one label of a file of delphi."""
    name = _DELPHI.fullmatch(file.name)
    assert name is not None
    text = _json(file.read_text(encoding="utf-8"), str(file))
    yield Label(int(name["feature"]), _text(text, str(file)), None, name["hookpoint"], str(file))


def _rows(file: Path) -> Iterator[Label]:
    """Labels of a table or of JSON objects."""
    reader = {".csv": _table, ".tsv": _table, ".jsonl": _json_lines, ".json": _json_list}[_kind(file)]
    with _open(file) as handle:
        for place, row in reader(handle, file):
            yield _label(row, place)


def _table(handle: IO[str], file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a table, by the names of its columns."""
    table = csv.DictReader(handle, delimiter="\t" if _kind(file) == ".tsv" else ",", restkey="", strict=True)
    try:
        columns = [str(name).strip() for name in table.fieldnames or ()]
        table.fieldnames = columns
        for keys in (FEATURE_KEYS, LABEL_KEYS):
            if not {name.lower() for name in columns} & set(keys):
                raise _no_key(f"{file}:1", keys, columns, "column")
        for row in table:
            yield f"{file}:{table.line_num}", row
    except csv.Error as error:
        raise AtlasError(f"{file}:{table.line_num} is not a row of a table", why=str(error)) from error


def _json_lines(handle: IO[str], file: Path) -> Iterator[tuple[str, Any]]:
    """Objects of a file with one a line; empty lines are passed over."""
    for number, line in enumerate(handle, start=1):
        if line.strip():
            yield f"{file}:{number}", _json(line, f"{file}:{number}")


def _json_list(handle: IO[str], file: Path) -> Iterator[tuple[str, Any]]:
    """Objects of a file that holds a list of them."""
    rows = _json(handle.read(), str(file))
    if not isinstance(rows, list):
        raise AtlasError(f"{file} holds no list", hint='write [{"feature": 3, "label": "…"}, …]')
    for number, row in enumerate(rows, start=1):
        yield f"{file}, item {number},", row


def _json(text: str, place: str) -> Any:
    """What a JSON text says."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) and "\n" in text.strip() else ""
        raise AtlasError(f"{place}{line} is not JSON", why=why) from error


def _label(row: Any, place: str) -> Label:
    """The label of one row."""
    if not isinstance(row, dict):
        raise AtlasError(f"{place} is not an object", hint='write {"feature": 3, "label": "…"}')
    lower = {str(key).lower(): value for key, value in row.items()}
    feature = _feature(_first(lower, FEATURE_KEYS, row, place), place)
    text = _text(_first(lower, LABEL_KEYS, row, place), place)
    said = [str(lower[key]).strip() for key in ("typename", "explanationmodelname") if lower.get(key)]
    part = lower.get("layer")
    return Label(feature, text, "/".join(said) or None, None if part in (None, "") else str(part), place)


def _first(lower: dict[str, Any], keys: tuple[str, ...], row: dict[Any, Any], place: str) -> Any:
    """The value under the first of the keys that a row has."""
    for key in keys:
        if key in lower:
            return lower[key]
    raise _no_key(place, keys, list(row), "key")


def _no_key(place: str, keys: tuple[str, ...], has: list[Any], what: str) -> AtlasError:
    wanted = ", ".join(keys[:-1]) + f" or {keys[-1]}"
    return AtlasError(f"{place} has no {what} {wanted}", why=f"it has {', '.join(map(repr, has)) or 'none'}")


def _feature(value: Any, place: str) -> int:
    """The number of a feature, given as a number or as its digits."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}\s*", value, re.ASCII):
        value = int(value)
    if type(value) is not int:
        raise AtlasError(
            f"{place} has {value!r} where the number of a feature should be", hint="give whole numbers from 0"
        )
    return value


def _text(value: Any, place: str) -> str:
    """The text of a label."""
    if not isinstance(value, str) or not value.strip():
        shown = "an empty label" if value is None or value == "" or isinstance(value, str) else f"{value!r} for a label"
        raise AtlasError(f"{place} has {shown}", hint="leave the row out, or give it a text")
    if any(0xD800 <= ord(char) < 0xE000 for char in value):
        raise AtlasError(f"{place} is not text", why="it holds half of a surrogate pair, which is not a character")
    return value.strip()
