"""What the pair list asks for. Runs in worker threads, and loads there what the first paint need not wait for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas.db import Atlas
from atlas.errors import AtlasError
from atlas.queries.browse_records import PairRow, Scan

if TYPE_CHECKING:
    from atlas.pairlist import PairOrder
    from atlas.subsets import Subset

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


def read_pairs(asked: Asked, atlas: Atlas) -> tuple[Subset | None, PairOrder | None, str]:
    """The subset and its candidates; or in one line why there are none."""
    from atlas.pair_filter import parse_pair_filter
    from atlas.pairlist import pair_order
    from atlas.subsets import Subset

    try:
        subset, words = parse_pair_filter(asked.text, Subset(match=asked.rule, measure=asked.measure))
        found = pair_order(atlas, asked.a, asked.b, subset, text=words, sort=asked.sort, ascending=asked.ascending)
    except AtlasError as error:
        return None, None, error.what + (f" – {error.hint}" if error.hint else "")
    return subset, found, ""


def read_window(
    atlas: Atlas, a: Scan, b: Scan, subset: Subset, order: PairOrder, start: int, stop: int
) -> list[PairRow]:
    """Some rows of the list."""
    from atlas.pairlist import pair_window

    return pair_window(atlas, a, b, subset, order, start, stop)
