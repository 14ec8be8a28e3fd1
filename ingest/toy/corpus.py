"""The generated text: two styles about one small world, the same for the same seed on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from atlas.errors import UnknownName
from ingest.toy import almanac, stories
from ingest.toy.grammar import Draw

Style = Literal["stories", "almanac", "mixed"]

SEPARATOR = "<|endoftext|>"
"""The line between two documents of a `.txt` corpus; also the special token of the built-in tokenizer."""

SCENES = {"stories": stories.SCENES, "almanac": almanac.SCENES, "mixed": None}


def documents(style: Style, seed: int, n: int) -> Iterator[str]:
    """`n` documents of one style, or of both in turn by chance ("mixed"). A smaller `n` gives the first of them."""
    if style not in SCENES:
        raise UnknownName("style of text", style, list(SCENES))
    draw = Draw(f"{style}/{seed}")
    for _ in range(n):
        scenes = SCENES[style] or (stories.SCENES if draw.chance(0.5) else almanac.SCENES)
        yield draw.one(scenes).write(draw)


def write_documents(path: Path, style: Style, seed: int, n: int) -> Path:
    """Write `n` documents to a `.txt` corpus, separated by `<|endoftext|>` lines."""
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for document in documents(style, seed, n):
            out.write(f"{document}\n{SEPARATOR}\n")
    return path
