"""The style "stories": the facts of short tales about people, feelings, journeys, nature and the seasons."""

from __future__ import annotations

from pathlib import Path

from ingest.toy import words
from ingest.toy.grammar import Draw, Facts, Scene, read_scenes

TEMPLATES = Path(__file__).parent / "templates"


def person(draw: Draw, pronoun: str | None = None, prefix: str = "", not_named: str = "") -> Facts:
    """Somebody with a name and the pronouns that go with it, under keys that begin with `prefix`."""
    pronoun = pronoun or draw.one(("she", "he"))
    names = words.WOMEN if pronoun == "she" else words.MEN
    name = draw.one([name for name in names if name != not_named])
    them, their = ("her", "her") if pronoun == "she" else ("him", "his")
    facts = {"name": name, "they": pronoun, "them": them, "their": their}
    facts |= {"They": pronoun.title(), "Their": their.title()}
    return {prefix + key: value for key, value in facts.items()}


def mood_facts(draw: Draw, key: str, prefix: str = "") -> Facts:
    """Words of one latent group of feelings: they belong together."""
    mood = words.MOODS[key]
    noun, noun2 = draw.some(mood.nouns, 2)
    facts = {"noun": noun, "noun2": noun2, "feel": draw.one(mood.adjectives), "gesture": draw.one(mood.gestures)}
    facts |= {"cause": draw.one(mood.causes), "words": draw.one(mood.words), "after": mood.after}
    return {prefix + name: value for name, value in facts.items()}


def hour_facts(draw: Draw) -> Facts:
    return dict(zip(("hour", "at_hour", "sight"), draw.one(words.HOURS_OF_DAY), strict=True))


def weather_facts(draw: Draw) -> Facts:
    """A month with its season and weather, and a day and an hour in it."""
    season = draw.one(words.SEASONS)
    weather, weather2 = draw.some(season.weather, 2)
    facts = {"season": draw.one(season.names), "month": draw.one(season.months), "sky": draw.one(season.sky)}
    facts |= {"weather": weather, "weather2": weather2, "change": draw.one(season.change)}
    return facts | {"weekday": draw.one(words.WEEKDAYS)} | hour_facts(draw)


def when_facts(draw: Draw) -> Facts:
    """Small words of time that fit any text."""
    return {
        "number": draw.one(words.NUMBERS),
        "unit": draw.one(("hour", "day", "week", "month", "year")),
        "soon": draw.one(("soon", "later", "now", "in an instant", "after a moment", "after a short pause")),
        "when": draw.one(("yesterday", "today", "last night", "early in the morning", "late in the evening")),
    }


def role_facts(draw: Draw, role: words.Role) -> Facts:
    facts = {"role": role.name, "place": role.place, "tool": role.tool, "task": role.task}
    return facts | person(draw, draw.one(role.by))


def country_facts(draw: Draw) -> Facts:
    """Two countries with different languages: where a journey goes, and where it begins (`home`)."""
    goal = draw.one(words.COUNTRIES)
    home = draw.one([other for other in words.COUNTRIES if other.language != goal.language])
    facts = {"country": goal.place, "capital": goal.capital, "language": goal.language, "dish": goal.dish}
    return facts | {"land": goal.land, "home": home.place, "home_language": home.language}


def zone_facts(draw: Draw) -> Facts:
    """A kind of land with two of its places, two of its things and two of its animals."""
    zone = draw.one(words.ZONES)
    facts = {"zone": zone.name, "in_zone": zone.inside, "deed": zone.deed}
    facts |= dict(zip(("site", "site2"), draw.some(zone.sites, 2), strict=True))
    facts |= dict(zip(("thing", "thing2"), draw.some(zone.things, 2), strict=True))
    facts |= dict(zip(("animal", "animal2"), draw.some(zone.animals, 2), strict=True))
    return facts | {"food": words.ANIMAL_FOOD[facts["animal"]]}


