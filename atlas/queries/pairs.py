"""The pairs of two SAEs in order, with the verdict of the filters: ids first, then only the rows that are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas.catalog.compared import settle
from atlas.filters.subset import Subset, count_steps
from atlas.queries.browse_records import PairRow, Scan

if TYPE_CHECKING:
    import numpy as np

    from atlas.db import Atlas


@dataclass(frozen=True, slots=True)
class PairOrder:
    """Candidate pairs of two SAEs in order, with the verdict of the filters."""

    features_a: np.ndarray
    features_b: np.ndarray
    kept: np.ndarray
    dropped_because: np.ndarray
    """Reasons joined by commas; empty if kept."""

    def __len__(self) -> int:
        return len(self.features_a)

    def where(self, wanted: np.ndarray) -> PairOrder:
        return PairOrder(
            self.features_a[wanted], self.features_b[wanted], self.kept[wanted], self.dropped_because[wanted]
        )

    def those(self, shown: str) -> PairOrder:
        """The rows that are `kept`, `dropped` or, for any other word, all."""
        return self.where({"kept": self.kept, "dropped": ~self.kept}.get(shown, self.kept | True))

    def reasons(self) -> list[tuple[str, int]]:
        """How many pairs each filter dropped, in the order of the filters; a pair counts for its first reason."""
        return count_steps(reasons.split(", ") for reasons in self.dropped_because.tolist())[1:]


def pair_order(
    atlas: Atlas, a: Scan, b: Scan, subset: Subset, *, text: str = "", sort: str = "value", ascending: bool = False
) -> PairOrder:
    """Candidate pairs of two SAEs, chosen by the features of `a` unless a matching is stored.

    Args:
        atlas: Open for reading.
        a: The SAE whose features choose.
        b: The other.
        subset: Measure, rule and thresholds; its condition and its concept are not looked at.
        text: Held by one of the tokens that the filters looked at, letter case aside.
        sort: One of `atlas.choices.PAIR_SORTS`.
        ascending: Reverse the order.

    Raises:
        AtlasError: No such pairs are stored; the hint is the command that makes them.
    """
    compared = settle(atlas, a.sae, b.sae, subset, a.corpus)
    found = atlas.arrays("browse/pair_order", **compared.parameters, text=text, sort=sort, ascending=ascending)
    return PairOrder(found["feature_a"], found["feature_b"], found["kept"], found["dropped_because"])


def pair_window(
    atlas: Atlas, a: Scan, b: Scan, subset: Subset, order: PairOrder, start: int, stop: int
) -> list[PairRow]:
    """Rows `start` to `stop` of a pair list."""
    part = slice(start, stop)
    found = atlas.fetch(
        "browse/pair_window",
        features_a=order.features_a[part].tolist(),
        features_b=order.features_b[part].tolist(),
        scan_a=a.scan_id,
        scan_b=b.scan_id,
        sae_a=a.sae,
        sae_b=b.sae,
        corpus=a.corpus,
        measure=subset.measure,
        method=subset.match,
    )
    because = order.dropped_because[part].tolist()
    return [PairRow(**row, dropped_because=why) for row, why in zip(found.dicts(), because, strict=True)]
