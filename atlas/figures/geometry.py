"""The figure of study geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from atlas.figures.style import CHANCE, caption, chance_line, colour, legend_below, panels
from atlas.studies.findings import Findings
from atlas.studies.geometry.lines import NAMES
from atlas.studies.geometry.output_similarity import LEAST
from atlas.studies.geometry.study import OUTPUT, TOGETHER

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 3
"""SAEs that are drawn; the tables hold all."""

SCALE = 0.5
"""Mean cosines beyond this have the strongest colour."""


def draw(found: Findings) -> Figure:
    """A row for each of the first SAEs, and one for the first two SAEs beside each other."""
    saes, matched = found.table("saes").rows, found.table("matched").rows
    shown = saes.head(MOST).rows(named=True)
    n_rows = max(1, len(shown)) + bool(len(matched))
    figure, axes = panels(n_rows, 3, height=2.4)
    for i, sae in enumerate(shown):
        row = axes[3 * i : 3 * i + 3]
        pairs = found.table("pairs").rows.filter(found.table("pairs").rows["sae"] == sae["sae"])
        for panel, together in zip(row[:2], ("preactivation", "phi"), strict=True):
            coloured = _plane(panel, pairs, together, sae)
            if coloured is not None and panel is row[1]:
                bar = figure.colorbar(coloured, ax=panel)
                bar.set_label("mean cosine", fontsize=6)
                bar.ax.tick_params(labelsize=6)
        _corners(row[2], found.table("corners").rows, sae)
        row[0].set_title(f"{sae['alias']}: n {sae['n_pairs']:,} pairs", fontsize=7, loc="left")
    if shown:
        if axes[0].get_legend_handles_labels()[1]:
            axes[0].legend(fontsize=5, loc="upper left")
        legend_below(figure, axes[2])
    if len(matched):
        _across(axes[-3:], matched, found.table("across").rows)
    note = "" if len(saes) <= MOST else f"; the first {MOST} are drawn"
    caption(
        figure, "Cosine over co-occurrence and output similarity, pairs of features of one SAE", found.sample + note
    )
    return figure


def _plane(panel: Axes, pairs: pl.DataFrame, together: str, sae: dict[str, Any]) -> Any:
    """Mean cosine in hexagons of three pairs or more."""
    panel.set(xlabel=NAMES[together], ylabel="next tokens, 1 - JSD (nats)")
    if together not in pairs.columns or not pairs[together].count():
        return None
    x, y = pairs[together].to_numpy(), pairs["next_token"].to_numpy()
    style: dict[str, Any] = {"gridsize": 35, "mincnt": 3, "cmap": "PuOr_r", "vmin": -SCALE, "vmax": SCALE}
    drawn = panel.hexbin(x, y, C=pairs["decoder"].to_numpy(), reduce_C_function=np.mean, linewidths=0.1, **style)
    if np.ptp(x):
        panel.set_xlim(float(np.quantile(x, 0.001)), float(np.quantile(x, 0.999)))
    panel.set_ylim(LEAST, 1)
    chance_line(panel, sae["next_token_by_chance"] or LEAST, "next tokens shifted", linestyle=":")
    chance_line(panel, 0, "uncorrelated", vertical=True)
    return drawn


def _corners(panel: Axes, rows: pl.DataFrame, sae: dict[str, Any]) -> None:
    """Mean cosine in the four corners, by every axis, with intervals and the mean of all pairs."""
    panel.set(xlabel="co-occurrence\noutput similarity", ylabel="mean cosine")
    of = [row for row in rows.iter_rows(named=True) if row["sae"] == sae["sae"]] if len(rows) else []
    planes = list(dict.fromkeys((row["together"], row["output"]) for row in of))
    for k, plane in enumerate(planes):
        here = [row for row in of if (row["together"], row["output"]) == plane and row["mean"] is not None]
        at = [("low", "high").index(r["side_x"]) * 2 + ("low", "high").index(r["side_y"]) for r in here]
        x = np.array(at) + 0.1 * (k - (len(planes) - 1) / 2)
        mean = np.array([row["mean"] for row in here])
        spread = [[m - (r["low"] or m), (r["high"] or m) - m] for m, r in zip(mean, here, strict=True)]
        marker = "os^"[TOGETHER.index(plane[0])]
        filled = colour(TOGETHER.index(plane[0])) if plane[1] == OUTPUT[0] else "white"
        error = np.clip(np.array(spread).T, 0, None) if spread else None
        style: dict[str, Any] = {"fmt": marker, "color": colour(TOGETHER.index(plane[0])), "markerfacecolor": filled}
        label = f"{plane[0]} / {'next token' if plane[1] == OUTPUT[0] else 'logit'}"
        panel.errorbar(x, mean, yerr=error, markersize=3, linewidth=0.8, label=label, **style)
    panel.set_xticks(range(4), ["low\nlow", "low\nhigh", "high\nlow", "high\nhigh"], fontsize=6)
    if sae["cosine_mean"] is not None:
        chance_line(panel, sae["cosine_mean"], "all pairs")


def _across(axes: list[Axes], matched: pl.DataFrame, relations: pl.DataFrame) -> None:
    """Logit weights and attributions of the first two SAEs over activation; r of all comparisons."""
    first = matched.row(0, named=True)
    of = matched.filter((matched["sae_a"] == first["sae_a"]) & (matched["sae_b"] == first["sae_b"]))
    for i, (panel, name) in enumerate(zip(axes[:2], ("logit", "attribution"), strict=True)):
        panel.scatter(of["activation"], of[name], s=4, color=colour(i), alpha=0.5, linewidths=0)
        panel.set(xlabel="activation correlation", ylabel=NAMES[name])
        panel.axhline(0, **CHANCE)
        r = relations.filter(
            (relations["sae_a"] == first["sae_a"])
            & (relations["sae_b"] == first["sae_b"])
            & (relations["measure"] == name)
        )
        found = f", r {r['r'][0]:.2f}" if len(r) and r["r"][0] is not None else ""
        panel.set_title(f"{first['alias_a']}, {first['alias_b']}: {len(of):,} matched{found}", fontsize=7, loc="left")
    others = list(dict.fromkeys(relations["alias_b"]))
    for i, name in enumerate(("logit", "attribution")):
        rows = [r for r in relations.iter_rows(named=True) if r["measure"] == name and r["low"] is not None]
        x = [others.index(row["alias_b"]) + 0.2 * i - 0.1 for row in rows]
        y = np.array([row["r"] for row in rows])
        error = [[row["r"] - row["low"] for row in rows], [row["high"] - row["r"] for row in rows]]
        axes[2].errorbar(x, y, yerr=np.clip(error, 0, None), fmt="os"[i], color=colour(i), markersize=3, label=name)
    axes[2].set_xticks(range(len(others)), others, fontsize=6)
    axes[2].set_xlim(-0.6, len(others) - 0.4)
    axes[2].set(xlabel=f"SAE compared with {first['alias_a']}", ylabel="r with activation\nover matched pairs")
    chance_line(axes[2], 0, "unrelated")
    axes[2].legend(fontsize=5, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), columnspacing=0.7)
