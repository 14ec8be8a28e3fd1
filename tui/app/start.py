"""Where a reference of the command line leads."""

from __future__ import annotations

from collections.abc import Sequence

from atlas.errors import AtlasError
from atlas.queries.browse_records import Scan
from atlas.references import FeatureRef, PairRef, resolve_feature

HELD = ("feature", "pair")
"""Views that show nothing of their own: another one opens them."""


def located(start: FeatureRef | PairRef, scans: Sequence[Scan]) -> list[tuple[Scan, int]]:
    """Scan and number of one feature or of two; both on one corpus where they can be.

    Raises:
        AtlasError: An SAE or a feature does not exist.
    """
    known = list(dict.fromkeys((scan.sae, scan.alias) for scan in scans))
    references = [start] if isinstance(start, FeatureRef) else [start.a, start.b]
    places: list[tuple[Scan, int]] = []
    for reference in references:
        named = resolve_feature(reference, known)
        newest_last = [scan for scan in scans if scan.sae == named.sae]
        corpus = places[0][0].corpus if places else newest_last[-1].corpus
        scan = next((scan for scan in newest_last if scan.corpus == corpus), newest_last[-1])
        if named.feature_id >= scan.d_sae:
            raise AtlasError(f"{scan.sae} has no feature {named.feature_id}; its last is {scan.d_sae - 1:,}")
        places.append((scan, named.feature_id))
    return places
