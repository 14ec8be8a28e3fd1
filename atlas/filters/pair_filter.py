"""The filter line of the pair list: thresholds of the match rule, and a text that one of the tokens holds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from atlas.choices import options_of
from atlas.errors import UsageError
from atlas.filters.subset import Subset

_TERM = re.compile(r"(?P<name>[a-z]+)(?P<sign>>=|<=|>|<)(?P<value>.*)|(?P<top>top):(?P<n>.*)", re.IGNORECASE)
_ALSO = {"r": "value", "both": "joint"}
"""Titles of columns that are typed as thresholds."""
_TERMS = {option.bound or option.term: (name, option) for name, option in options_of(Subset).items()}
_NUMBERS = {term: (name, option.kind) for term, (name, option) in _TERMS.items() if term.endswith(("=", ":"))}
_WORDS: dict[str, dict[str, Any]] = {
    term: {name: True if option.kind is bool else term}
    for term, (name, option) in _TERMS.items()
    if term and term not in _NUMBERS
}

PAIR_FILTER = " ".join(
    [term + option.example for term, (_, option) in _TERMS.items() if option.example or term in _WORDS] + ["monday"]
)
"""A filter line; what is no term in it is looked for in the tokens."""


def parse_pair_filter(text: str, subset: Subset) -> tuple[Subset, str]:
    """A subset with the thresholds of a filter line, and the words that are no threshold.

    Args:
        text: As typed.
        subset: What holds where the line says nothing.

    Raises:
        UsageError: A threshold of no known name, or its value is not a number.
    """
    words = []
    for place in re.finditer(r"\S+", text):
        word = place[0]
        if word.lower() in _WORDS:
            subset = replace(subset, **_WORDS[word.lower()])
        elif found := _TERM.fullmatch(word):
            term = ("top", ":", found["n"]) if found["top"] else (found["name"].lower(), found["sign"], found["value"])
            subset = replace(subset, **_threshold(*term, column=place.start() + 1))
        else:
            words.append(word)
    return subset, " ".join(words)


def _threshold(typed: str, sign: str, value: str, *, column: int) -> dict[str, float | int]:
    """One field of a subset."""
    term = _ALSO.get(typed, typed) + (sign if sign == ":" else f"{sign[0]}=")
    if term not in _NUMBERS:
        known = ", ".join(_NUMBERS)
        raise UsageError(f"no threshold {typed}{sign} (column {column})", why=f"there are {known}", hint=PAIR_FILTER)
    field, kind = _NUMBERS[term]
    try:
        return {field: kind(value)}
    except ValueError:
        raise UsageError(f"{typed}{sign}{value} is not a number (column {column})", hint=PAIR_FILTER) from None
