"""What compares two features beyond one value: all measures with their chance level, matchings, joint activations."""

from __future__ import annotations

import math

from atlas.queries.browse_records import PairDetail
from atlas.queries.pair_records import MeasureOfPair, PairMore
from atlas.render.numbers import count, strength, value_of
from atlas.render.spans import Line, Span, folded
from atlas.render.text import clean

_SHADES = " ░▒▓█"


def measure_lines(detail: PairDetail, more: PairMore) -> list[Line]:
    """One line a measure: the value, its chance level, the partner it prefers; then the matchings."""
    b = detail.b
    lines: list[Line] = [[], [Span("measures", tone="dim"), Span("         value  median  chance", tone="dim")]]
    for item in more.measures:
        lines.append(
            [
                Span(f"{_short(item.measure):<16}"),
                Span(f"{value_of(item.value):>6}", tone="strong"),
                Span(f"  {value_of(item.median_best):>6}  {value_of(item.chance):>6}", tone="dim"),
                *_opinion(item, detail),
            ]
        )
    for matching in more.matchings:
        here = (
            "gives this pair"
            if matching.partner == b.feature.feature_id
            else f"gives {b.scan.alias}:{matching.partner}"
        )
        lines.append([Span(clean(f"{matching.method} by {matching.measure}"), tone="dim"), Span(f"   {here}")])
    return lines if more.measures or more.matchings else []


def _short(measure: str) -> str:
    return clean(measure.replace("activation_document_", "activation doc "))


def _opinion(item: MeasureOfPair, detail: PairDetail) -> Line:
    b = detail.b
    if item.high:
        return [Span("  disagrees", tone="warn")]
    if item.preferred == b.feature.feature_id:
        return [Span("  mutual" if item.rank_ba == 1 else "  best")]
    if item.preferred is None:
        return [Span(f"  not among the {item.top_k} stored", tone="dim")] if item.value is None else []
    return [Span(f"  prefers {b.scan.alias}:{item.preferred} "), Span(value_of(item.preferred_value), tone="dim")]


def joint_lines(detail: PairDetail, more: PairMore, cells: int) -> list[Line]:
    """Activations of A to the right, of B upwards, log count as shade; where one is silent, on the axes."""
    a, b, joint = detail.a, detail.b, more.joint
    if joint is None:
        words = f"no joint activations: {more.joint_problem}".split(" ")
        return [[], *folded([Span(f"{word} ", tone="dim") for word in words], cells)]
    counts = (joint.n_both, joint.n_only_a, joint.n_only_b)
    both, only_a, only_b = (count(n) for n in counts)
    head = f"both {both} · {a.scan.alias} only {only_a} · {b.scan.alias} only {only_b}"
    lines: list[Line] = [[], [Span("joint  ", tone="dim"), Span(head)]]
    *rows, silent = reversed(joint.counts)
    most = math.log1p(max(map(max, joint.counts)))
    for place, row in enumerate(rows):
        label = strength(joint.max_b) if place == 0 else b.reference if place == 1 else ""
        lines.append(_joint_line(label, row, "│", most))
    lines.append(_joint_line("silent", silent, "┼", most))
    end = strength(joint.max_a)
    columns = len(silent) - 1
    foot = f"0 {a.reference}".ljust(columns - len(end)) + end
    return [
        *lines,
        [Span(" " * 11 + foot, tone="dim")],
        [Span("log count; on the axes one is silent"[:cells], tone="dim")],
    ]


def _joint_line(label: str, row: list[int], axis: str, most: float) -> Line:
    """One row of the grid: the tokens on which A is silent, the axis, the others."""
    silent, *others = (_shade(n, most) for n in row)
    return [
        Span(f"{label:>8} ", tone="dim"),
        Span(silent, tone="bar"),
        Span(axis, tone="dim"),
        Span("".join(others), tone="bar"),
    ]


def _shade(n: int, most: float) -> str:
    """Log of a count as a shade; anything above zero shows."""
    if n == 0:
        return " "
    return _SHADES[min(4, max(1, math.ceil(4 * math.log1p(n) / most)))]
