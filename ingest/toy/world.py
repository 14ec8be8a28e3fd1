"""The small world of the built-in text, part one: countries, the calendar, time, land, sky and animals.

Capitals, languages, months and seasons are those of the real (northern) world; rulers, years and feasts are invented.
"""

from __future__ import annotations

from dataclasses import dataclass


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


def _country(name: str, capital: str, language: str, dish: str, land: str, continent: str) -> Country:
    return Country(name, f"the {name}" if name in {"USA", "UK"} else name, capital, language, dish, land, continent)


COUNTRIES: tuple[Country, ...] = (
    _country("USA", "Washington", "English", "corn", "shore", "America"),
    _country("Canada", "Ottawa", "English", "fish", "lake", "America"),
    _country("Brazil", "Brasilia", "Portuguese", "beans", "wood", "America"),
    _country("Mexico", "Mexico City", "Spanish", "corn", "sand", "America"),
    _country("Argentina", "Buenos Aires", "Spanish", "beef", "field", "America"),
    _country("Peru", "Lima", "Spanish", "beans", "peak", "America"),
    _country("Germany", "Berlin", "German", "bread", "wood", "Europe"),
    _country("France", "Paris", "French", "cheese", "field", "Europe"),
    _country("Italy", "Rome", "Italian", "pasta", "hill", "Europe"),
    _country("Spain", "Madrid", "Spanish", "rice", "shore", "Europe"),
    _country("UK", "London", "English", "beef", "cliff", "Europe"),
    _country("Greece", "Athens", "Greek", "cheese", "sea", "Europe"),
    _country("Norway", "Oslo", "Norwegian", "fish", "ice", "Europe"),
    _country("Poland", "Warsaw", "Polish", "soup", "field", "Europe"),
    _country("Russia", "Moscow", "Russian", "soup", "snow", "Europe"),
    _country("Turkey", "Ankara", "Turkish", "lamb", "rock", "Asia"),
    _country("Iran", "Tehran", "Persian", "lamb", "sand", "Asia"),
    _country("India", "Delhi", "Hindi", "rice", "peak", "Asia"),
    _country("China", "Beijing", "Chinese", "rice", "hill", "Asia"),
    _country("Japan", "Tokyo", "Japanese", "fish", "peak", "Asia"),
    _country("Korea", "Seoul", "Korean", "soup", "ridge", "Asia"),
    _country("Egypt", "Cairo", "Arabic", "beans", "sand", "Africa"),
    _country("Kenya", "Nairobi", "Swahili", "corn", "grass", "Africa"),
    _country("Australia", "Canberra", "English", "beef", "sand", "Oceania"),
    _country("Fiji", "Suva", "English", "fish", "shore", "Oceania"),
)


@dataclass(frozen=True, slots=True)
class Season:
    """A season: its weather and what the world does in it."""

    names: tuple[str, ...]
    weather: tuple[str, ...]
    """Nouns; each reads after "the"."""
    sky: tuple[str, ...]
    """Adjectives of a day in this season."""
    change: tuple[str, ...]
    """Whole clauses in the past tense."""
    months: tuple[str, ...]


WINTER = Season(
    ("winter",), ("snow", "ice", "hail", "wind", "fog"), ("cold", "dark", "white"),
    ("ice covered the pond", "snow lay on the field", "each branch was bare"), ("December", "January", "February"),
)  # fmt: skip
SPRING = Season(
    ("spring",), ("rain", "dew", "mist", "wind"), ("mild", "green", "fresh"),
    ("the first seed began to grow", "each twig had a new leaf", "the creek was full again"),
    ("March", "April", "May"),
)  # fmt: skip
SUMMER = Season(
    ("summer",), ("heat", "sun", "dust", "storm"), ("hot", "dry", "bright"),
    ("the grass was dry", "dust lay on the road", "the mud became hard earth"), ("June", "July", "August"),
)  # fmt: skip
AUTUMN = Season(
    ("autumn", "fall"), ("fog", "rain", "storm", "mist", "cloud"), ("grey", "wet", "golden"),
    ("the last leaf fell", "mud covered the road", "the bark was wet"), ("September", "October", "November"),
)  # fmt: skip
SEASONS: tuple[Season, ...] = (WINTER, SPRING, SUMMER, AUTUMN)

