"""From a scan in the store to rows of `feature_family`: read, find the families, write in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atlas.activations import Scan, open_scan
from atlas.db import Atlas, open_atlas
from atlas.db.runs import add_run, spec_sha256, utc_now
from atlas.errors import AtlasError, UsageError
from atlas.pairing.families.trees import Families, feature_families
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.memory import family_bytes, half_of_available, size


@dataclass(frozen=True, slots=True)
class FamiliesSummary:
    """What a search for families found."""

    sae: str
    """Full name of the SAE."""
    corpus: str
    """Corpus on which it was measured."""
    n_tokens: int
    """Tokens of the scan."""
    n_families: int
    """Families found."""
    n_members: int
    """Features in at least one of them."""
    quality: float | None
    """Median over families of the mean co-occurrence with the head over that below it; None without families."""
    new: bool
    """False if the atlas already held these families."""


def find_families(
    db: Path | str,
    sae: str,
    *,
    corpus: str | None = None,
    threshold: float = 0.1,
    repeats: int = 3,
    max_density: float = 0.2,
    memory: int | None = None,
    wait: float = 0,
    on_progress: Progress | None = None,
    command: str | None = None,
) -> FamiliesSummary:
    """Find the features of one SAE that fire together, as trees, and store them instead of earlier ones.

    Args:
        db: The atlas.
        sae: Name or alias.
        corpus: Corpus on which it was measured; None takes the newest scan.
        threshold: Minimum co-occurrence of two features, in (0, 1].
        repeats: Rounds of the search after the first.
        max_density: Features that fire on this share of the tokens or more are left out.
        memory: Bytes that the search may take; None takes half of what is available.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(done, total)`, counted in features.
        command: Command line for the record; by default that of this process.

    Raises:
        UsageError: An option is out of its range.
        UnknownName: There is no such SAE, or no scan of it on that corpus.
        AtlasError: The scan kept no activations, they are damaged, or there is too little memory.
    """
    if not 0 < threshold <= 1 or repeats < 0 or not max_density > 0:
        raise UsageError("the threshold must be above 0 and at most 1, the density above 0, the repeats not negative")
    started_at = utc_now()
    with open_atlas(db, wait=wait) as atlas:
        scan = open_scan(atlas, sae, corpus)
        facts = next(s for s in atlas.fetch("catalog/scans_of", sae=scan.sae).dicts() if s["corpus"] == scan.corpus)
        options = {"threshold": threshold, "repeats": repeats, "max_density": max_density}
        spec = {"families": "co-occurrence", "sae": scan.sae, "corpus": scan.corpus, "scan": facts["spec_sha256"]}
        spec |= options
        newest = [row[0] for row in atlas.fetch("comparisons/family_run_of_scan", scan_id=facts["scan_id"])]
        if newest == [spec_sha256(spec)]:
            return _summary(atlas, scan, facts["scan_id"], new=False)
        (n_nonzero,) = atlas.fetch("catalog/scan_sizes", sae=scan.sae, corpus=scan.corpus).rows[0][1:]
    _refuse_too_little(scan, n_nonzero, threshold, memory or half_of_available())
    found = feature_families(scan.csr(), **options, on_progress=on_progress)
    with open_atlas(db, write=True, wait=wait) as atlas, atlas.transaction():
        _write(atlas, found, facts["scan_id"], add_run(atlas, spec, started_at, command=command))
        return _summary(atlas, scan, facts["scan_id"], new=True)


def _refuse_too_little(scan: Scan, n_nonzero: int, threshold: float, memory: int) -> None:
    needed = family_bytes(n_nonzero, scan.n_tokens, scan.d_sae, threshold)
    if needed > memory:
        raise AtlasError(
            f"a search for families in {scan.sae} may need {size(needed)} of memory and may take {size(memory)}",
            why=f"it holds {n_nonzero:,} activations and all pairs that co-occur by {threshold:g} or more",
            hint=f"--memory {size(needed)}",
        )


def _summary(atlas: Atlas, scan: Scan, scan_id: int, *, new: bool) -> FamiliesSummary:
    n_families, n_members, quality = atlas.fetch("comparisons/families_of_scan", scan_id=scan_id).rows[0]
    return FamiliesSummary(scan.sae, scan.corpus, scan.n_tokens, n_families, n_members, quality, new)


def _write(atlas: Atlas, found: Families, scan_id: int, run_id: int) -> None:
    atlas.rows("delete from feature_family where scan_id = $scan_id", scan_id=scan_id)
    order = np.lexsort((found.feature, found.family))
    columns: Mapping[str, Any] = {
        "scan_id": np.full(len(order), scan_id, dtype=np.int32),
        "run_id": np.full(len(order), run_id, dtype=np.int32),
        "family": found.family[order],
        "round": found.round[found.family - 1][order],
        "feature_id": found.feature[order],
        "parent_id": np.ma.masked_less(found.parent[order], 0),
        "depth": found.depth[order],
        "weight": np.ma.masked_invalid(found.weight[order]),
        "mean_with_head": found.mean_with_head[found.family - 1][order],
        "mean_below": found.mean_below[found.family - 1][order],
    }
    if len(order):
        atlas.insert("feature_family", columns)
