"""What study geometry says in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
NAMES = {
    "decoder": "cosine",
    "preactivation": "pre-activation correlation",
    "activation": "activation correlation",
    "phi": "phi",
    "next_token": "next-token similarity",
    "logit": "logit-weight correlation",
    "attribution": "attribution correlation",
    "encoder": "encoder cosine",
}
"""What each quantity is called."""


def axes_of(corners: Sequence[Row]) -> tuple[str, str] | None:
    """The pair of axes that is spoken of: those of the source where the atlas has them."""
    return (corners[0]["together"], corners[0]["output"]) if corners else None


def sae_line(sae: Row, relations: Sequence[Row], corners: Sequence[Row]) -> str:
    """One SAE: what cosine goes with, and the 2 x 2 table."""
    name, axes = f"{sae['alias']} {sae['sae']}", axes_of(corners)
    if axes is None:
        return f"{name}: too few features fire often enough to make a pair."
    of_cosine = [
        f"{NAMES[row['y']]} {interval(row['r'], row)}"
        for row in relations
        if row["x"] == "decoder" and row["y"] in (*axes, "activation")
    ]
    table = [
        f"{row['side_x']}/{row['side_y']} {interval(row['mean'], row)} (n {row['n']:,})"
        for row in corners
        if (row["together"], row["output"]) == axes
    ]
    missing = f" Not in this atlas: {sae['missing']}." if sae["missing"] else ""
    return (
        f"{name}, {sae['n_pairs']:,} pairs of {sae['n_features']:,} features: cosine goes with {', '.join(of_cosine)}. "
        f"Mean cosine by {NAMES[axes[0]]}/{NAMES[axes[1]]}: {', '.join(table)}; all pairs {sae['cosine_mean']:+.3f}, "
        f"random vectors 0 ± {sae['cosine_std_random']:.3f}.{missing}"
    )


def across_line(found: Mapping[str, Any]) -> str:
    """Two SAEs: what goes with activation over matched pairs."""
    rows = found["relations"]
    a, b = rows[0]["alias_a"], rows[0]["alias_b"]
    parts = [f"{NAMES[row['measure']]} r {interval(row['r'], row)} (median {row['median']:.3f})" for row in rows]
    bound = 1.96 / rows[0]["n"] ** 0.5
    return (
        f"{a} and {b}, {rows[0]['n']:,} matched pairs, against activation correlation: {', '.join(parts)}; "
        f"by chance |r| stays under {bound:.2f} in 95 %."
    )


def interval(value: float | None, row: Row) -> str:
    if value is None:
        return "?"
    return f"{value:+.3f}" + ("" if row["low"] is None else f" [{row['low']:+.3f}, {row['high']:+.3f}]")