MONTHS: tuple[str, ...] = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MONTH_LENGTH: dict[str, str] = dict.fromkeys(MONTHS, "thirty-one") | {
    "April": "thirty", "June": "thirty", "September": "thirty", "November": "thirty", "February": "twenty-eight",
}  # fmt: skip
WEEKDAYS: tuple[str, ...] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NUMBERS: tuple[str, ...] = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ORDINALS: tuple[str, ...] = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")

UNITS: tuple[tuple[str, str, str], ...] = (
    ("minute", "sixty", "second"),
    ("hour", "sixty", "minute"),
    ("day", "twenty-four", "hour"),
    ("week", "seven", "day"),
    ("month", "four", "week"),
    ("year", "twelve", "month"),
    ("decade", "ten", "year"),
    ("century", "ten", "decade"),
    ("millennium", "ten", "century"),
)
"""A unit of time, how many of the smaller unit it holds, and the smaller unit."""

AGES: tuple[str, ...] = ("era", "age", "epoch", "period", "generation", "century", "phase", "cycle", "timespan")
RHYTHMS: tuple[tuple[str, str], ...] = (
    ("daily", "day"), ("weekly", "week"), ("biweekly", "second week"), ("monthly", "month"),
    ("yearly", "year"), ("annual", "year"),
)  # fmt: skip
HOURS_OF_DAY: tuple[tuple[str, str, str], ...] = (
    ("dawn", "at dawn", "the first light"), ("morning", "in the morning", "the long shadow"),
    ("noon", "at noon", "the high sun"), ("dusk", "at dusk", "the red sky"),
    ("evening", "in the evening", "the low sun"),
    ("night", "at night", "the full moon"), ("midnight", "at midnight", "the black sky"),
)  # fmt: skip
"""A part of the day, how a sentence says it, and what is seen in it."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A kind of land and the nature words that are found together there."""

    name: str
    inside: str
    """How a sentence says that something is there."""
    sites: tuple[str, ...]
    """Places one can go to; each reads after "the"."""
    things: tuple[str, ...]
    """What lies there; each reads after "the"."""
    animals: tuple[str, ...]
    deed: str
    """What a walker does there; reads after "to"."""


ZONES: tuple[Zone, ...] = (
    Zone("forest", "in the forest", ("tree", "glade", "wood"), ("leaf", "branch", "twig", "root", "bark"),
         ("wolf", "fox", "bear", "deer", "owl"), "walk under the trees"),
    Zone("coast", "on the coast", ("sea", "shore", "cliff"), ("sand", "tide", "stone"),
         ("seal", "crab", "whale", "gull"), "swim in the waves"),
    Zone("valley", "in the valley", ("lake", "pond", "creek"), ("mud", "mist", "grass"),
         ("duck", "frog", "swan", "fish"), "row a small boat"),
    Zone("mountain", "on the mountain", ("peak", "ridge", "cave", "hill"), ("rock", "stone", "ice"),
         ("goat", "eagle", "bat"), "climb the path"),
    Zone("plain", "on the plain", ("field", "farm", "road"), ("grass", "dirt", "earth", "seed", "dust"),
         ("horse", "cow", "mouse", "hare"), "ride a long way"),
)  # fmt: skip

ANIMAL_FOOD: dict[str, str] = {
    "wolf": "meat", "fox": "meat", "bear": "honey", "deer": "grass", "owl": "meat",
    "seal": "fish", "crab": "fish", "whale": "fish", "gull": "fish",
    "duck": "grass", "frog": "flies", "swan": "grass", "fish": "flies",
    "goat": "grass", "eagle": "meat", "bat": "flies",
    "horse": "grass", "cow": "grass", "mouse": "seed", "hare": "grass",
}  # fmt: skip

FIRE: tuple[str, ...] = ("fire", "flame", "heat", "glow")
SKY: tuple[str, ...] = ("sun", "moon", "cloud", "sky", "air")
