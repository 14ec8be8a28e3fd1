"""The figure of study pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atlas.figures.style import CHANCE, COLOURS, caption, chance_line, colour, legend_below, named, panels
from atlas.studies.findings import Findings

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (("max", "r", "-", "max"), ("max", "r_given_length", "--", "max given length"), ("mean", "r", ":", "mean"))
"""Pooling, column, line style and name of the three correlations that are compared."""


def draw(found: Findings) -> Figure:
    """Four panels: all features, the best of them, one feature with its band, and the length itself."""
    figure, axes = panels(2, 2)
    rows, features = found.table("truncations").rows, found.table("features").rows
    saes = rows.select("sae", "alias").unique(maintain_order=True)
    ticks = ["all" if t is None else str(t) for t in rows["truncation"].unique(maintain_order=True)]
    for i, (sae, name) in enumerate(
        zip(saes["sae"], named(saes["sae"].to_list(), saes["alias"].to_list()), strict=True)
    ):
        of = rows.filter(rows["sae"] == sae)
        for how, column, line, _ in KINDS:
            style: dict[str, Any] = {"color": colour(i), "linestyle": line, "linewidth": 1.0, **_marker(i)}
            label = name if (how, column) == ("max", "r") else None
            here = of.filter(of["pooling"] == how)
            _line(axes[0], here, f"rms_{column}", label=label, **style)
            _line(axes[1], here, f"best_{column}", **style)
            if column == "r":
                _line(axes[3], here, "rms_r_length", label=label, **style)
    for panel in (axes[0], axes[3]):
        for _, column, line, kind in KINDS:
            if panel is axes[0] or column == "r":
                panel.plot([], [], color="black", linestyle=line, linewidth=1.0, label=kind)
    _chance(axes, rows.filter((rows["pooling"] == "max") & (rows["sae"] == rows["sae"].first())))
    _bands(axes[2], features)
    titles = ("rms r with the label,\nall features", "maximum |r| of all features", "r with the label",
              "rms r with the length,\nall features")  # fmt: skip
    for panel, title in zip(axes, titles, strict=True):
        panel.set(xlabel="leading tokens of a document that are pooled", ylabel=title)
        panel.set_xticks(range(len(ticks)), ticks)
        panel.set_xlim(-0.3, len(ticks) - 0.7)
    for panel in (axes[0], axes[1], axes[3]):
        panel.set_ylim(bottom=0)
    legend_below(figure, axes[0] if len(features) else axes[3])
    caption(figure, "Pooled activations against a label of the document, by truncation", found.sample)
    return figure


def _marker(i: int) -> dict[str, Any]:
    return {"marker": "osv^D"[i // len(COLOURS) % 5], "markersize": 3}


def _line(axes: Axes, rows: pl.DataFrame, column: str, **style: Any) -> None:
    known = [(i, value) for i, value in enumerate(rows[column]) if value is not None]
    if known:
        axes.plot(*zip(*known, strict=True), **style)


def _chance(axes: list[Axes], rows: pl.DataFrame) -> None:
    """Labels dealt out at random, as far as the first SAE goes; lengths dealt out in the last panel."""
    _line(axes[0], rows, "rms_r_chance", **CHANCE, label="chance: labels dealt at random")
    _line(axes[1], rows, "best_r_chance", **CHANCE)
    chance_line(axes[3], 1 / max(1, rows["n_documents"][0] - 1) ** 0.5, "chance: lengths dealt at random")


def _bands(axes: Axes, features: pl.DataFrame) -> None:
    """The first feature of the first SAE, with its band."""
    if not len(features):
        return
    first = features.row(0, named=True)
    of = features.filter((features["sae"] == first["sae"]) & (features["feature_id"] == first["feature_id"]))
    for j, (how, column, line, kind) in enumerate(KINDS):
        here = of.filter(of["pooling"] == how).to_dicts()
        known = [(i, row) for i, row in enumerate(here) if row[column] is not None and row[f"{column}_low"] is not None]
        at = [i for i, _ in known]
        axes.plot(
            at,
            [row[column] for _, row in known],
            color=colour(j + 3),
            linestyle=line,
            marker=".",
            linewidth=1.0,
            label=kind,
        )
        low, high = ([row[f"{column}_{side}"] for _, row in known] for side in ("low", "high"))
        axes.fill_between(at, low, high, color=colour(j + 3), alpha=0.15, linewidth=0)
    axes.axhline(0, **CHANCE)
    axes.legend(
        title=f"{first['alias']}/{first['feature_id']}, 95 % over documents",
        fontsize=6,
        title_fontsize=6,
        frameon=False,
    )
