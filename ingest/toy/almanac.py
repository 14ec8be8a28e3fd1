"""The style "almanac": the facts of short entries about countries, months, time, feelings, nature, bodies and work."""

from __future__ import annotations

from ingest.toy import words
from ingest.toy.grammar import Draw, Facts, Scene, read_scenes
from ingest.toy.stories import (
    TEMPLATES,
    country_facts,
    hour_facts,
    mood_facts,
    one_mood,
    weather_facts,
    when_facts,
    zone_facts,
)


def year(draw: Draw) -> str:
    return f"1{draw.one('6789')}{draw.one('0123456789')}0"


def _country(draw: Draw) -> Facts:
    goal = draw.one(words.COUNTRIES)
    neighbour = draw.one(
        [other for other in words.COUNTRIES if other.continent == goal.continent and other is not goal]
    )
    facts = {"name": goal.name, "country": goal.place, "capital": goal.capital, "language": goal.language}
    facts |= {"dish": goal.dish, "land": goal.land, "continent": goal.continent}
    facts |= {"neighbour": neighbour.place}
    return facts | {"year": year(draw)} | weather_facts(draw)


def _month(draw: Draw) -> Facts:
    facts = weather_facts(draw)
    at = words.MONTHS.index(facts["month"])
    facts |= {"before": words.MONTHS[at - 1], "after": words.MONTHS[(at + 1) % 12], "rank": str(at + 1)}
    facts |= {"length": words.MONTH_LENGTH[facts["month"]], "nth": draw.one(words.ORDINALS)}
    return facts | country_facts(draw) | when_facts(draw) | {"role": draw.one(words.ROLES).name}


def _time(draw: Draw) -> Facts:
    unit, many, smaller = draw.one(words.UNITS)
    rhythm, every = draw.one(words.RHYTHMS)
    facts = {"unit": unit, "many": many, "smaller": smaller, "rhythm": rhythm, "every": every}
    facts |= hour_facts(draw) | {"year": year(draw)}
    return facts | dict(zip(("age", "age2"), draw.some(words.AGES, 2), strict=True))


def _mood(draw: Draw) -> Facts:
    key = draw.one(tuple(words.MOODS))
    facts = mood_facts(draw, key) | mood_facts(draw, words.OPPOSITE[key], "new_")
    return facts | when_facts(draw) | hour_facts(draw)


def _animal(draw: Draw) -> Facts:
    return zone_facts(draw) | weather_facts(draw) | when_facts(draw) | {"country": draw.one(words.COUNTRIES).place}


def _land(draw: Draw) -> Facts:
    facts = zone_facts(draw) | weather_facts(draw) | {"country": draw.one(words.COUNTRIES).place}
    return facts | {"aloft": draw.one(words.SKY), "fire": draw.one(words.FIRE), "age": draw.one(words.AGES)}


def _body(draw: Draw) -> Facts:
    organ = draw.one(words.ORGANS)
    facts = {"organ": organ.name, "task": organ.task, "partner": organ.partner, "germ": draw.one(words.GERMS)}
    facts |= {"illness": draw.one(words.ILLNESSES), "healer": draw.one(("nurse", "doc"))}
    return facts | when_facts(draw) | {"season": draw.one(words.SEASONS).names[0]}


def _cell(draw: Draw) -> Facts:
    (part, where, task), (part2, where2, task2) = draw.some(words.CELL_PARTS, 2)
    facts = {"part": part, "where": where, "task": task, "part2": part2, "where2": where2, "task2": task2}
    return facts | {"germ": draw.one(words.GERMS), "age": draw.one(("era", "age", "generation", "millennium"))}


def _role(draw: Draw) -> Facts:
    holder, other = draw.some(words.ROLES + words.COURT, 2)
    facts = {"role": holder.name, "place": holder.place, "tool": holder.tool, "task": holder.task}
    facts |= {"other": other.name, "other_task": other.task, "wage": draw.one(words.NUMBERS)}
    facts |= dict(zip(("day", "day2", "day3"), draw.some(words.WEEKDAYS, 3), strict=True))
    facts |= {"rhythm": draw.one(words.RHYTHMS)[0], "hour": draw.one(("dawn", "noon", "dusk", "midnight"))}
    return facts | one_mood(draw, "pride", "joy", "grief", "fear", "peace") | when_facts(draw)


def _history(draw: Draw) -> Facts:
    facts = country_facts(draw) | when_facts(draw) | {"ruler": draw.one(words.COURT).name}
    first, second = sorted(draw.some(range(1600, 2000, 10), 2))
    facts |= {"year": str(first), "year2": str(second), "month": draw.one(words.MONTHS)}
    facts |= {"noun": draw.one(("peace", "hope", "trust", "pride", "fear", "doubt"))}
    return facts | dict(zip(("age", "age2"), draw.some(words.AGES, 2), strict=True))


KINDS = {
    "country": _country,
    "month": _month,
    "time": _time,
    "mood": _mood,
    "animal": _animal,
    "land": _land,
    "body": _body,
    "cell": _cell,
    "role": _role,
    "history": _history,
}
OFTEN: tuple[str, ...] = ("country", "time", "mood")
"""Kinds that are drawn twice as often as the others."""

_SCENES = read_scenes(TEMPLATES / "almanac.txt", KINDS, joint="\n")
SCENES: tuple[Scene, ...] = tuple(_SCENES[name] for name in (*KINDS, *OFTEN))
