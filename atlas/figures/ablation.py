"""The figure of study ablation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atlas.figures.style import CHANCE, caption, colour, dashes, legend_below, panels
from atlas.studies.findings import Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FROM, _TO = -4, 8
"""Tokens before and after the peak that are drawn."""


def draw(found: Findings) -> Figure:
    """Change by distance from the peak, and by activation; one colour a feature, a random direction in grey."""
    figure, axes = panels(1, 2, height=2.8)
    tokens = found.table("tokens").rows.drop_nulls("effect")
    for i, name in enumerate(found.table("features").rows["feature"].to_list()):
        of = tokens.filter(tokens["feature"] == name)
        near = of.filter(of["from_peak"].is_between(_FROM, _TO)).select("from_peak", "effect", "chance")
        near = near.group_by("from_peak").mean().sort("from_peak")
        style: dict[str, Any] = {"color": colour(i), "linestyle": dashes(i), "marker": "o", "markersize": 2.5}
        axes[0].plot(near["from_peak"], near["effect"], linewidth=1.0, label=name, **style)
        grey: dict[str, Any] = {**CHANCE, "linewidth": 0.7, "label": "a random direction" if i == 0 else None}
        axes[0].plot(near["from_peak"], near["chance"], **grey)
        after = of.filter(of["activation_before"] > 0)
        axes[1].scatter(after["activation_before"], after["chance"], s=6, color="#BBBBBB", marker="x", linewidths=0.6)
        axes[1].scatter(after["activation_before"], after["effect"], s=6, color=colour(i), linewidths=0)
    for panel in axes:
        panel.axhline(0, color="black", linewidth=0.5)
    axes[0].set(xlabel="tokens after the peak", ylabel="mean change of log p (nats)")
    axes[1].set(xlabel="activation on the token before", ylabel="change of log p (nats)")
    legend_below(figure, axes[0], columns=5)
    caption(figure, "Ablation: log probability of tokens without the feature, less that with it", found.sample)
    return figure
