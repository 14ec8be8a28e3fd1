"""The filter line of the pair list: thresholds of the match rule, and a text that one of the tokens holds."""

from __future__ import annotations

import re
from dataclasses import replace

from atlas.choices import PAIR_FILTER
from atlas.comparisons.matched import Subset
from atlas.errors import UsageError

_TERM = re.compile(r"(?P<name>[a-z]+)(?P<sign>>=|<=|>|<)(?P<value>.*)|(?P<top>top):(?P<n>.*)", re.IGNORECASE)
_FLAGS = {
    "+non-concept": {"keep_non_concept": True},
    "+unshared": {"keep_unshared": True},
    "mutual": {"match": "mutual"},
}
_ALSO = {"r": "value", "both": "joint"}
"""Titles of columns that are typed as thresholds."""
_FIELDS = {
    ("value", ">"): ("min_value", float),
    ("joint", ">"): ("min_joint", int),
    ("density", ">"): ("min_density", float),
    ("density", "<"): ("max_density", float),
    ("top", ":"): ("top_tokens", int),
}


def parse_pair_filter(text: str, subset: Subset) -> tuple[Subset, str]:
    """A subset with the thresholds of a filter line, and the words that are no threshold.

    Args:
        text: As typed.
        subset: What holds where the line says nothing.

    Raises:
        UsageError: A threshold of no known name, or no number.
    """
    words = []
    for place in re.finditer(r"\S+", text):
        word = place[0]
        if word.lower() in _FLAGS:
            subset = replace(subset, **_FLAGS[word.lower()])
        elif found := _TERM.fullmatch(word):
            term = ("top", ":", found["n"]) if found["top"] else (found["name"].lower(), found["sign"], found["value"])
            subset = replace(subset, **_threshold(*term, column=place.start() + 1))
        else:
            words.append(word)
    return subset, " ".join(words)


def _threshold(typed: str, sign: str, value: str, *, column: int) -> dict[str, float | int]:
    """One field of a subset."""
    name = _ALSO.get(typed, typed)
    if (name, sign[0]) not in _FIELDS:
        known = ", ".join(dict.fromkeys(f"{known}{kind}{'=' if kind != ':' else ''}" for known, kind in _FIELDS))
        raise UsageError(f"no threshold {typed}{sign} (column {column})", why=f"there are {known}", hint=PAIR_FILTER)
    field, kind = _FIELDS[name, sign[0]]
    try:
        return {field: kind(value)}
    except ValueError:
        raise UsageError(f"{typed}{sign}{value} is no number (column {column})", hint=PAIR_FILTER) from None
