"""The scans and comparisons of the atlas, as read last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atlas.choices import DEFAULT_MEASURE
from atlas.queries import browse, overview
from atlas.queries.browse_records import Pairing, Scan

if TYPE_CHECKING:
    from atlas.db import Atlas


@dataclass(frozen=True)
class Catalogue:
    """What the atlas holds; read again whenever the file was opened again."""

    scans: list[Scan]
    pairings: list[Pairing]
    unmeasured: list[str]
    """Names of the SAEs, if none was measured."""
    is_read: bool = True
    """False before the atlas was opened for the first time."""

    @classmethod
    def of(cls, atlas: Atlas) -> Catalogue:
        """Scans and comparisons; where nothing was measured, the SAEs that could be."""
        scans = browse.scans(atlas)
        unmeasured = [] if scans else [sae.alias for sae in overview.unmeasured(atlas)]
        return cls(scans, browse.pairings(atlas), unmeasured)

    def now(self, scan: Scan) -> Scan | None:
        """The current version of a scan: one that was measured again has another number."""
        return self.scan_of(scan.sae, scan.corpus)

    def scan_of(self, sae: str, corpus: str) -> Scan | None:
        return next((scan for scan in reversed(self.scans) if (scan.sae, scan.corpus) == (sae, corpus)), None)

    def newest_of(self, sae: str) -> Scan | None:
        return next((scan for scan in reversed(self.scans) if scan.sae == sae), None)

    def numbered(self, scan_id: int) -> Scan | None:
        return next((scan for scan in self.scans if scan.scan_id == scan_id), None)

    @property
    def names(self) -> list[tuple[str, str]]:
        return list(dict.fromkeys((scan.sae, scan.alias) for scan in self.scans))

    def compared(self) -> list[tuple[Scan, Scan]]:
        """Pairs of scans that were compared by any measure, in order of arrival."""
        newest = {(scan.sae, scan.corpus): scan for scan in self.scans}
        found: dict[tuple[int, int], tuple[Scan, Scan]] = {}
        for pairing in self.pairings:
            a = newest.get((pairing.sae_a, pairing.corpus))
            b = newest.get((pairing.sae_b, pairing.corpus_b))
            if a and b and a.sae != b.sae:
                found.setdefault((a.scan_id, b.scan_id), (a, b))
        return list(found.values())

    def pairings_between(self, a: Scan, b: Scan) -> list[Pairing]:
        """Stored comparisons of two scans, activation first."""
        between = [p for p in self.pairings if p.between(a.sae, b.sae, p.measure)]
        found = [p for p in between if (p.corpus_of(a.sae), p.corpus_of(b.sae)) == (a.corpus, b.corpus)]
        return sorted(found, key=lambda p: (p.measure != DEFAULT_MEASURE, p.measure))

    def nothing_here(self) -> str:
        """Why there is no feature, and what to type."""
        n = len(self.unmeasured)
        if not n:
            return "no features here yet – run: featlas demo, or ingest"
        return f"{n} SAE{'s' if n > 1 else ''}, none measured yet – featlas ingest --help"
