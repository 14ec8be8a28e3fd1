"""Measures of similarity by the names that a user may give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from atlas.errors import UnknownName

if TYPE_CHECKING:
    from atlas.db import Atlas
    from atlas.pairing.measures.measure import Measure


def measure_named(wanted: str) -> Measure:
    """The measure of this name or alias, for a job that computes it.

    Raises:
        UnknownName: There is none; the nearest name is suggested.
    """
    from atlas.pairing.measures.registry import MEASURES

    return MEASURES[_name(wanted, {name: known.aliases for name, known in MEASURES.items()})]


def known_measure(atlas: Atlas, wanted: str) -> str:
    """The name of the measure of this name or alias, for a command that reads what is stored.

    View `measures` is asked, which says what the registry does: importing that takes SciPy and 0.3 s.

    Raises:
        UnknownName: As of `measure_named`.
    """
    return _name(wanted, dict(atlas.fetch("catalog/measures").rows))


def _name(wanted: str, known: Mapping[str, Sequence[str]]) -> str:
    for name, aliases in known.items():
        if wanted in (name, *aliases):
            return name
    names = [one for name, aliases in known.items() for one in (name, *aliases)]
    raise UnknownName("measure", wanted, names, hint='featlas sql "from measures"')
