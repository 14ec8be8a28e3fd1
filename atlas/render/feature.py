"""One feature as lines: who it is, its statistics, histogram, partners and contexts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from atlas.queries.browse_records import Context, Feature, FeatureDetail, Partner, Scan
from atlas.render.histogram import COLUMNS, histogram_lines, sparkline
from atlas.render.kwic import kwic
from atlas.render.numbers import correlation, count, percent, share, strength
from atlas.render.spans import Line, Span, fit, labelled, line_width
from atlas.render.text import clean

SHARED = "●"
"""Marks a context that both features of a pair have."""

BLANK: Line = []


def feature_lines(
    detail: FeatureDetail,
    cells: int,
    *,
    brackets: bool = False,
    rows: int = 3,
    shared: Collection[tuple[int, int]] | None = None,
) -> list[Line]:
    """Everything about a feature.

    Args:
        detail: The feature.
        cells: Width of every line.
        brackets: Put `⟦⟧` around peaks, for terminals without colour.
        rows: Height of the histogram.
        shared: Places that the other feature of a pair has too; None outside a pair.
    """
    feature, scan = detail.feature, detail.scan
    lines = [heading(scan, feature), where(scan), *statistics(feature, scan, cells)]
    if feature.is_dead:
        return [*lines, BLANK, [Span(f"never fires on {clean(scan.corpus)}: no contexts, no histogram", tone="dim")]]
    columns = min(COLUMNS, cells - 2)
    lines += [
        BLANK,
        *([Span(" "), *line] for line in histogram_lines(detail.bins, feature.max, rows=rows, columns=columns)),
    ]
    if shared is None:
        lines += [partner_line(detail.partners, scan)]
    lines += [BLANK, contexts_heading(detail, shared)]
    return [*lines, *context_lines(detail.contexts, feature.max, cells, brackets=brackets, shared=shared)]


def heading(scan: Scan, feature: Feature) -> Line:
    """Alias, name, number and label."""
    line = [Span(f" {scan.alias}:{feature.feature_id} ", tone="badge"), Span(f" {clean(scan.sae)}", tone="strong")]
    if feature.label:
        line.append(Span(f"   {clean(feature.label)}"))
    if feature.is_dead:
        line.append(Span("   dead", tone="warn"))
    elif not feature.is_concept:
        line.append(Span("   non-concept", tone="dim"))
    return line


def where(scan: Scan) -> Line:
    """What the SAE reads."""
    return [
        Span(
            f"{clean(scan.model)} · {clean(scan.hook_name)} · {scan.architecture} · {scan.d_sae:,} features", tone="dim"
        )
    ]


def statistics(feature: Feature, scan: Scan, cells: int) -> list[Line]:
    """Numbers with their sample; the rarer ones go first where the line is short."""
    density = ("density", share(feature.density))
    fires = ("fires on", f"{count(feature.n_fired)} of {count(feature.n_tokens)} tokens")
    documents = ("documents", percent(feature.doc_density))
    mean, most = ("active mean", strength(feature.mean_active)), ("max", strength(feature.max))
    spread = ("std", strength(feature.std_active))
    middle = ("median", strength(feature.median_active))
    corpus = ("corpus", clean(scan.corpus))
    first = _longest(cells, labelled(density, fires, documents), labelled(density, fires))
    wide, narrow = (mean, spread, middle, most, corpus), (mean, middle, most, corpus)
    second = _longest(cells, labelled(*wide), labelled(*narrow), labelled(mean, most, corpus))
    return [first, second]


def _longest(cells: int, *choices: Line) -> Line:
    """The first line that fits, else the last."""
    return next((line for line in choices if line_width(line) <= cells), choices[-1])


def partner_line(partners: Sequence[Partner], scan: Scan) -> Line:
    """The best partner in every other SAE."""
    if not partners:
        return [Span("matches   none stored", tone="dim"), Span(f"   featlas correlate {scan.alias} OTHER", tone="dim")]
    line = [Span("matches", tone="dim")]
    for partner in partners:
        line += [Span(f"   {partner.alias}:{partner.feature_id} "), Span(correlation(partner.value), tone="strong")]
        line += [Span(" mutual", tone="dim")] if partner.mutual else []
    return line


def contexts_heading(detail: FeatureDetail, shared: Collection[tuple[int, int]] | None) -> Line:
    """How many contexts follow."""
    line = [Span(f"top contexts  {len(detail.contexts)}", tone="dim")]
    if shared is not None:
        both = sum(context.place in shared for context in detail.contexts)
        line.append(Span(f"   {SHARED} in both: {both}", tone="dim"))
    return line


def context_lines(
    contexts: Sequence[Context],
    maximum: float | None,
    cells: int,
    *,
    brackets: bool = False,
    shared: Collection[tuple[int, int]] | None = None,
) -> list[Line]:
    """One line a context: its activation, then the aligned text."""
    lines = []
    for context in contexts:
        mark = [] if shared is None else [Span(SHARED if context.place in shared else " ", tone="accent")]
        number = Span(f"{strength(context.activation):>5} ", tone="strong")
        left = cells - 6 - len(mark)
        text = kwic(context.tokens, context.activations, context.peak, maximum, left, brackets=brackets)
        lines.append([*mark, number, *text])
    return lines


def preview_line(detail: FeatureDetail, cells: int, *, brackets: bool = False) -> Line:
    """A feature in one line, for narrow screens."""
    feature = detail.feature
    head = [Span(f" {detail.reference} ", tone="strong"), Span(f"{share(feature.density)} ")]
    if feature.is_dead or not detail.contexts:
        return fit([*head, Span(" never fires here" if feature.is_dead else " no contexts stored", tone="dim")], cells)
    head += [Span(sparkline(detail.bins, feature.max), tone="bar"), Span(" ")]
    context = detail.contexts[0]
    left = cells - line_width(head)
    return [*head, *kwic(context.tokens, context.activations, context.peak, feature.max, left, brackets=brackets)]
