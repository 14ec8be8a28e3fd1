"""The figure of study conditional."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from atlas.figures.style import CHANCE, caption, legend_below, panels
from atlas.studies.conditional import BINS
from atlas.studies.findings import Findings

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 3
"""Features that find room beside each other."""

BANDS = ("#BBBBBB", "#F0E442", "#56B4E9", "#0072B2", "#CC79A7", "#D55E00", "#000000")
"""Bands of evidence, the first of none."""


def draw(found: Findings) -> Figure:
    """A column a feature: tokens by activation and band, the same weighted by activation, and what a level tells."""
    features, bins, levels = (found.table(name).rows for name in ("features", "bins", "levels"))
    shown = features.head(MOST).to_dicts() or [{}]
    figure, axes = panels(3, len(shown), height=1.9)
    bands = bins.select("band", "above", "up_to").unique().sort("band").to_dicts() if len(bins) else []
    for i, row in enumerate(shown):
        column = axes[i :: len(shown)]
        if row and row["n_fired"]:
            of = _of(bins, row)
            _stacked(column[0], of, "n", bands)
            _stacked(column[1], of, "sum", bands)
            _levels(column[2], _of(levels, row))
            column[0].set_title(f"{row['alias']}/{row['feature_id']}, n {row['n_fired']:,}", fontsize=8)
            column[0].set_yscale("log")
            column[0].set_ylim(bottom=0.5)  # a bar of one token is seen
        for panel, y in zip(column, ("firing tokens", "activation ×\ntokens", "share of tokens"), strict=True):
            panel.set(xlabel="activation", ylabel=y if i == 0 else "")
        column[2].set(xlabel="minimum activation\n(share of the maximum)", ylim=(0, 1.02))
    if bands:
        legend_below(figure, axes[0])
        axes[2 * len(shown)].legend(fontsize=5.5, loc="best", frameon=False)
    title = "Activations by evidence for a property of the text (stacked; log-likelihood ratio, nats)"
    caption(figure, title, found.sample)
    return figure


def _of(rows: pl.DataFrame, row: dict) -> pl.DataFrame:
    return rows.filter((rows["sae"] == row["sae"]) & (rows["feature_id"] == row["feature_id"]))


def _stacked(axes: Axes, rows: pl.DataFrame, column: str, bands: list[dict]) -> None:
    """Stacked bars, weakest evidence at the bottom."""
    below, step = np.zeros(BINS), float((rows["hi"] - rows["lo"]).to_numpy().mean())
    for band in bands:
        here = rows.filter(rows["band"] == band["band"])
        height = np.zeros(BINS)
        height[(here["lo"].to_numpy() / step).round().astype(int)] = here[column].to_numpy()
        colour = BANDS[band["band"] % len(BANDS)]
        places = np.arange(BINS) * step
        axes.bar(places, height, step, bottom=below, align="edge", color=colour, label=_named(band), linewidth=0)
        below += height


def _named(band: dict) -> str:
    if band["above"] is None:
        return f"up to {band['up_to']:.1f}"
    return f"above {band['above']:.1f}" + ("" if band["up_to"] is None else f", up to {band['up_to']:.1f}")


def _levels(axes: Axes, rows: pl.DataFrame) -> None:
    """What a level tells of the evidence, and how much of it is above."""
    x = rows["share_of_max"]
    axes.plot(x, rows["precision"], color="#0072B2", marker="o", markersize=2, linewidth=1.0, label="have evidence")
    axes.plot(x, rows["precision_chance"], **CHANCE, label="the same, by chance")
    axes.plot(x, rows["sensitivity"], color="#D55E00", marker="s", markersize=2, linewidth=1.0, label="of the evidence")
    axes.plot(x, rows["sensitivity_chance"], **{**CHANCE, "linestyle": ":"}, label="the same, by chance")
