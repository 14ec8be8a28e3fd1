"""Documents from a `.txt` or `.jsonl` file or a folder of them, one at a time, in a fixed order.

In a `.txt` the line (or mark) `<|endoftext|>` ends a document; a file without one is cut at blank lines. In a `.jsonl`
every line is an object with a string under `text`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from atlas.errors import AtlasError

END_OF_TEXT = "<|endoftext|>"

SUFFIXES = (".txt", ".jsonl")


def text_files(source: Path) -> list[Path]:
    """Files of a corpus, sorted by path.

    Raises:
        AtlasError: The path is missing, of another kind, or a folder without a text file.
    """
    if not source.exists():
        raise AtlasError(f"there is no corpus at {source}", hint="give a .txt file, a .jsonl file or a folder of them")
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise AtlasError(
                f"{source.name} is neither .txt nor .jsonl",
                hint='a .txt with documents separated by <|endoftext|>, or a .jsonl with {"text": …} lines',
            )
        return [source]
    inside = (path for path in source.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES)
    files = sorted(path for path in inside if not path.name.startswith("."))
    if not files:
        raise AtlasError(f"the folder {source} holds no .txt and no .jsonl file", hint="give --corpus FILE")
    return files


def documents(source: Path) -> Iterator[str]:
    """Documents of a corpus with something in them, stripped of white space at both ends.

    Raises:
        AtlasError: No text was found, a file is not UTF-8, or a line of a `.jsonl` has no text.
    """
    found = False
    for file in text_files(source):
        for text in _jsonl(file) if file.suffix.lower() == ".jsonl" else _txt(file):
            if text := text.strip():
                found = True
                yield text
    if not found:
        raise AtlasError(f"no text in {source}", why="every document is empty", hint="give another --corpus")


def _lines(file: Path) -> Iterator[str]:
    """Lines of a file, of which only the current one is held."""
    number = 0
    try:
        with file.open(encoding="utf-8-sig", newline=None) as handle:
            for line in handle:
                number += 1
                yield line
    except UnicodeDecodeError as error:
        raise AtlasError(
            f"{file} is not UTF-8 text, near line {number + 1}",
            why=f"{error.reason} (byte 0x{error.object[error.start]:02X})",
            hint=f"iconv -f latin1 -t utf-8 {file.name} > utf8{file.suffix}",
        ) from error
    except OSError as error:
        raise AtlasError(f"{file} cannot be read", why=error.strerror) from error


def _txt(file: Path) -> Iterator[str]:
    """Documents of a text file."""
    marked = any(END_OF_TEXT in line for line in _lines(file))
    held: list[str] = []
    for line in _lines(file):
        if marked and END_OF_TEXT in line:
            head, *ends = line.split(END_OF_TEXT)
            for rest in ends:
                yield "".join([*held, head])
                held, head = [], rest
            held = [head]
        elif not marked and not line.strip():
            yield "".join(held)
            held = []
        else:
            held.append(line)
    yield "".join(held)


def _jsonl(file: Path) -> Iterator[str]:
    """Documents of a file with one JSON object a line; empty lines are passed over."""
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise AtlasError(f"{place} is not JSON", why=why, hint='every line must be {"text": "…"}') from error
        text = row.get("text") if isinstance(row, dict) else None
        if not isinstance(text, str):
            has = f"its keys are {', '.join(map(repr, row)) or 'none'}" if isinstance(row, dict) else "it is no object"
            raise AtlasError(f'{place} has no string under "text"', why=has, hint='every line must be {"text": "…"}')
        if not _is_unicode(text):
            why = "it holds half of a surrogate pair, such as \\ud800, which is no character"
            raise AtlasError(f"{place} is not text", why=why, hint="write the line again from its source")
        yield text


def _is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
