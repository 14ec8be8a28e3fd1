"""What the browser reads of features without a counterpart: ids in order, then the rows that are shown."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from atlas.catalog.compared import settle
from atlas.choices import DEFAULT_MEASURE
from atlas.filters.subset import Subset
from atlas.queries.browse_records import Scan

if TYPE_CHECKING:
    import numpy as np

    from atlas.db import Atlas

ORPHAN_SORTS = ("fires", "value", "feature")
"""Orders of the list."""

ORPHAN_RULES = ("top-1", "assignment", "paulo-belrose")
"""As of the macro `shared_features`, where they are explained."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """Which list is asked for."""

    scan: Scan
    """The SAE whose features are listed."""
    other: Scan | None
    """The SAE in which they have no counterpart; None for all that it was compared with, by mutual matches."""
    measure: str = DEFAULT_MEASURE
    rule: str = "top-1"
    """One of `ORPHAN_RULES`; has no effect where `other` is None."""
    threshold: float = 0.7
    """Minimum value of a counterpart."""

    @property
    def how(self) -> str:
        """Rule and threshold in words."""
        if self.other is None:
            return f"no mutual match by {self.measure} of {self.threshold:g}"
        by = "decoder and encoder" if self.rule == "paulo-belrose" else self.measure
        return f"{self.rule} by {by} under {self.threshold:g}"

    @property
    def command(self) -> list[str]:
        """What follows `featlas` in the command that prints the list."""
        words = ["orphans", self.scan.alias, *([self.other.alias] if self.other else [])]
        words += ["--rule", self.rule] if self.rule != "top-1" and self.other else []
        words += ["--measure", self.measure] if self.rule != "paulo-belrose" or self.other is None else []
        return [*words, "--threshold", f"{self.threshold:g}", "--corpus", self.scan.corpus]


@dataclass(frozen=True, slots=True)
class OrphanOrder:
    """Features without a counterpart, in order."""

    features: np.ndarray
    partners: np.ndarray
    """The best partner, which does not reach the threshold; -1 where there is none."""
    values: np.ndarray
    """Its value; NaN where there is none."""
    because: np.ndarray
    """Why it is no counterpart."""

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True, slots=True)
class OrphanRow:
    """One line of the list."""

    feature_id: int
    n_fired: int
    density: float
    max: float | None
    """None if it never fires."""
    top_tokens: list[str]
    label: str | None
    partner: int | None
    value: float | None
    because: str


def orphan_order(
    atlas: Atlas, asked: Orphans, *, text: str = "", sort: str = "fires", ascending: bool = False
) -> OrphanOrder:
    """Features that a rule leaves without a counterpart.

    Args:
        atlas: Open for reading.
        asked: SAEs, rule and threshold.
        text: Held by a top token or the label, letter case aside.
        sort: One of `ORPHAN_SORTS`.
        ascending: Reverse the order.

    Raises:
        AtlasError: What the rule looks at is not stored.
    """
    given: dict[str, object] = {"sae_a": asked.scan.sae, "corpus": asked.scan.corpus, "scan": asked.scan.scan_id}
    given |= {
        "measure": asked.measure,
        "threshold": asked.threshold,
        "text": text,
        "sort": sort,
        "ascending": ascending,
    }
    if asked.other is None:
        found = atlas.arrays("browse/lone", **given)
    else:
        match = "best" if asked.rule == "top-1" else "assignment"
        for measure in ("decoder", "encoder") if asked.rule == "paulo-belrose" else (asked.measure,):
            settle(atlas, asked.scan.sae, asked.other.sae, Subset(match=match, measure=measure), asked.scan.corpus)
        found = atlas.arrays("browse/orphans", **given, sae_b=asked.other.sae, rule=asked.rule)
    return OrphanOrder(found["feature"], found["partner"], found["value"], found["because"])


def orphan_window(atlas: Atlas, asked: Orphans, order: OrphanOrder, start: int, stop: int) -> list[OrphanRow]:
    """Rows `start` to `stop` of the list."""
    part = slice(start, stop)
    rows = atlas.fetch("browse/orphan_window", scan=asked.scan.scan_id, features=order.features[part].tolist())
    partners, values, because = order.partners[part].tolist(), order.values[part].tolist(), order.because[part].tolist()
    return [
        OrphanRow(**row, partner=partner if partner >= 0 else None, value=None if isnan(value) else value, because=why)
        for row, partner, value, why in zip(rows.dicts(), partners, values, because, strict=True)
    ]
