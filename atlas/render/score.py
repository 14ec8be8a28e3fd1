"""A stored score on the screen: what it says, what judges it, what it rests on, how to repeat it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from atlas.queries.scorelist import ScoreRecord
from atlas.render.histogram import BLOCKS
from atlas.render.numbers import correlation, count, probability
from atlas.render.spans import Line, Span, labelled
from atlas.render.text import clean
from atlas.render.values import value_text

_SAID = """
score_id metric sae_a sae_b n value null_mean null_std null_n z p_value p_adjusted low high subset steps details
options null_kind space
"""
"""Columns that have a line of their own; the others follow in one list."""


def score_lines(record: ScoreRecord, cells: int) -> list[Line]:
    """All about one score, wrapped to some width."""
    values = record.values
    interval = f"{_short(values['low'])} to {_short(values['high'])}"
    lines: list[Line] = [
        [
            Span(f" {clean(values['metric'])} ", tone="strong"),
            Span(f"{clean(values['sae_a'])} × {clean(values['sae_b'])}   {clean(values['space'])} rows"),
        ],
        labelled(
            (" score", _short(values["value"])),
            ("null", f"{_short(values['null_mean'])} ± {_short(values['null_std'])}"),
            ("z", "–" if values["z"] is None else f"{values['z']:.3g}"),
            ("p", probability(values["p_value"])),
            ("adj. p", probability(values["p_adjusted"])),
            ("n", count(values["n"])),
        ),
        *([] if values["low"] is None else [labelled((" 95 % of resamples", interval))]),
        *_wrapped(f"null: {values['null_kind']}, {count(values['null_n'])} draws", cells),
        *_wrapped(f"pairs: {values['subset']}", cells),
        *_wrapped(_steps(values["steps"]), cells),
        *_details(_loaded(values.get("details")), cells),
        *_wrapped(_listed("options", _loaded(values["options"])), cells),
        *_wrapped(_listed("", {k: v for k, v in values.items() if k not in _SAID.split() and v is not None}), cells),
    ]
    again = record.again or record.made_by
    lines.append([])
    lines += [[Span(" repeat with", tone="strong"), Span("   y copies it", tone="dim")], *_wrapped(again, cells)]
    if record.made_by and record.made_by != again:
        lines += [[Span(" computed by", tone="dim")], *_wrapped(record.made_by, cells)]
    return lines


def _details(details: Mapping[str, Any], cells: int) -> list[Line]:
    """The metric's own numbers; correlations as bars from 0 to 1."""
    lines = _wrapped(_listed("details", {k: v for k, v in details.items() if not isinstance(v, list)}), cells)
    for name, numbers in details.items():
        if isinstance(numbers, list) and numbers and all(isinstance(n, int | float) for n in numbers):
            bars = "".join(BLOCKS[round(8 * max(0.0, min(1.0, n)))] for n in numbers[: max(1, cells - 30)])
            ends = f"  {_short(numbers[0])} … {_short(numbers[-1])}"
            lines.append([Span(f" {clean(name)} ", tone="dim"), Span(bars, tone="bar"), Span(ends)])
    return lines


def _steps(steps: object) -> str:
    found = _loaded(steps)
    return "steps: " + " · ".join(f"{name} {count(n)}" for name, n in found.items()) if found else ""


def _listed(title: str, values: Mapping[str, Any]) -> str:
    text = " · ".join(f"{name} {value_text(value)}" for name, value in values.items())
    return (f"{title}: {text}" if title else text) if text else ""


def _loaded(stored: object) -> dict[str, Any]:
    """JSON of a column; nothing where there is none."""
    found = json.loads(stored) if isinstance(stored, str) else stored
    return found if isinstance(found, dict) else {}


def _short(value: float | None) -> str:
    return "–" if value is None else correlation(value, digits=3) if abs(value) < 1 else f"{value:.3g}"


def _wrapped(text: str, cells: int) -> list[Line]:
    parts = wrap(clean(text), max(20, cells - 3), break_on_hyphens=False)
    return [[Span(f" {'  ' if number else ''}{part}")] for number, part in enumerate(parts)]
