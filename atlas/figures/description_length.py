"""The figure of study description-length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from atlas.figures.style import CHANCE, caption, colour, dashes, legend_below, named, panels
from atlas.studies.findings import Findings

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKS = "osD^vPX"


def draw(found: Findings) -> Figure:
    """Rate against distortion, bits of each SAE, the bounce, MMCS."""
    figure, axes = panels(2, 2, height=2.5)
    saes, curve = found.table("saes").rows, found.table("curve").rows
    _rates(axes[0], saes, curve)
    _bars(axes[1], saes)
    _bounce(axes[2], saes)
    _mmcs(axes[3], saes)
    legend_below(figure, axes[0], columns=5)
    caption(figure, "Description length: bits per token, total information and MMCS", found.sample)
    return figure


def _rates(axes: Axes, saes: pl.DataFrame, curve: pl.DataFrame) -> None:
    """Bits against unexplained variance, one line an SAE, the chosen width marked; the Gaussian of the same hook."""
    names = named(saes["sae"].to_list(), saes["alias"].to_list())
    for i, (sae, name) in enumerate(zip(saes["sae"], names, strict=True)):
        of, at = curve.filter(curve["sae"] == sae).drop_nulls("fvu").sort("fvu"), saes.filter(saes["sae"] == sae)
        axes.plot(of["fvu"], of["bits"], color=colour(i), linestyle=dashes(i), linewidth=1.0, label=name)
        axes.plot(at["fvu"], at["bits"], color=colour(i), marker=_MARKS[i // 7 % 7], markersize=4, linestyle="")
    for k, (_, rows) in enumerate(saes.group_by(["model", "hook_name"], maintain_order=True)):
        of = curve.filter(curve["sae"].is_in(rows["sae"].to_list())).drop_nulls("gaussian_bits").sort("fvu")
        label = "Gaussian, same covariance" if k == 0 else None
        axes.plot(of["fvu"], of["gaussian_bits"], **{**CHANCE, "linewidth": 0.8}, label=label)
    axes.set(xlabel="variance unexplained (FVU)", ylabel="bits a token")
    axes.set_ylim(bottom=0)


def _bars(axes: Axes, saes: pl.DataFrame) -> None:
    """Bits at the chosen width, by what they say, and what evenly dense features would take."""
    at = np.arange(len(saes))
    support, magnitude = (saes[name].to_numpy() for name in ("support_bits", "magnitude_bits"))
    axes.bar(at, support, color=colour(0), label="which features fire")
    axes.bar(at, magnitude, bottom=support, color=colour(4), hatch="///", edgecolor="white", label="how strongly")
    even: dict[str, Any] = {"color": CHANCE["color"], "marker": "_", "markersize": 8, "linestyle": ""}
    axes.plot(at, saes["uniform_support_bits"], **even, label="which, if equally dense")
    axes.set(xlabel="SAE", ylabel="bits a token")
    axes.set_xticks(at, saes["alias"].to_list())
    axes.set_ylim(top=1.5 * max(float((support + magnitude).max()), 1))
    axes.legend(fontsize=6, loc="upper left", ncols=2)


def _bounce(axes: Axes, saes: pl.DataFrame) -> None:
    """Unexplained variance against total information, sizes of one sweep joined in their order."""
    groups = saes.group_by(["model", "hook_name", "architecture"], maintain_order=True)
    for i, (_, rows) in enumerate(groups):
        of = rows.drop_nulls("sae_fvu").sort("d_sae")
        style: dict[str, Any] = {"color": colour(i), "marker": _MARKS[i % 7], "markersize": 4, "linewidth": 0.8}
        axes.plot(
            of["total_bits_per_token"], of["sae_fvu"], **style, linestyle="-" if of["d_sae"].n_unique() > 2 else ""
        )
        for row in of.iter_rows(named=True):
            text = f"{row['alias']} {row['d_sae']}"
            at = (row["total_bits_per_token"], row["sae_fvu"])
            axes.annotate(text, at, xytext=(3, 3), textcoords="offset points", fontsize=5)
    axes.set(xlabel="total information, codes and dictionary (bits a token)", ylabel="FVU of the SAE")


def _mmcs(axes: Axes, saes: pl.DataFrame) -> None:
    """MMCS with the reference both ways by number of features, each with its chance."""
    of = saes.drop_nulls("mmcs_to_reference").sort("d_sae", maintain_order=True)
    at = np.arange(len(of))
    for i, (way, label, mark) in enumerate((("to", "SAE in reference", "o"), ("of", "reference in SAE", "s"))):
        style: dict[str, Any] = {"marker": mark, "markersize": 4, "linestyle": ""}
        axes.plot(at, of[f"mmcs_{way}_reference"], color=colour(i), **style, label=label)
        chance = {**style, "color": CHANCE["color"], "fillstyle": "none"}
        axes.plot(at, of[f"mmcs_{way}_chance"], **chance, label=f"chance, {label}")
    axes.set(xlabel="SAE and its number of features", ylabel="MMCS of decoders")
    axes.set_ylim(0, 1.05)
    axes.set_xticks(at, [f"{alias}\n{n}" for alias, n in zip(of["alias"], of["d_sae"], strict=True)], fontsize=6)
    axes.legend(fontsize=6, loc="lower center", ncols=2)
