"""Two features side by side, or one above the other where the screen is narrow, and what compares them."""

from __future__ import annotations

from collections.abc import Collection

from atlas.queries.browse_records import Candidate, FeatureDetail, PairDetail
from atlas.render.feature import BLANK, context_lines, feature_lines, heading
from atlas.render.histogram import sparkline
from atlas.render.numbers import correlation, count, share, strength
from atlas.render.spans import Line, Span, fit, labelled
from atlas.render.text import clean

SIDE_BY_SIDE = 100
"""Cells from which both features fit beside each other."""


def pair_lines(detail: PairDetail, cells: int, height: int, *, brackets: bool = False) -> list[Line]:
    """A pair in exactly `height` lines, as far as there is something to show."""
    if cells >= SIDE_BY_SIDE:
        return _beside(detail, cells, height, brackets=brackets)
    return _stacked(detail, cells, height, brackets=brackets)


def _beside(detail: PairDetail, cells: int, height: int, *, brackets: bool) -> list[Line]:
    """Left and right, the comparison below."""
    below = [*_verdict(detail), *_candidates(detail, 5)]
    half = (cells - 3) // 2
    room = max(0, height - len(below) - 1)
    sides = [feature_lines(one, half, brackets=brackets, shared=detail.shared) for one in (detail.a, detail.b)]
    lines: list[Line] = []
    for row in range(min(room, max(map(len, sides)))):
        left, right = (side[row] if row < len(side) else BLANK for side in sides)
        lines.append([*fit(left, half), Span(" │ ", tone="dim"), *fit(right, half)])
    return [*lines, _rule(cells), *below]


def _stacked(detail: PairDetail, cells: int, height: int, *, brackets: bool) -> list[Line]:
    """The comparison first, then one feature above the other with as many contexts as fit."""
    above = _verdict(detail, narrow=True)
    contexts = max(1, (height - len(above) - 2 * 2 - 1) // 2)
    shared = detail.shared
    lines = list(above)
    for number, one in enumerate((detail.a, detail.b)):
        lines += [_rule(cells)] if number else []
        lines += _side(one, cells, contexts, shared, brackets=brackets)
    return lines


def _side(
    one: FeatureDetail, cells: int, contexts: int, shared: Collection[tuple[int, int]], *, brackets: bool
) -> list[Line]:
    """Two lines of head and some contexts."""
    feature = one.feature
    numbers = labelled(
        ("density", share(feature.density)), ("fires", count(feature.n_fired)), ("max", strength(feature.max))
    )
    bars = Span(f"  {sparkline(one.bins, feature.max, 24)}", tone="bar")
    shown = context_lines(one.contexts[:contexts], feature.max, cells, brackets=brackets, shared=shared)
    return [heading(one.scan, feature), [*numbers, bars], *shown]


def _verdict(detail: PairDetail, *, narrow: bool = False) -> list[Line]:
    """The value with its counts, and how it compares with chance."""
    link, pairing = detail.link, detail.pairing
    if pairing is None:
        return [[Span(f"never compared: featlas correlate {detail.a.scan.alias} {detail.b.scan.alias}", tone="warn")]]
    if link is None:
        counts: Line = [Span(f"r not stored: not among the {pairing.top_k} best partners of either", tone="warn")]
    else:
        counts = labelled(
            ("activation r", correlation(link.value, digits=3)),
            ("fire: both", count(link.n_ab)),
            (detail.a.reference, count(link.n_a)),
            (detail.b.reference, count(link.n_b)),
            ("", "mutual best" if detail.mutual else _ranks(detail, link)),
        )
    median = correlation(pairing.median_best, digits=3)
    judged = labelled(
        ("margin to 2nd", correlation(detail.margin, digits=3) if link is not None else "–"),
        ("median best", median),
        ("by chance", correlation(pairing.chance, digits=3)),
        ("decoder cos", correlation(detail.cosine) if detail.cosine is not None else "–"),
    )
    sample = labelled(
        ("measured on", f"{count(pairing.n_tokens)} tokens of {clean(pairing.corpus)} · run {pairing.run_id}"),
        ("", _why_no_cosine(detail)),
    )
    return [counts, judged] if narrow else [counts, judged, sample]


def _ranks(detail: PairDetail, link: Candidate) -> str:
    """Where each feature stands among the partners of the other."""
    a, b = detail.a.scan.alias, detail.b.scan.alias
    return f"rank {_rank(link.rank_ab)} from {a}, {_rank(link.rank_ba)} from {b}"


def _why_no_cosine(detail: PairDetail) -> str:
    """Decoder rows of different spaces have no common angle."""
    if detail.cosine is not None:
        return ""
    return "decoder cosine not shown: the two SAEs read different spaces"


def _candidates(detail: PairDetail, most: int) -> list[Line]:
    """The other partners that were stored."""
    a, b = detail.a, detail.b
    lines: list[Line] = [BLANK, [Span(f"candidates for {a.reference} in {b.scan.alias}", tone="dim")]]
    for candidate in detail.candidates[:most]:
        here = candidate.feature_id == b.feature.feature_id
        words = " ".join(dict.fromkeys(clean(token).strip() or "␣" for token in candidate.top_tokens))
        reference = f"{b.scan.alias}:{candidate.feature_id}"
        place = f"{'▸' if here else ' '} {_rank(candidate.rank_ab)}"
        text = f"{place}  {reference:<12} r {correlation(candidate.value, digits=3)}"
        lines.append(
            [Span(text, tone="strong" if here else ""), Span(f"   both {count(candidate.n_ab):<9}"), Span(words)]
        )
    return lines


def _rank(rank: int | None) -> str:
    """A place among the stored partners."""
    return "–" if rank is None else str(rank)


def _rule(cells: int) -> Line:
    """A line across."""
    return [Span("─" * cells, tone="dim")]
