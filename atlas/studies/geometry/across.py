"""Two SAEs: whether logit weights and attributions say of matched features what their activations say.

Source: Bricken et al. 2023, "Towards Monosemanticity", Universality: features whose activations agree may disagree in
their logit weights, while attributions, activation times the logit weight of the token that came next, go with both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from atlas.catalog.scans import Scanned
from atlas.comparisons.reading import operands_of
from atlas.comparisons.stored import TwoScans
from atlas.db import open_atlas
from atlas.errors import AtlasError, AtlasUnavailable
from atlas.pairing.assignment.assign import assign
from atlas.pairing.measures.registry import MEASURES
from atlas.studies.geometry.quadrants import Drawn, correlations

MATCHED = 0.3
"""Activation correlation above which a pair of the assignment counts as matched."""

JUDGED = ("logit", "attribution", "decoder", "encoder", "preactivation")
"""Measures that are held against activation, where they mean something for the two."""


def across(db: Path, a: Scanned, b: Scanned, *, wait: float = 0, draws: int = 200, seed: int = 0) -> dict[str, Any]:
    """Values of the pairs of the assignment by activation whose correlation is above `MATCHED`; empty if there are few.

    Args:
        db: The atlas.
        a: One SAE.
        b: Another, on the same corpus.
        wait: Seconds to wait for a locked atlas.
        draws: Of the bootstrap over pairs.
        seed: Of the draws (PCG64).
    """
    readers, two = {}, TwoScans(a.sae, b.sae, a.corpus, a.corpus)
    with open_atlas(db, wait=wait) as atlas:
        for name in ("activation", *JUDGED):
            try:
                readers[name] = operands_of(atlas, MEASURES[name], two)
            except AtlasUnavailable:
                raise
            except AtlasError:  # these two have no such measure: other spaces, or other vocabularies
                continue
    if "activation" not in readers:
        return {}
    found = assign(readers.pop("activation")().rows(), alone=True)
    of_a, of_b = (side[found.values > MATCHED].astype(np.int64) for side in (found.rows, found.cols))
    if len(of_a) < 3:
        return {}
    values = {"activation": found.values[found.values > MATCHED]}
    values |= {name: read().values_at(of_a, of_b) for name, read in readers.items()}
    return _related(a, b, of_a, of_b, values, draws, seed)


def _related(
    a: Scanned, b: Scanned, of_a: Any, of_b: Any, values: dict[str, Any], draws: int, seed: int
) -> dict[str, Any]:
    """Each measure against activation."""
    import polars as pl

    head: dict[str, Any] = {"sae_a": a.sae, "alias_a": a.alias, "sae_b": b.sae, "alias_b": b.alias, "corpus": a.corpus}
    relations = []
    for name in JUDGED:
        if name not in values:
            continue
        known = np.isfinite(values[name])
        x, y = values["activation"][known], values[name][known]
        each = np.arange(len(x))
        rows = correlations({"activation": x, name: y}, [("activation", name)], Drawn(each, each, len(x), draws, seed))
        median = float(np.median(y)) if len(y) else None
        relations.append(
            head | {"measure": name, "median": median} | {k: rows[0][k] for k in ("n", "r", "low", "high")}
        )
    columns = {name: values.get(name, np.full(len(of_a), np.nan)) for name in ("activation", *JUDGED)}
    return {"relations": relations, "pairs": pl.DataFrame(head | {"feature_a": of_a, "feature_b": of_b, **columns})}
