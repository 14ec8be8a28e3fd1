"""The figure of study families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from atlas.figures.style import CHANCE, caption, colour, dashes, legend_below, named, panels
from atlas.studies.families import MOST_CHILDREN
from atlas.studies.findings import Findings

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_DRAWN = 30
"""Members of the tree that is drawn: the largest family up to this size."""


def draw(found: Findings) -> Figure:
    """Families and chance, how they hold together, splitting, one tree."""
    figure, axes = panels(2, 2, height=2.8)
    saes, heads, trees = (found.table(name).rows for name in ("saes", "heads", "trees"))
    _counts(axes[0], saes)
    _sizes(axes[1], saes, heads)
    _children(axes[2], found.table("children").rows, saes)
    _tree(axes[3], trees, saes)
    legend_below(figure, axes[1], columns=3)
    caption(figure, "Families: trees of features that fire together, and features that split", found.sample)
    return figure


def _counts(axes: Axes, saes: pl.DataFrame) -> None:
    """Share of the features that are in a family, with the rolled codes beside."""
    at = np.arange(len(saes))
    axes.bar(at, saes["n_members"] / saes["d_sae"], color=colour(0), label="found")
    chance: dict[str, Any] = {"color": "black", "marker": "D", "markersize": 3, "linestyle": ""}
    axes.plot(at, saes["n_members_by_chance"] / saes["d_sae"], **chance, label="chance: tokens rolled")
    for x, n, share in zip(at, saes["n_families"], saes["n_members"] / saes["d_sae"], strict=True):
        axes.annotate(str(n), (x, share), xytext=(0, 1), textcoords="offset points", ha="center", fontsize=6)
    axes.set_xticks(at, saes["alias"].to_list())
    axes.set(xlabel="SAE (above its bar: number of families)", ylabel="share of features in a family", ylim=(0, 1.2))
    axes.legend(fontsize=6, loc="upper right", ncols=2)


def _sizes(axes: Axes, saes: pl.DataFrame, heads: pl.DataFrame) -> None:
    """Share of the families that have at least n members."""
    names = named(saes["sae"].to_list(), saes["alias"].to_list())
    for i, (sae, name) in enumerate(zip(saes["sae"], names, strict=True)):
        sizes = np.sort(heads.filter(heads["sae"] == sae)["n_members"].to_numpy())
        share = 1 - np.arange(len(sizes)) / max(len(sizes), 1)
        axes.step(sizes, share, where="pre", color=colour(i), linestyle=dashes(i), linewidth=1.0, label=name)
    if len(heads):
        axes.set(xscale="log", yscale="log")
        largest = heads["n_members"].to_numpy().max()
        axes.set_xticks([n for n in (5, 10, 20, 50, 100, 200, 500, 1000) if n <= max(largest, 10)], minor=False)
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.xaxis.set_minor_formatter("")
    axes.set(xlabel="members of a family", ylabel="share of families as large")


def _children(axes: Axes, counts: pl.DataFrame, saes: pl.DataFrame) -> None:
    """Features by number of children in a wider SAE, beside children dealt at random."""
    alias = dict(zip(saes["sae"], saes["alias"], strict=True))
    groups = list(counts.group_by(["sae", "other"], maintain_order=True))
    for i, ((sae, other), of) in enumerate(groups):
        width = 0.8 / len(groups)
        at = of["n_children"].to_numpy() + (i - (len(groups) - 1) / 2) * width
        axes.bar(at, of["found"] / of["n"], width, color=colour(i), label=f"{alias[sae]} in {alias[other]}")
        label = "chance: children dealt at random" if i == 0 else None
        style: dict[str, Any] = {"color": "black", "marker": "D", "markersize": 3, "linestyle": "", "label": label}
        axes.plot(at, of["by_chance"] / of["n"], **style)
    axes.set(xlabel="children in the wider SAE (masked cosine)", ylabel="share of features that fire")
    axes.set_xticks(range(MOST_CHILDREN + 1), [*map(str, range(MOST_CHILDREN)), f"{MOST_CHILDREN}+"])
    if groups:
        axes.set_ylim(top=1.3 * axes.get_ylim()[1])
        axes.legend(fontsize=6, loc="upper left", ncols=2)
    else:
        axes.text(0.5, 0.5, "no two widths of one hook compared", ha="center", transform=axes.transAxes, fontsize=6)


def _tree(axes: Axes, trees: pl.DataFrame, saes: pl.DataFrame) -> None:
    """The largest family that is small enough to read, of the first SAE that has one."""
    fitting = trees.filter((trees["n_members"] <= _MOST_DRAWN) & trees["parent"].is_null())
    axes.set_axis_off()
    if not len(fitting):
        axes.text(0.5, 0.5, f"no family of {_MOST_DRAWN} members or fewer", ha="center", fontsize=6)
        return
    first = fitting.filter(fitting["sae"] == fitting["sae"][0]).sort("n_members", descending=True).row(0, named=True)
    rows = trees.filter((trees["sae"] == first["sae"]) & (trees["family"] == first["family"]))
    alias = dict(zip(saes["sae"], saes["alias"], strict=True))[first["sae"]]
    for y, row in enumerate(_in_order(rows.to_dicts())):
        x, parent_y = row["depth"], row["parent_y"]
        if parent_y is not None:
            width = 0.4 + 1.6 * row["weight"]
            axes.plot([x - 1, x - 1, x - 0.15], [-parent_y - 0.4, -y, -y], color=CHANCE["color"], linewidth=width)
        tokens = " ".join(dict.fromkeys(token.strip().replace("$", r"\$") or "␣" for token in row["top_tokens"] or ()))
        axes.text(x - 0.1, -y, f"{alias}:{row['feature']} {tokens[:28]}", fontsize=4.5, va="center")
    axes.set(xlim=(-0.2, max(rows["depth"].to_list()) + 2.2), ylim=(-len(rows), 1))
    axes.set_title(f"family {first['family']} of {alias}: the line is as thick as they co-occur", fontsize=6)


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Members of a tree, each right above what is below it, with the place of its parent."""
    below: dict[int | None, list[dict[str, Any]]] = {}
    for row in rows:
        below.setdefault(row["parent"], []).append(row)
    ordered, left = list[dict[str, Any]](), [{**below[None][0], "parent_y": None}]
    while left:
        row = left.pop()
        ordered.append(row)
        left += [{**child, "parent_y": len(ordered) - 1} for child in below.get(row["feature"], [])[::-1]]
    return ordered
