"""The figure of study positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from atlas.figures.style import CHANCE, caption, chance_line, colour, dashes, legend_below, named, panels
from atlas.studies.findings import Findings
from atlas.studies.positions import FEWEST_FIRED

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SAES = 3
"""SAEs whose features are shown place by place."""


def draw(found: Findings) -> Figure:
    """Four panels, one colour an SAE."""
    figure, axes = panels(2, 2)
    saes, features = found.table("saes").rows, found.table("features").rows
    places, most = found.table("places").rows, found.table("most").rows
    names = named(saes["sae"].to_list(), saes["alias"].to_list())
    for i, (row, name) in enumerate(zip(saes.iter_rows(named=True), names, strict=True)):
        style: dict[str, Any] = {"color": colour(i), "linestyle": dashes(i), "linewidth": 1.0}
        here = places.filter(places["sae"] == row["sae"])
        axes[0].plot(here["position"], here["relative_l0"], label=name, **style)
        of = features.filter((features["sae"] == row["sae"]) & (features["n_fired"] >= FEWEST_FIRED))
        _ranked(axes[1], of["cramers_v"], **style)
        dots: dict[str, Any] = {"s": 3, "color": colour(i), "alpha": 0.4, "linewidths": 0, "rasterized": True}
        axes[2].scatter(of["cramers_v"], of["v_rest"], **dots)
        if i < MOST_SAES:
            _most(axes[3], most.filter(most["sae"] == row["sae"]), row["alias"], i)
    _label(axes, saes)
    legend_below(figure, axes[0])
    title = f"Place in the context; features that fire on {FEWEST_FIRED} tokens or more"
    caption(figure, title, found.sample)
    return figure


def _ranked(axes: Axes, values: pl.Series, **style: Any) -> None:
    """Largest first, by the share of features that are as large."""
    sorted_ = np.sort(values.drop_nulls().to_numpy())[::-1]
    axes.plot((np.arange(len(sorted_)) + 1) / max(1, len(sorted_)), sorted_, **style)


def _most(axes: Axes, most: pl.DataFrame, alias: str, i: int) -> None:
    for j, (feature, rows) in enumerate(most.group_by("feature_id", maintain_order=True)):
        style: dict[str, Any] = {"color": colour(i), "linestyle": ("-", "--", ":")[j % 3], "linewidth": 0.8}
        axes.plot(rows["position"], rows["density"], label=f"{alias}/{feature[0]}", **style)


def _label(axes: list[Axes], saes: pl.DataFrame) -> None:
    """Axes, units and chance levels."""
    titles = (
        ("place in the context (tokens)", "features on a token\nover the SAE's mean"),
        ("share of features, most dependent first", "Cramér's V of place and firing"),
        ("Cramér's V, all places", "Cramér's V without\nthe first places"),
        ("place in the context (tokens)", "density (share of tokens)"),
    )
    for panel, (x, y) in zip(axes, titles, strict=True):
        panel.set(xlabel=x, ylabel=y)
    chance_line(axes[0], 1.0, "mean over places")
    for panel, scales in ((axes[1], ("log", "log")), (axes[2], ("log", "log")), (axes[3], ("log", "log"))):
        if panel.has_data() and np.isfinite(panel.dataLim.minpos).all():
            panel.set(xscale=scales[0], yscale=scales[1])
    chance, best = saes["v_chance"].drop_nulls(), saes["v_best_chance"].drop_nulls()
    if len(chance):
        chance_line(axes[1], float(np.mean(chance.to_numpy())), "chance")
        chance_line(axes[1], float(np.mean(best.to_numpy())), "the luckiest, by chance", linestyle=":")
        axes[1].legend(fontsize=6, loc="upper right")
        if np.isfinite(axes[2].dataLim.minpos).all():
            low, high = axes[2].get_xlim()
            axes[2].plot([low, high], [low, high], **CHANCE)
            chance_line(axes[2], float(np.mean(best.to_numpy())), "the luckiest, by chance", linestyle=":")
        axes[3].legend(fontsize=5, ncols=2, loc="upper right", frameon=False)
