"""The figure of study distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from atlas.figures.style import CHANCE, caption, chance_line, colour, dashes, legend_below, named, panels
from atlas.studies.distribution import BIMODAL, FEWEST_FIRED
from atlas.studies.findings import Findings

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(found: Findings) -> Figure:
    """Six panels, one colour an SAE."""
    figure, axes = panels(2, 3)
    saes, features = found.table("saes").rows, found.table("features").rows
    names = named(saes["sae"].to_list(), saes["alias"].to_list())
    for i, (sae, name) in enumerate(zip(saes["sae"], names, strict=True)):
        of = features.filter((features["sae"] == sae) & (features["n_fired"] >= FEWEST_FIRED))
        style: dict[str, Any] = {"color": colour(i), "linestyle": dashes(i), "linewidth": 1.0}
        _steps(axes[0], found.table("densities").rows, sae, label=name, **style)
        _steps(axes[1], found.table("activations").rows, sae, per_log=True, **style)
        dots: dict[str, Any] = {"s": 2, "color": colour(i), "alpha": 0.3, "linewidths": 0, "rasterized": True}
        axes[2].scatter(of["mean"], of["variance"], **dots)
        axes[3].scatter(of["density"], of["max"], **dots)
        axes[4].hist(of["sarle"].drop_nulls().to_numpy(), bins=np.linspace(0, 1, 41).tolist(), histtype="step", **style)
        axes[5].scatter(of["median_active"], of["mean_active"], **dots)
    _label(axes)
    legend_below(figure, axes[0])
    caption(figure, f"Distributions; shapes of features that fire on {FEWEST_FIRED} tokens or more", found.sample)
    return figure


def _steps(axes: Axes, rows: pl.DataFrame, sae: str, *, per_log: bool = False, **style: Any) -> None:
    """A histogram as one line; the pooled one per unit of log10, as its bins differ in width."""
    of = rows.filter((rows["sae"] == sae) & (rows["n"] > 0))
    lo, hi, n = (of[name].to_numpy() for name in ("lo", "hi", "n"))
    axes.plot(np.sqrt(lo * hi), n / np.log10(hi / lo) if per_log else n, **style)


def _label(axes: list[Axes]) -> None:
    """Axes, units and chance levels."""
    titles = (
        ("density (share of tokens)", "features a fifth of a decade", "log", "linear"),
        ("activation, all features", "firing tokens a decade", "log", "log"),
        ("mean over all tokens", "variance", "log", "log"),
        ("density", "maximum activation", "log", "log"),
        ("Sarle's coefficient", "features", "linear", "linear"),
        ("median over firing tokens", "mean over firing tokens", "log", "log"),
    )
    for panel, (x, y, x_scale, y_scale) in zip(axes, titles, strict=True):
        panel.set(xlabel=x, ylabel=y)
        if np.isfinite(panel.dataLim.minpos).all():  # something to draw
            panel.set(xscale=x_scale, yscale=y_scale)
    chance_line(axes[4], BIMODAL, "uniform, exponential", vertical=True)
    chance_line(axes[4], 1 / 3, "normal", vertical=True, linestyle=":")
    low, high = axes[5].get_xlim()
    axes[5].plot([low, high], [low, high], **CHANCE)
    axes[4].legend(fontsize=6, loc="upper left")