def one_mood(draw: Draw, *keys: str) -> Facts:
    return mood_facts(draw, draw.one(keys))


def _feeling(draw: Draw) -> Facts:
    key = draw.one(tuple(words.MOODS))
    facts = person(draw) | mood_facts(draw, key) | mood_facts(draw, words.OPPOSITE[key], "new_")
    return facts | person(draw, prefix="friend_", not_named=facts["name"]) | when_facts(draw) | hour_facts(draw)


def _work(draw: Draw) -> Facts:
    facts = role_facts(draw, draw.one(words.ROLES)) | weather_facts(draw) | when_facts(draw)
    return facts | one_mood(draw, "joy", "pride", "grief", "anger", "envy", "peace")


def _journey(draw: Draw) -> Facts:
    facts = person(draw) | country_facts(draw) | weather_facts(draw) | when_facts(draw)
    return facts | one_mood(draw, "joy", "love", "fear", "peace", "grief")


def _walk(draw: Draw) -> Facts:
    facts = person(draw) | zone_facts(draw) | weather_facts(draw) | when_facts(draw)
    return facts | {"fire": draw.one(words.FIRE)} | one_mood(draw, "fear", "peace", "joy")


def _home(draw: Draw) -> Facts:
    elder, pronoun = draw.one(words.PARENTS)
    child, child_pronoun = draw.one(words.CHILDREN)
    facts = person(draw, pronoun) | {"elder": elder, "child": child, "sibling": draw.one(words.SIBLINGS)}
    facts |= person(draw, child_pronoun, "child_", not_named=facts["name"])
    facts |= one_mood(draw, "joy", "grief", "shame", "fear", "love", "anger")
    return facts | when_facts(draw) | weather_facts(draw)


def _court(draw: Draw) -> Facts:
    facts = role_facts(draw, draw.one(words.COURT)) | country_facts(draw) | when_facts(draw)
    servant = draw.one(("maid", "clown", "priest", "guest", "soldier", "cook", "friend"))
    facts |= {"servant": servant, "age": draw.one(words.AGES)}
    return facts | one_mood(draw, "anger", "pride", "joy", "envy", "grief")


def _illness(draw: Draw) -> Facts:
    organ = draw.one(words.ORGANS)
    facts = {"organ": organ.name, "partner": organ.partner, "germ": draw.one(words.GERMS)}
    facts |= {"illness": draw.one(words.ILLNESSES), "healer": draw.one(("nurse", "doc"))}
    facts |= {"patient": draw.one(("kid", "man", "girl", "boy", "clerk", "guest", "maid", "coach"))}
    return facts | person(draw) | when_facts(draw) | weather_facts(draw) | mood_facts(draw, "fear")


def _school(draw: Draw) -> Facts:
    (pupil, hobby, _), (rival, _, win) = draw.some(words.PUPILS, 2)
    facts = {"pupil": pupil, "hobby": hobby, "rival": rival, "win": win, "ordinal": draw.one(words.ORDINALS)}
    return (
        facts | person(draw) | when_facts(draw) | weather_facts(draw) | one_mood(draw, "envy", "shame", "pride", "joy")
    )


def _feast(draw: Draw) -> Facts:
    facts = person(draw) | weather_facts(draw) | when_facts(draw) | country_facts(draw)
    return facts | {"nth": draw.one(words.ORDINALS)} | one_mood(draw, "joy", "love", "peace", "pride")


KINDS = {
    "feeling": _feeling,
    "work": _work,
    "journey": _journey,
    "walk": _walk,
    "home": _home,
    "court": _court,
    "illness": _illness,
    "school": _school,
    "feast": _feast,
}
OFTEN: tuple[str, ...] = ("feeling", "journey", "walk")
"""Kinds that are drawn twice as often as the others."""

_SCENES = read_scenes(TEMPLATES / "stories.txt", KINDS, joint=" ")
SCENES: tuple[Scene, ...] = tuple(_SCENES[name] for name in (*KINDS, *OFTEN))
