"""One feature as lines: who it is, its statistics, histogram, partners and contexts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from atlas.queries.browse_records import Context, Feature, FeatureDetail, Partner, Scan
from atlas.queries.feature_records import ContextKind, FeatureMore
from atlas.render.feature_more import brief_lines
from atlas.render.histogram import COLUMNS, histogram_lines, sparkline
from atlas.render.kwic import LEAST_EFFECT, kwic, wrapped
from atlas.render.numbers import correlation, count, percent, share, strength
from atlas.render.spans import Line, Span, fit, labelled, line_width
from atlas.render.text import clean

SHARED = "●"
"""Marks a context that both features of a pair have."""

CHOICES: dict[ContextKind, str] = {
    "top": "top contexts",
    "quantile": "contexts by quantile",
    "interval": "contexts by interval",
    "random": "random contexts in which it fires",
    "silent": "random contexts in which it is silent",
}
"""How contexts were chosen, in words."""

NONE = "none stored – run its featlas ingest again with --replace"
NONE_SILENT = "none stored: it fires in every context that the scan could choose from, or the scan kept none"

BLANK: Line = []


@dataclass(frozen=True, slots=True)
class Look:
    """How a feature is drawn: what the keys of the browser and the options of `featlas show` choose."""

    kind: ContextKind = "top"
    """How the contexts that are shown were chosen."""
    wrap: bool = False
    """Contexts whole, over several lines."""
    own_scale: bool = False
    """Shade relative to the strongest token of the context, not of the feature."""
    linear: bool = False
    """Bars of the histogram by the count, not by its log."""
    brackets: bool = False
    """Put `⟦⟧` around peaks, for terminals without colour."""
    axis: float | None = None
    """Right end of the histogram; None is the feature's maximum."""


def feature_lines(
    detail: FeatureDetail,
    cells: int,
    look: Look | None = None,
    *,
    rows: int = 3,
    shared: Collection[tuple[int, int]] | None = None,
    more: FeatureMore | None = None,
) -> list[Line]:
    """Everything about a feature.

    Args:
        detail: The feature, with the contexts to show.
        cells: Width of every line.
        look: How to draw it.
        rows: Height of the histogram.
        shared: Places that the other feature of a pair has too; None outside a pair.
        more: Adds logit tokens and neighbours.
    """
    look = look or Look()
    feature, scan = detail.feature, detail.scan
    lines = [heading(scan, feature), where(scan), *statistics(feature, scan, cells)]
    if feature.is_dead:
        lines += [BLANK, [Span(f"never fires on {clean(scan.corpus)}: no contexts, no histogram", tone="dim")]]
        return [*lines, *brief_lines(more, scan, cells)] if more else lines
    columns, maximum = min(COLUMNS, cells - 2), look.axis or feature.max
    bars = histogram_lines(detail.bins, maximum, rows=rows, columns=columns, linear=look.linear)
    lines += [BLANK, *([Span(" "), *line] for line in bars)]
    if shared is None:
        lines += [partner_line(detail.partners, scan)]
    lines += [*(brief_lines(more, scan, cells) if more else []), BLANK, contexts_heading(detail, look, shared)]
    return [*lines, *context_lines(detail.contexts, feature.max, cells, look, shared=shared)]


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
    """The input of the SAE, and its size."""
    place = f"{clean(scan.model)} · {clean(scan.hook_name)}"
    return [Span(f"{place} · {scan.architecture} · {scan.d_sae:,} features", tone="dim")]


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


def contexts_heading(detail: FeatureDetail, look: Look, shared: Collection[tuple[int, int]] | None) -> Line:
    """How many contexts follow, and how they were chosen."""
    line = [Span(f"{CHOICES[look.kind]}  {len(detail.contexts)}", tone="dim")]
    if shared is not None:
        both = sum(context.place in shared for context in detail.contexts)
        line.append(Span(f"   {SHARED} in both: {both}", tone="dim"))
    return [*line, *_taken_out(detail.contexts, look)]


def _taken_out(contexts: Sequence[Context], look: Look) -> Line:
    """What becomes of the tokens after the peaks without the feature, where that was measured; what underlines mean."""
    after = [c.effects[c.peak + 1] for c in contexts if c.effects and c.peak + 1 < len(c.effects)]
    known = [value for value in after if value is not None]
    if not known:
        return []
    mean = f"   without it {sum(known) / len(known):+.2f} nats after {len(known)} peaks"
    said = "" if look.brackets else f"; {LEAST_EFFECT:g} or more: "
    parts = [] if look.brackets else [Span("less", effect=-1), Span(" / ", tone="dim"), Span("more likely", effect=1)]
    return [Span(mean + said, tone="dim"), *parts]


def context_lines(
    contexts: Sequence[Context],
    maximum: float | None,
    cells: int,
    look: Look,
    *,
    shared: Collection[tuple[int, int]] | None = None,
) -> list[Line]:
    """One line a context, or a whole one over several: its activation, then the text; a line above each group."""
    if not contexts:
        return [[Span(NONE_SILENT if look.kind == "silent" else NONE, tone="dim")]]
    lines: list[Line] = []
    group = None
    for context in contexts:
        if look.kind in ("quantile", "interval") and context.bin != group:
            group = context.bin
            lines.append(_group_line(look.kind, group, cells))
        mark = [] if shared is None else [Span(SHARED if context.place in shared else " ", tone="accent")]
        number = Span(f"{strength(context.activation):>5} ", tone="strong")
        left = cells - 6 - len(mark)
        most = max(context.activations, default=0) if look.own_scale else maximum
        window = (context.tokens, context.activations, context.peak, most, left)
        if not look.wrap:
            lines.append([*mark, number, *kwic(*window, brackets=look.brackets, effects=context.effects)])
            continue
        first, *rest = wrapped(*window, brackets=look.brackets, effects=context.effects)
        lines += [[*mark, number, *first], *([Span(" " * (6 + len(mark))), *line] for line in rest)]
    return lines


def _group_line(kind: ContextKind, group: int, cells: int) -> Line:
    tenth = f"{10 * group}–{10 * group + 10} %"
    words = f"─ activation quantile {tenth} " if kind == "quantile" else f"─ {tenth} of the maximum "
    return [Span(words + "─" * max(0, cells - len(words)), tone="dim")]


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
