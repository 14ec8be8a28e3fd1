"""Two features side by side, or one above the other where the screen is narrow, and what compares them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from atlas.choices import DEFAULT_MEASURE
from atlas.queries.browse_records import Candidate, FeatureDetail, PairDetail
from atlas.queries.pair_records import MeasureOfPair, PairMore
from atlas.references import FeatureRef
from atlas.render.feature import BLANK, Look, context_lines, feature_lines, heading
from atlas.render.histogram import sparkline
from atlas.render.numbers import correlation, count, share, strength, value_of
from atlas.render.spans import Line, Span, fit, folded, labelled
from atlas.render.text import clean

SIDE_BY_SIDE = 98
"""Minimum width for both features side by side: a screen of 100 less its margin and its scroll bar."""

PLOT = 46
"""Minimum width of the joint activations."""

LEAST = 15
"""Minimum lines of a feature, even if the comparison is long."""

_JOINT_SHADES = " ░▒▓█"


def pair_lines(
    detail: PairDetail, cells: int, height: int, look: Look | None = None, *, more: PairMore | None = None
) -> list[Line]:
    """A pair in `height` lines, or more where the comparison needs them: the screen scrolls.

    Args:
        detail: Both features.
        cells: Width of every line.
        height: Lines of the screen.
        look: How the features are drawn; an `axis` of any value puts both histograms on one.
        more: Adds measures, matchings and joint activations.
    """
    look = look or Look()
    if look.axis is not None:
        look = replace(look, axis=max(side.feature.max or 0 for side in (detail.a, detail.b)) or None)
    return (_beside if cells >= SIDE_BY_SIDE else _stacked)(detail, cells, height, look, more)


def _beside(detail: PairDetail, cells: int, height: int, look: Look, more: PairMore | None) -> list[Line]:
    """Left and right, the comparison below: candidates and measures, beside them the joint activations."""
    half = (cells - 3) // 2
    left = [*candidate_lines(detail, 5), *(measure_lines(detail, more) if more else [])]
    plot = max(PLOT, half)
    right = joint_lines(detail, more, plot) if more else []
    below = [*_verdict(detail), *_columns(left, right, cells - plot - 3, rule=False)]
    sides = [feature_lines(one, half, look, shared=detail.shared) for one in (detail.a, detail.b)]
    room = max(LEAST, height - len(below) - 1)
    return [*_columns(sides[0][:room], sides[1][:room], half, rule=True), _rule(cells), *below]


def _columns(left: Sequence[Line], right: Sequence[Line], half: int, *, rule: bool) -> list[Line]:
    between = Span(" │ " if rule else "   ", tone="dim")
    lines: list[Line] = []
    for row in range(max(len(left), len(right))):
        one, other = (side[row] if row < len(side) else BLANK for side in (left, right))
        lines.append([*fit(one, half), between, *fit(other, half)])
    return lines


def _stacked(detail: PairDetail, cells: int, height: int, look: Look, more: PairMore | None) -> list[Line]:
    """The comparison first, then one feature above the other with as many contexts as fit; the rest below."""
    above = _verdict(detail, narrow=True)
    contexts = max(1, (height - len(above) - 2 * 2 - 1) // 2)
    lines = list(above)
    for number, one in enumerate((detail.a, detail.b)):
        lines += [_rule(cells)] if number else []
        lines += _side(one, cells, contexts, detail.shared, look)
    lines += [BLANK] * (height - len(lines)) + [_rule(cells)]
    blocks = [
        candidate_lines(detail, 5),
        *((measure_lines(detail, more), joint_lines(detail, more, cells)) if more else ()),
    ]
    return [*lines, *(line for block in blocks for line in block)]


def _side(one: FeatureDetail, cells: int, contexts: int, shared: Collection[tuple[int, int]], look: Look) -> list[Line]:
    feature = one.feature
    numbers = labelled(
        ("density", share(feature.density)), ("fires", count(feature.n_fired)), ("max", strength(feature.max))
    )
    bars = Span(f"  {sparkline(one.bins, look.axis or feature.max, 24)}", tone="bar")
    shown = context_lines(one.contexts[:contexts], feature.max, cells, look, shared=shared)
    return [heading(one.scan, feature), [*numbers, bars], *shown]


def _verdict(detail: PairDetail, *, narrow: bool = False) -> list[Line]:
    link, pairing = detail.link, detail.pairing
    if pairing is None:
        by = "" if detail.measure == DEFAULT_MEASURE else f" --measure {detail.measure}"
        names = f"{detail.a.scan.alias} {detail.b.scan.alias}"
        return [[Span(f"never compared by {detail.measure}: featlas correlate {names}{by}", tone="warn")]]
    short = "r" if detail.measure == DEFAULT_MEASURE else detail.measure
    name = f"{DEFAULT_MEASURE} r" if short == "r" else short
    if link is None:
        counts: Line = [Span(f"{short} not stored: not among the {pairing.top_k} best partners of either", tone="warn")]
    else:
        counts = labelled(
            (name, value_of(link.value)),
            *((("fire: both", count(link.n_ab)),) if link.n_ab is not None else ()),
            (detail.a.reference, count(link.n_a)),
            (detail.b.reference, count(link.n_b)),
            ("", "mutual best" if detail.mutual else _ranks(detail, link)),
        )
    best, chance = pairing.judged_from(detail.a.scan.sae)
    judged = labelled(
        ("margin to 2nd", value_of(detail.margin) if link is not None and detail.margin is not None else "–"),
        ("median best", value_of(best)),
        ("by chance", value_of(chance)),
        ("decoder cos", correlation(detail.cosine) if detail.cosine is not None else "–"),
    )
    sample = labelled(
        ("measured on", f"{count(pairing.n_tokens)} tokens of {clean(pairing.corpus)} · run {pairing.run_id}"),
        ("", "" if detail.cosine is not None else "decoder cosine not shown: the two SAEs have different inputs"),
    )
    return [counts, judged] if narrow else [counts, judged, sample]


def _ranks(detail: PairDetail, link: Candidate) -> str:
    a, b = detail.a.scan.alias, detail.b.scan.alias
    return f"rank {_rank(link.rank_ab)} from {a}, {_rank(link.rank_ba)} from {b}"


def candidate_lines(detail: PairDetail, most: int) -> list[Line]:
    """The other partners that were stored."""
    a, b = detail.a, detail.b
    by, short = ("", "r") if detail.measure == DEFAULT_MEASURE else (f" by {detail.measure}", detail.measure)
    lines: list[Line] = [BLANK, [Span(f"candidates for {a.reference} in {b.scan.alias}{by}", tone="dim")]]
    if not detail.candidates:
        return [*lines, [Span("none stored", tone="dim")]]
    for candidate in detail.candidates[:most]:
        here = candidate.feature_id == b.feature.feature_id
        words = " ".join(dict.fromkeys(clean(token).strip() or "␣" for token in candidate.top_tokens))
        reference = str(FeatureRef(b.scan.alias, candidate.feature_id))
        place = f"{'▸' if here else ' '} {_rank(candidate.rank_ab)}"
        text = f"{place}  {reference:<8} {short} {value_of(candidate.value)}"
        both = f"   both {count(candidate.n_ab):<7}" if candidate.n_ab is not None else "   "
        lines.append([Span(text, tone="strong" if here else ""), Span(both), Span(words)])
    return lines


def _rank(rank: int | None) -> str:
    return "–" if rank is None else str(rank)


def _rule(cells: int) -> Line:
    return [Span("─" * cells, tone="dim")]


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
        found = "this pair" if matching.partner == b.feature.feature_id else f"{b.scan.alias}:{matching.partner}"
        lines.append([Span(clean(f"{matching.method} by {matching.measure}"), tone="dim"), Span(f"   gives {found}")])
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
    only_a, only_b = f"{a.scan.alias} only {count(joint.n_only_a)}", f"{b.scan.alias} only {count(joint.n_only_b)}"
    head = f"both {count(joint.n_both)} · {only_a} · {only_b}"
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
        [Span("log count; on the axes one feature is silent"[:cells], tone="dim")],
    ]


def _joint_line(label: str, row: list[int], axis: str, most: float) -> Line:
    """One row of the grid: the tokens on which A is silent, the axis, the others."""
    silent, *others = (_joint_shade(n, most) for n in row)
    return [
        Span(f"{label:>8} ", tone="dim"),
        Span(silent, tone="bar"),
        Span(axis, tone="dim"),
        Span("".join(others), tone="bar"),
    ]


def _joint_shade(n: int, most: float) -> str:
    """Log of a count as a shade; anything above zero shows."""
    if n == 0:
        return " "
    return _JOINT_SHADES[min(4, max(1, math.ceil(4 * math.log1p(n) / most)))]
