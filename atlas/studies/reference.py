"""SAEs of one hook beside one of them: how near the decoder of each is to that of the reference, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atlas.catalog.scans import Scanned
from atlas.metrics.dictionaries import SetSimilarity, mmcs


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """MMCS of one SAE with its reference."""

    name: str | None
    """The reference; None where the SAE is the reference itself or none reads the same hook."""
    found: SetSimilarity | None = None
    """Mean over features of the SAE of their largest cosine with the reference."""
    covered: SetSimilarity | None = None
    """Mean over features of the reference of their largest cosine with the SAE."""

    def columns(self) -> dict[str, str | float | None]:
        """As columns of a table, each score with its chance."""
        return {
            "reference": self.name,
            "mmcs_to_reference": self.found.score if self.found else None,
            "mmcs_to_chance": self.found.chance if self.found else None,
            "mmcs_of_reference": self.covered.score if self.covered else None,
            "mmcs_of_chance": self.covered.chance if self.covered else None,
        }


def compared(
    scans: Sequence[Scanned], decoders: Sequence[np.ndarray], reference: str | None = None
) -> tuple[Reference, ...]:
    """Compare every SAE with the reference of its model and hook.

    Args:
        scans: The SAEs.
        decoders: (d_sae, d_in) of each.
        reference: Name or alias of one of them, for SAEs of its model and hook; None takes the widest of each hook, the
            first of equal ones.

    Returns:
        One for each SAE, in their order.
    """
    return tuple(_beside(scans, decoders, i, reference) for i in range(len(scans)))


def _beside(scans: Sequence[Scanned], decoders: Sequence[np.ndarray], i: int, reference: str | None) -> Reference:
    """One SAE beside the reference of its hook."""
    here = [j for j, scan in enumerate(scans) if scan.space == scans[i].space]
    named = [j for j in here if reference and (scans[j].sae == reference or scans[j].alias == reference.upper())]
    at = named[0] if named else min(here, key=lambda j: (-scans[j].d_sae, j))
    if at == i or (reference and not named):
        return Reference(None)
    x, y = _live(decoders[i]), _live(decoders[at])
    if not len(x) or not len(y):
        return Reference(scans[at].sae)
    return Reference(scans[at].sae, mmcs(x, y), mmcs(y, x))


def _live(decoder: np.ndarray) -> np.ndarray:
    return decoder[np.any(decoder != 0, axis=1)]
