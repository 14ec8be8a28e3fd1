"""The small world that the built-in text is about, read from `words.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody is, where and with what they work, and what for."""

    name: str
    place: str
    """Reads after "the"."""
    tool: str
    """Reads after "the"."""
    task: str
    """Reads after "to"."""
    by: Words = ("she", "he")
    """The pronouns that can hold the role."""


@dataclass(frozen=True, slots=True)
class Mood:
    """A latent group of feelings: words that share their causes and the way they show."""

    nouns: Words
    """Read after "full of"."""
    adjectives: Words
    gestures: Words
    """Verbs that are also nouns: "began to smile", "with a smile"."""
    causes: Words
    """What somebody had done or met; reads after "she had"."""
    words: Words
    """What is said in this mood, without the closing mark."""
    after: str
    """Reads after "wanted to"."""


@dataclass(frozen=True, slots=True)
class Organ:
    """A part of the body and what it is for."""

    name: str
    task: str
    """Reads after "to"."""
    partner: str
    """Another part that it works with; reads after "the"."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country with the facts that text about it repeats."""

    name: str
    place: str
    """The name as a sentence uses it: "France", "the USA"."""
    capital: str
    language: str
    dish: str
    """Reads after "a plate of"."""
    land: str
    """A landscape word the country is known for; reads after "the"."""
    continent: str


@dataclass(frozen=True, slots=True)
class Season:
    """A season: its weather and what the world does in it."""

    names: Words
    weather: Words
    """Nouns; each reads after "the"."""
    sky: Words
    """Adjectives of a day in this season."""
    change: Words
    """Whole clauses in the past tense."""
    months: Words


@dataclass(frozen=True, slots=True)
class Zone:
    """A kind of land and the nature words that are found together there."""

    name: str
    inside: str
    """How a sentence says that something is there."""
    sites: Words
    """Places one can go to; each reads after "the"."""
    things: Words
    """What lies there; each reads after "the"."""
    animals: Words
    deed: str
    """What a walker does there; reads after "to"."""


_FILE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))

WOMEN, MEN, SIBLINGS, GERMS, ILLNESSES = (_FILE[key] for key in ("women", "men", "siblings", "germs", "illnesses"))
PARENTS, CHILDREN, PUPILS, CELL_PARTS = (_FILE[key] for key in ("parents", "children", "pupils", "cell_parts"))
MONTHS, MONTH_LENGTH, WEEKDAYS = (_FILE[key] for key in ("months", "month_length", "weekdays"))
HOURS_OF_DAY, UNITS, RHYTHMS, AGES = (_FILE[key] for key in ("hours_of_day", "units", "rhythms", "ages"))
NUMBERS, ORDINALS, FIRE, SKY = (_FILE[key] for key in ("numbers", "ordinals", "fire", "sky"))
OPPOSITE, ANIMAL_FOOD = _FILE["opposite"], _FILE["animal_food"]

ROLES, COURT = ([Role(**row) for row in _FILE[key]] for key in ("roles", "court"))
ORGANS = [Organ(**row) for row in _FILE["organs"]]
COUNTRIES = [Country(**row) for row in _FILE["countries"]]
SEASONS = [Season(**row) for row in _FILE["seasons"]]
ZONES = [Zone(**row) for row in _FILE["zones"]]
MOODS = {key: Mood(**row) for key, row in _FILE["moods"].items()}
