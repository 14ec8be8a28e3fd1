"""The style "almanac": the facts of short entries about countries, months, time, feelings, nature, bodies and work."""

from __future__ import annotations

from ingest.toy import people, world
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
    """A round year in digits."""
    return f"1{draw.one('6789')}{draw.one('0123456789')}0"


def _country(draw: Draw) -> Facts:
    goal = draw.one(world.COUNTRIES)
    neighbour = draw.one(
        [other for other in world.COUNTRIES if other.continent == goal.continent and other is not goal]
    )
    facts = {"name": goal.name, "country": goal.place, "capital": goal.capital, "language": goal.language}
    facts |= {"dish": goal.dish, "land": goal.land, "continent": goal.continent}
    facts |= {"neighbour": neighbour.place}
    return facts | {"year": year(draw)} | weather_facts(draw)


def _month(draw: Draw) -> Facts:
    facts = weather_facts(draw)
    at = world.MONTHS.index(facts["month"])
    facts |= {"before": world.MONTHS[at - 1], "after": world.MONTHS[(at + 1) % 12], "rank": str(at + 1)}
    facts |= {"length": world.MONTH_LENGTH[facts["month"]], "nth": draw.one(world.ORDINALS)}
    return facts | country_facts(draw) | when_facts(draw) | {"role": draw.one(people.ROLES).name}


def _time(draw: Draw) -> Facts:
    unit, many, smaller = draw.one(world.UNITS)
    rhythm, every = draw.one(world.RHYTHMS)
    facts = {"unit": unit, "many": many, "smaller": smaller, "rhythm": rhythm, "every": every}
    facts |= hour_facts(draw) | {"year": year(draw)}
    return facts | dict(zip(("age", "age2"), draw.some(world.AGES, 2), strict=True))


def _mood(draw: Draw) -> Facts:
    key = draw.one(tuple(people.MOODS))
    facts = mood_facts(draw, key) | mood_facts(draw, people.OPPOSITE[key], "new_")
    return facts | when_facts(draw) | hour_facts(draw)


def _animal(draw: Draw) -> Facts:
    return zone_facts(draw) | weather_facts(draw) | when_facts(draw) | {"country": draw.one(world.COUNTRIES).place}


def _land(draw: Draw) -> Facts:
    facts = zone_facts(draw) | weather_facts(draw) | {"country": draw.one(world.COUNTRIES).place}
    return facts | {"aloft": draw.one(world.SKY), "fire": draw.one(world.FIRE), "age": draw.one(world.AGES)}


def _body(draw: Draw) -> Facts:
    organ = draw.one(people.ORGANS)
    facts = {"organ": organ.name, "task": organ.task, "partner": organ.partner, "germ": draw.one(people.GERMS)}
    facts |= {"illness": draw.one(people.ILLNESSES), "healer": draw.one(("nurse", "doc"))}
    return facts | when_facts(draw) | {"season": draw.one(world.SEASONS).names[0]}


def _cell(draw: Draw) -> Facts:
    (part, where, task), (part2, where2, task2) = draw.some(people.CELL_PARTS, 2)
    facts = {"part": part, "where": where, "task": task, "part2": part2, "where2": where2, "task2": task2}
    return facts | {"germ": draw.one(people.GERMS), "age": draw.one(("era", "age", "generation", "millennium"))}


def _role(draw: Draw) -> Facts:
    holder, other = draw.some(people.ROLES + people.COURT, 2)
    facts = {"role": holder.name, "place": holder.place, "tool": holder.tool, "task": holder.task}
    facts |= {"other": other.name, "other_task": other.task, "wage": draw.one(world.NUMBERS)}
    facts |= dict(zip(("day", "day2", "day3"), draw.some(world.WEEKDAYS, 3), strict=True))
    facts |= {"rhythm": draw.one(world.RHYTHMS)[0], "hour": draw.one(("dawn", "noon", "dusk", "midnight"))}
    return facts | one_mood(draw, "pride", "joy", "grief", "fear", "peace") | when_facts(draw)


def _history(draw: Draw) -> Facts:
    facts = country_facts(draw) | when_facts(draw) | {"ruler": draw.one(people.COURT).name}
    first, second = sorted(draw.some(range(1600, 2000, 10), 2))
    facts |= {"year": str(first), "year2": str(second), "month": draw.one(world.MONTHS)}
    facts |= {"noun": draw.one(("peace", "hope", "trust", "pride", "fear", "doubt"))}
    return facts | dict(zip(("age", "age2"), draw.some(world.AGES, 2), strict=True))


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
