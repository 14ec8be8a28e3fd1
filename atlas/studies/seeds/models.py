"""SAEs of different models: activation correlation beside the geometry of matched decoder rows.

Activations of two models agree wherever both see the same token, trained or not; distances between features agree only
where both models have learned the same (arXiv 2410.06981; RSA of decoder rows of matched features).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from atlas.catalog.requests import Comparison
from atlas.catalog.scans import Scanned
from atlas.comparisons.stored import corpora_from
from atlas.db import open_atlas
from atlas.errors import AtlasError, AtlasUnavailable
from atlas.scores.compare import compare

SHUFFLES = 100
"""Draws of the null of each score."""


def between_models(db: Path, scans: Sequence[Scanned], wait: float = 0) -> list[dict[str, Any]]:
    """Two SAEs of different models a row, of those that `featlas correlate` compared by activation."""
    stored = []
    with open_atlas(db, wait=wait) as atlas:
        for a, b in combinations(scans, 2):
            if a.model == b.model:
                continue
            for row in atlas.fetch("comparisons/pairings", sae_a=a.sae, sae_b=b.sae).dicts():
                if row["measure"] == "activation" and corpora_from(row, a.sae) == (a.corpus, a.corpus):
                    side = "" if row["sae_a"] == a.sae else "_ba"
                    stored.append((a, b, row[f"median_best{side}"], row[f"chance{side}"]))
                    break
    found = []
    for a, b, median, chance in stored:
        try:
            wanted = Comparison("rsa", corpus=a.corpus, shuffles=SHUFFLES)
            score = compare(db, a.sae, b.sae, wanted, wait=wait, store=False)
        except AtlasUnavailable:
            raise
        except AtlasError:  # too few matched pairs for a score
            continue
        names = {"sae": a.sae, "alias": a.alias, "other": b.sae, "alias_other": b.alias, "corpus": a.corpus}
        sides = {"model": a.model, "model_other": b.model, "activation_median": median, "activation_chance": chance}
        found.append(
            names | sides | {"n": score.n, "rsa": score.value, "rsa_null": score.null_mean, "rsa_p": score.p_value}
        )
    return found


def models_line(row: dict[str, Any]) -> str:
    """One row in words."""
    return (
        f"{row['alias']} {row['sae']} and {row['alias_other']} {row['other']} (two models): median best activation "
        f"correlation {row['activation_median']:.3f} (tokens shifted {row['activation_chance']:.3f}); RSA of "
        f"{row['n']:,} matched decoder rows {row['rsa']:.3f} (shuffled {row['rsa_null']:.3f}, p {row['rsa_p']:.3f})."
    )
