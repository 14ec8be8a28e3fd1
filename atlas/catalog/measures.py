"""Measures of similarity by the names that a user may give them, or that an atlas has stored."""

from __future__ import annotations

from atlas.choices import Unit
from atlas.errors import UnknownName
from atlas.pairing.measures.measure import Measure
from atlas.pairing.measures.registry import DEFAULT, MEASURES


def measure_named(wanted: str) -> Measure:
    """The measure of this name or alias.

    Raises:
        UnknownName: There is none; the nearest name is suggested.
    """
    for measure in MEASURES.values():
        if wanted in (measure.name, *measure.aliases):
            return measure
    known = [name for measure in MEASURES.values() for name in (measure.name, *measure.aliases)]
    raise UnknownName("measure", wanted, known, hint=f"--measure {DEFAULT}")


def unit_of(measure: str, corpus: str, corpus_b: str) -> Unit:
    """What the tokens of a stored pairing or matching are.

    Args:
        measure: Its name; one that a newer featlas stored counts as others do.
        corpus: Corpus of A.
        corpus_b: Corpus of B; where it is another, the two are tokenizations of one text.
    """
    return MEASURES.get(measure, MEASURES[DEFAULT]).unit(aligned=corpus != corpus_b)
