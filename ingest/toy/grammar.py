"""How facts and sentence templates become a document; all randomness is `random.Random.random()`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Facts = dict[str, str]

_ARTICLE = re.compile(r"\b([Aa])\(n\) (?=([aeiou]|hour|honor)?)", re.IGNORECASE)
_SENTENCE_START = re.compile(r'(?:^|(?<=[.!?] )|(?<=\."\s)|(?<=\n))[a-z]')


class Draw:
    """A seeded source of choices. Only `.random()` is used: its sequence is the same in every Python."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def index(self, n: int) -> int:
        """A uniform number in [0, n)."""
        return int(self._random() * n)

    def one(self, items: Sequence[T]) -> T:
        """One of `items`, all equally likely."""
        return items[self.index(len(items))]

    def some(self, items: Sequence[T], k: int) -> list[T]:
        """`k` different ones of `items`, in random order."""
        rest = list(items)
        return [rest.pop(self.index(len(rest))) for _ in range(k)]


@dataclass(frozen=True, slots=True)
class Scene:
    """One kind of document: how its facts are drawn, and its beats in order."""

    facts: Callable[[Draw], Facts]
    beats: tuple[tuple[str, ...], ...]
    """Each beat is a choice of templates; an empty template leaves the beat out."""
    joint: str
    """What stands between two beats: a blank in a story, a line break in a list."""

    def write(self, draw: Draw) -> str:
        facts = self.facts(draw)
        chosen = (draw.one(beat) for beat in self.beats)
        return finish(self.joint.join(fill(template, facts) for template in chosen if template))


def read_scenes(path: Path, facts: Mapping[str, Callable[[Draw], Facts]], joint: str) -> dict[str, Scene]:
    """The scenes of a template file: `## name`, then beats as blocks of lines, one way to write it per line."""
    _, *sections = path.read_text(encoding="utf-8").split("## ")
    scenes = {}
    for section in sections:
        name, *blocks = section.strip().split("\n\n")
        beats = tuple(tuple("" if line == "-" else line for line in block.split("\n")) for block in blocks)
        scenes[name] = Scene(facts[name], beats, joint)
    return scenes


def fill(template: str, facts: Mapping[str, str]) -> str:
    """Put the facts into `{slots}`; an unknown slot raises KeyError."""
    return template.format_map(facts)


def finish(text: str) -> str:
    """Choose between "a" and "an" where the template wrote `a(n)`, and begin each sentence with a capital."""
    text = _ARTICLE.sub(lambda found: found[1] + ("n " if found[2] else " "), text)
    return _SENTENCE_START.sub(lambda found: found[0].upper(), text)
