"""How densely and how strongly features fire: densities, pooled activations, mean against variance, tails.

Sources: densities of features, Bricken et al. 2023 ("Towards Monosemanticity"); a power law between mean and variance,
Taylor 1961, doi:10.1038/189732a0 (slope 1 for counts of independent events, 2 where the spread grows with the mean);
Sarle's bimodality coefficient, Pfister et al. 2013, doi:10.3389/fpsyg.2013.00700.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atlas.catalog.scans import Scanned, chosen, sample_of
from atlas.db import Atlas, open_atlas
from atlas.db.sqlfiles import sql_text
from atlas.studies.findings import Findings, Table

if TYPE_CHECKING:
    import polars as pl

BIMODAL = 5 / 9
"""Sarle's coefficient of a uniform distribution, and of an exponential one: above it there may be two modes, or just a
longer tail than these."""

FEWEST_FIRED = 20
"""Firing tokens below which the shape of a feature's distribution is not judged."""

DECADES = (-8, 0)
"""Exponents of 10 between which densities are counted, five bins to the decade."""


def measure(
    db: Path,
    saes: Sequence[str] = (),
    *,
    corpus: str | None = None,
    wait: float = 0,
    on_progress: Callable[[int, int], object] | None = None,
) -> Findings:
    """Distributions of one SAE or of many.

    Args:
        db: The atlas.
        saes: Names, aliases, patterns or paths; none takes all.
        corpus: Name of a corpus; None takes the only one.
        wait: Seconds to wait for a locked atlas.
        on_progress: Called as `on_progress(done, total)` over SAEs.
    """
    with open_atlas(db, wait=wait) as atlas:
        scans = chosen(atlas, saes, corpus)
        parts = []
        for scan in scans:
            parts.append((_shapes(atlas, scan), _pooled(atlas, scan), _labelled(atlas, scan)))
            if on_progress:
                on_progress(len(parts), len(scans))
    return _findings(scans, parts)


def _shapes(atlas: Atlas, scan: Scanned) -> pl.DataFrame:
    return atlas.sql(
        "from activation_shapes where sae = $sae and corpus = $corpus order by feature_id", params=_of(scan)
    ).pl()


def _pooled(atlas: Atlas, scan: Scanned) -> pl.DataFrame:
    return atlas.sql(sql_text("queries/studies/pooled_histogram"), params=_of(scan)).pl()


def _labelled(atlas: Atlas, scan: Scanned) -> pl.DataFrame:
    return atlas.sql(sql_text("queries/studies/labelled_densities"), params=_of(scan)).pl()


def _of(scan: Scanned) -> dict[str, str]:
    return {"sae": scan.sae, "corpus": scan.corpus}


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
        "mean_above_median": _share(judged["mean_above_median"].to_numpy()),
        "variance_slope": slope,
        "variance_r2": r2,
        "density_max_rank_r": _rank_r(judged["density"].to_numpy(), judged["max"].to_numpy()),
        "sarle_above": _share(sarle > BIMODAL),
        "upper_half_twice_chance": _share(upper.to_numpy()),
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
    """Spearman's rank correlation; None where a side does not vary."""
    from scipy.stats import rankdata  # 0.3 s to import, for one function

    if len(x) < 3 or not np.ptp(x) or not np.ptp(y):
        return None
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _share(flags: np.ndarray) -> float | None:
    return float(np.mean(flags)) if len(flags) else None


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
            f"mean above their median over firing tokens; {_or(row['upper_half_twice_chance'], '.0%')} reach half of "
            "their maximum twice as often as an exponential distribution would; variance grows as the mean to the "
            f"{_or(row['variance_slope'], '.2f')} (r² {_or(row['variance_r2'], '.2f')})."
        )
    return tuple(lines)


def _or(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)
