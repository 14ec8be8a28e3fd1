"""The figure of study seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from atlas.figures.style import CHANCE, caption, chance_line, colour, dashes, legend_below, panels
from atlas.studies.findings import Findings
from atlas.studies.seeds.pairs import RULES

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "os^Dv<>P"


def draw(found: Findings) -> Figure:
    """Nine panels, one colour for all comparisons of SAEs that differ in the same."""
    figure, axes = panels(3, 3, height=2.1)
    pairs = found.table("pairs").rows
    kinds = list(dict.fromkeys(pairs["differ"]))
    _ranks(axes[0], found.table("ranks").rows, kinds, "decoder")
    _ranks(axes[1], found.table("ranks").rows, kinds, "encoder")
    _sweep(axes[2], found.table("sweep").rows, kinds, RULES[0])
    _sweep(axes[3], found.table("sweep").rows, kinds, RULES[3])
    for panel in axes[2:4]:
        panel.axvline(float(pairs["threshold"][0]), color="#bbbbbb", linewidth=0.6)
    for level in pairs["activation_chance"].drop_nulls().sort().head(1):
        chance_line(axes[3], level, "_", vertical=True)
    _beside(axes[4], found.table("kinds").rows)
    _agreement(axes[5], pairs, kinds)
    _widths(axes[6], pairs, kinds)
    _orphans(axes[7], found.table("orphans").rows)
    _densities(axes[8], found.table("densities").rows)
    legend_below(figure, axes[5])
    caption(figure, "Counterparts between SAEs of one model and hook, by what they differ in", found.sample)
    return figure


def _style(i: int) -> dict[str, Any]:
    return {"color": colour(i), "linestyle": dashes(i), "linewidth": 1.0, "marker": MARKERS[i % len(MARKERS)]}


def _means(rows: pl.DataFrame, by: str, of: str) -> pl.DataFrame:
    import polars as pl

    return rows.group_by(by).agg(pl.col(of).mean()).sort(by)


def _ranks(panel: Axes, rows: pl.DataFrame, kinds: list[str], measure: str) -> None:
    """Mean cosine from the best partner to the fourth."""
    of = rows.filter(rows["measure"] == measure)
    for i, kind in enumerate(kinds):
        mean = _means(of.filter(of["differ"] == kind), "rank", "mean")
        panel.plot(mean["rank"], mean["mean"], markersize=3, **_style(i))
    chance = _means(of, "rank", "random_mean")
    panel.plot(chance["rank"], chance["random_mean"], **CHANCE)
    for first in chance["random_mean"].drop_nulls().head(1):
        panel.annotate("random vectors", (1, first - 0.14), fontsize=6, color="#666666")
    panel.set(xlabel="rank of the partner", ylabel=f"mean {measure} cosine", xticks=range(1, 5), ylim=(0, 1))


def _sweep(panel: Axes, rows: pl.DataFrame, kinds: list[str], rule: tuple[str, str]) -> None:
    """Share shared against the threshold."""
    of = rows.filter((rows["rule"] == rule[0]) & (rows["measure"] == rule[1]))
    for i, kind in enumerate(kinds):
        mean = _means(of.filter(of["differ"] == kind), "threshold", "share")
        panel.plot(mean["threshold"], mean["share"], markevery=20, markersize=3, **_style(i))
    chance = _means(of.drop_nulls("random"), "threshold", "random")
    panel.plot(chance["threshold"], chance["random"], **CHANCE)
    names = {"paulo-belrose": "Paulo-Belrose", "top-1": f"best {rule[1]} r"}
    panel.set(xlabel="threshold", ylabel=f"share, {names.get(rule[0], rule[0])}", xlim=(0, 1), ylim=(0, 1.02))


def _beside(panel: Axes, kinds: pl.DataFrame) -> None:
    """Each rule and the agreement of activations, side by side."""
    shown = (
        ("decoder_best", "best decoder cosine"),
        ("activation_median", "best activation r"),
        ("shared_assignment", "shared: assignment"),
        ("shared_paulo_belrose", "shared: Paulo-Belrose"),
    )
    for k, (column, label) in enumerate(shown):
        panel.plot(range(len(kinds)), kinds[column], MARKERS[k], markersize=3, color=colour(k), label=label)
    chance = np.arange(len(kinds))
    style: dict[str, Any] = {"marker": "_", "linestyle": "", "markersize": 8}
    panel.plot(chance, kinds["chance_best"], color=colour(0), label="chance", **style)
    panel.plot(chance, kinds["activation_chance"], color=colour(1), **style)
    panel.set_xticks(range(len(kinds)), [k.replace(" and ", ",\n") for k in kinds["differ"]], fontsize=5, rotation=60)
    panel.set(ylabel="share, or value", ylim=(0, 1.5), yticks=[0, 0.5, 1])
    panel.legend(fontsize=4.5, loc="upper center", ncols=2, columnspacing=0.5)


def _agreement(panel: Axes, pairs: pl.DataFrame, kinds: list[str]) -> None:
    """Activation agreement beside weight agreement, a point a comparison."""
    for i, kind in enumerate(kinds):
        of = pairs.filter(pairs["differ"] == kind)
        style: dict[str, Any] = {"color": colour(i), "marker": MARKERS[i % len(MARKERS)]}
        panel.scatter(of["decoder_best"], of["activation_median"], s=12, label=kind, **style)
    for name, vertical in (("chance_best", True), ("activation_chance", False)):
        if pairs[name].count():
            chance_line(panel, float(pairs[name].drop_nulls().to_numpy().mean()), "_", vertical=vertical)
    panel.plot([], [], label="chance", **CHANCE)
    panel.set(xlabel="mean best decoder cosine", ylabel="median best\nactivation correlation", xlim=(0, 1), ylim=(0, 1))


def _widths(panel: Axes, pairs: pl.DataFrame, kinds: list[str]) -> None:
    """Share against the size of the dictionary it is sought in."""
    for i, kind in enumerate(kinds):
        of = pairs.filter(pairs["differ"] == kind)
        style: dict[str, Any] = {"color": colour(i), "marker": MARKERS[i % len(MARKERS)]}
        panel.scatter(of["d_other"] / of["d_sae"], of["shared_top_1"], s=12, **style)
    chance_line(panel, float(pairs["chance_shared"].to_numpy().mean()), "_")
    panel.set(xlabel="features of the other SAE / own", ylabel="share, best decoder cosine", ylim=(-0.02, 1.02))
    panel.set_xscale("log", base=2)
    ratios = sorted(set((pairs["d_other"] / pairs["d_sae"]).to_list()))
    panel.set_xticks(ratios, [f"{ratio:.3g}" for ratio in ratios], fontsize=6)


def _orphans(panel: Axes, rows: pl.DataFrame) -> None:
    """Share without a counterpart against the number of other SAEs, a line an SAE."""
    for i, (key, of) in enumerate(rows.group_by("alias", maintain_order=True)):
        panel.plot(of["k"], of["share_orphan"], markersize=2, label=str(key[0]), **_style(i))
    chance_line(panel, 1, "chance: all")
    panel.set(xlabel="other SAEs asked", ylabel="share of orphans", ylim=(0, 1.6), yticks=[0, 0.5, 1])
    panel.set_xticks(range(1, 1 + int(rows["k"].to_numpy().max())))
    panel.legend(fontsize=5, ncols=4, loc="upper center", columnspacing=0.7)


def _densities(panel: Axes, rows: pl.DataFrame) -> None:
    """Share shared against density, where a bin has ten features or more; a line an SAE."""
    few = rows.filter(rows["n"] >= 10)
    for i, alias in enumerate(dict.fromkeys(rows["alias"])):
        of = few.filter(few["alias"] == alias)
        panel.plot(np.sqrt((of["lo"] * of["hi"]).to_numpy()), of["share"], markersize=3, **_style(i))
    chance_line(panel, 0, "_")
    panel.set(xlabel="density (share of tokens)", ylabel="share, Paulo-Belrose", ylim=(-0.02, 1.02))
    if len(few):
        from matplotlib.ticker import NullFormatter

        panel.set_xscale("log")
        panel.xaxis.set_minor_formatter(NullFormatter())
