"""How densely and how strongly features fire: densities, pooled activations, mean against variance, tails.

Sources: densities of features, Bricken et al. 2023 ("Towards Monosemanticity"); a power law between mean and variance,
Taylor 1961, doi:10.1038/189732a0 (slope 1 for counts of independent events, 2 where the spread grows with the mean);
Sarle's bimodality coefficient, Pfister et al. 2013, doi:10.3389/fpsyg.2013.00700.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from atlas.catalog.scans import Scanned, sample_of
from atlas.db import Atlas
from atlas.studies.asked import Asked, study
from atlas.studies.findings import Findings, Table, mean_of, shown

if TYPE_CHECKING:
    import polars as pl

BIMODAL = 5 / 9
"""Sarle's coefficient of a uniform distribution, and of an exponential one: above it there may be two modes, or just a
longer tail than these."""

FEWEST_FIRED = 20
"""Firing tokens below which the shape of a feature's distribution is not judged."""

DECADES = (-8, 0)
"""Exponents of 10 between which densities are counted, five bins to the decade."""


@study
def measure(asked: Asked) -> Findings:
    """Distributions of one SAE or of many."""
    with asked.open() as atlas:
        scans = asked.scans(atlas)
        parts = [(_shapes(atlas, scan), _pooled(atlas, scan), _labelled(atlas, scan)) for scan in asked.each(scans)]
    return _findings(scans, parts)


def _shapes(atlas: Atlas, scan: Scanned) -> pl.DataFrame:
    return atlas.frame("studies/shapes", **scan.key)


def _pooled(atlas: Atlas, scan: Scanned) -> pl.DataFrame:
    return atlas.frame("studies/pooled_histogram", **scan.key)


def _labelled(atlas: Atlas, scan: Scanned) -> pl.DataFrame:
    return atlas.frame("studies/labelled_densities", **scan.key)


def _findings(scans: Sequence[Scanned], parts: Sequence[tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]]) -> Findings:
    """Tables and sentences from what was read."""
    import polars as pl

    shapes, pooled, labelled = (pl.concat(kind) for kind in zip(*parts, strict=True))
    summary = pl.DataFrame([_summary(scan, part[0]) for scan, part in zip(scans, parts, strict=True)])
    densities = pl.concat([_densities(scan, part[0]) for scan, part in zip(scans, parts, strict=True)])
    tables = (
        Table("saes", "One SAE: its densities, and how the activations of its features are shaped.", summary),
        Table("features", "One feature that fires, as in view activation_shapes.", shapes),
        Table("densities", "Features of one SAE whose density lies in [lo, hi).", densities),
        Table("activations", "Firing tokens of all features of one SAE, activation in [lo, hi).", pooled),
        Table("labels", "Features of one SAE with a label and without: their densities.", labelled),
    )
    return Findings("distribution", sample_of(scans), _lines(summary), tables)


def _summary(scan: Scanned, shapes: pl.DataFrame) -> dict[str, object]:
    """One row of numbers for one SAE."""
    density, judged = shapes["density"].to_numpy(), shapes.filter(shapes["n_fired"] >= FEWEST_FIRED)
    slope, r2 = _power_law(judged)
    sarle = judged["sarle"].drop_nulls().to_numpy()
    upper = (judged["upper_share"] > 2 * judged["upper_chance"]).drop_nulls()
    quartiles = np.quantile(density, [0.25, 0.5, 0.75]) if len(density) else [None] * 3
    return {
        "sae": scan.sae,
        "alias": scan.alias,
        "layer": scan.layer,
        "corpus": scan.corpus,
        "n_tokens": scan.n_tokens,
        "d_sae": scan.d_sae,
        "n_fire": len(shapes),
        "density_q25": quartiles[0],
        "density_median": quartiles[1],
        "density_q75": quartiles[2],
        "n_judged": len(judged),
        "mean_above_median": mean_of(judged["mean_above_median"].to_numpy()),
        "variance_slope": slope,
        "variance_r2": r2,
        "density_max_rank_r": _rank_r(judged["density"].to_numpy(), judged["max"].to_numpy()),
        "sarle_above": mean_of(sarle > BIMODAL),
        "upper_half_twice_chance": mean_of(upper.to_numpy()),
    }


def _power_law(judged: pl.DataFrame) -> tuple[float | None, float | None]:
    """Slope of log variance on log mean over all tokens, and the share of the variance it explains."""
    positive = judged.filter((judged["mean"] > 0) & (judged["variance"] > 0))
    x, y = np.log(positive["mean"].to_numpy()), np.log(positive["variance"].to_numpy())
    if len(x) < 3 or not np.ptp(x) or not np.ptp(y):
        return None, None
    slope = float(np.polyfit(x, y, 1)[0])
    return slope, float(np.corrcoef(x, y)[0, 1] ** 2)


def _rank_r(x: np.ndarray, y: np.ndarray) -> float | None:
    """Spearman's rank correlation; None where one of the two is constant."""
    from scipy.stats import rankdata  # 0.3 s to import, for one function

    if len(x) < 3 or not np.ptp(x) or not np.ptp(y):
        return None
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _densities(scan: Scanned, shapes: pl.DataFrame) -> pl.DataFrame:
    """Counts of features by the logarithm of their density; dead features are in none of the bins."""
    import polars as pl

    edges = np.logspace(*DECADES, 5 * (DECADES[1] - DECADES[0]) + 1)
    counts, _ = np.histogram(shapes["density"].to_numpy(), edges)
    of = {"sae": [scan.sae] * len(counts), "corpus": [scan.corpus] * len(counts)}
    return pl.DataFrame({**of, "lo": edges[:-1], "hi": edges[1:], "n": counts})


def _lines(summary: pl.DataFrame) -> tuple[str, ...]:
    """What stands out, over all SAEs."""
    lines = []
    for row in summary.iter_rows(named=True):
        name = f"{row['alias']} {row['sae']}"
        if not row["n_judged"]:
            lines.append(f"{name}: no feature fires on {FEWEST_FIRED} tokens or more, too few to judge a shape.")
            continue
        lines.append(
            f"{name}: {row['n_fire']:,} of {row['d_sae']:,} features fire, median density {row['density_median']:.2g}. "
            f"Of {row['n_judged']:,} that fire on {FEWEST_FIRED} tokens or more, {row['mean_above_median']:.0%} have a "
            f"mean above their median over firing tokens; {shown(row['upper_half_twice_chance'], '.0%')} reach half of "
            "their maximum twice as often as an exponential distribution would; variance grows as the mean to the "
            f"{shown(row['variance_slope'], '.2f')} (r² {shown(row['variance_r2'], '.2f')})."
        )
    return tuple(lines)
