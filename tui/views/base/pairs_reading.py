"""What the pair list asks for, of the catalogue and in worker threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from atlas.choices import DEFAULT_MEASURE
from atlas.errors import AtlasError
from atlas.queries.browse_records import Pairing, PairRow, Scan

if TYPE_CHECKING:
    from atlas.db import Atlas
    from atlas.filters.subset import Subset
    from atlas.queries.pairs import PairOrder

RULES = ("best", "mutual", "one-to-one", "singletons", "assignment", "greedy")
"""Rules that `r` goes through."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which pairs, and in which order."""

    a: Scan
    """The SAE whose features choose."""
    b: Scan
    measure: str
    rule: str
    text: str
    """The filter line."""
    sort: str
    ascending: bool


class Found(NamedTuple):
    """What was found."""

    subset: Subset | None
    words: str
    """Looked for in the tokens."""
    order: PairOrder | None
    problem: str
    """Why there is nothing; empty if there is."""


def read_pairs(asked: Asked, atlas: Atlas) -> Found:
    """The subset and its candidates; or why there are none."""
    from atlas.filters.pair_filter import parse_pair_filter
    from atlas.filters.subset import Subset
    from atlas.queries.pairs import pair_order

    try:
        subset, words = parse_pair_filter(asked.text, Subset(match=asked.rule, measure=asked.measure))
        found = pair_order(atlas, asked.a, asked.b, subset, text=words, sort=asked.sort, ascending=asked.ascending)
    except AtlasError as error:
        said = "\n".join(line for line in (error.what, error.why, error.hint) if line)
        return Found(None, "", None, _by_alias(said, asked.a, asked.b))
    return Found(subset, words, found, "")


def _by_alias(text: str, *sides: Scan) -> str:
    """A message with the short names, which a command takes as well."""
    for side in sorted(sides, key=lambda side: -len(side.sae)):
        text = text.replace(side.sae, side.alias)
    return text


def read_window(
    atlas: Atlas, a: Scan, b: Scan, subset: Subset, order: PairOrder, start: int, stop: int
) -> list[PairRow]:
    """Some rows of the list."""
    from atlas.queries.pairs import pair_window

    return pair_window(atlas, a, b, subset, order, start, stop)


def compared_scans(scans: list[Scan], pairings: list[Pairing]) -> list[tuple[Scan, Scan]]:
    """Two scans each that were compared by whatever measure, in order of arrival."""
    newest = {(scan.sae, scan.corpus): scan for scan in scans}
    found: dict[tuple[int, int], tuple[Scan, Scan]] = {}
    for pairing in pairings:
        a = newest.get((pairing.sae_a, pairing.corpus))
        b = newest.get((pairing.sae_b, pairing.corpus_b))
        if a and b and a.sae != b.sae:
            found.setdefault((a.scan_id, b.scan_id), (a, b))
    return list(found.values())


def pairings_between(a: Scan, b: Scan, pairings: list[Pairing]) -> list[Pairing]:
    """Stored comparisons of two scans, activation first."""
    between = [p for p in pairings if p.between(a.sae, b.sae, p.measure)]
    found = [p for p in between if (p.corpus_of(a.sae), p.corpus_of(b.sae)) == (a.corpus, b.corpus)]
    return sorted(found, key=lambda p: (p.measure != DEFAULT_MEASURE, p.measure))


def command_of(a: Scan, b: Scan, subset: Subset) -> list[str]:
    """The words after `featlas` that list the same pairs."""
    from dataclasses import asdict

    from atlas.choices import options_of, typed
    from atlas.filters.subset import Subset as Declared

    chosen = typed(options_of(Declared), asdict(subset), always=("match", "measure"))
    return ["pairs", a.alias, b.alias, "--corpus", a.corpus, *chosen]
