"""A context as one line: the peak token at a fixed column, every token shaded by its activation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from atlas.render.spans import Line, Span, line_width, merged
from atlas.render.text import clean, cut_right, last, width

LEVELS = 7
"""Number of shades above zero."""

LEAST_EFFECT = 0.1
"""Change of log probability, in nats, from which a token is underlined."""

PEAK_AT = 0.42
"""Share of the width to the left of the peak."""


def level(activation: float, maximum: float | None) -> int:
    """Shade of an activation relative to the feature's maximum: 0 for none, 1 to 7."""
    if activation <= 0 or not maximum or maximum <= 0:
        return 0
    return min(LEVELS, max(1, math.ceil(LEVELS * activation / maximum)))


def effect_of(effects: Sequence[float | None] | None, place: int) -> int:
    """-1 where a token is less likely without the feature by `LEAST_EFFECT` or more, 1 where more likely, else 0."""
    value = effects[place] if effects else None
    return 0 if value is None or abs(value) < LEAST_EFFECT else -1 if value < 0 else 1


def kwic(
    tokens: Sequence[str],
    activations: Sequence[float],
    peak: int,
    maximum: float | None,
    cells: int,
    *,
    brackets: bool = False,
    effects: Sequence[float | None] | None = None,
) -> Line:
    """One context in exactly `cells` cells.

    Args:
        tokens: The window, decoded.
        activations: One for each token.
        peak: Index of the peak token.
        maximum: The feature's largest activation.
        cells: Width of the line.
        brackets: Put `⟦⟧` around the peak, for terminals without colour.
        effects: Change of each token's log probability without the feature, in nats; None if it was not measured.
    """
    levels = [level(value, maximum) for value in activations]
    texts = [clean(token) for token in tokens]
    word = texts[peak].lstrip(" ") or texts[peak]
    space = texts[peak][: len(texts[peak]) - len(word)]
    column = int(cells * PEAK_AT)
    spans = [
        Span(text, shade, effect=effect_of(effects, i))
        for i, (text, shade) in enumerate(zip(texts, levels, strict=True))
    ]
    before, after = spans[:peak], spans[peak + 1 :]
    lead = Span(space, level=0 if brackets else levels[peak])
    middle = replace(spans[peak], text=f"⟦{word}⟧" if brackets else word, peak=True)
    line = [*_ending(merged([*before, lead]), column), middle, *merged(after)]
    return _beginning(line, cells)


def wrapped(
    tokens: Sequence[str],
    activations: Sequence[float],
    peak: int,
    maximum: float | None,
    cells: int,
    *,
    brackets: bool = False,
    effects: Sequence[float | None] | None = None,
) -> list[Line]:
    """One whole context, over as many lines of at most `cells` cells as it takes; the arguments are those of `kwic`."""
    lines: list[Line] = [[]]
    left = cells
    for place, (token, activation) in enumerate(zip(tokens, activations, strict=True)):
        text = clean(token)
        if place == peak and brackets:
            word = text.lstrip(" ") or text
            text = f"{text[: len(text) - len(word)]}⟦{word}⟧"
        text = cut_right(text, cells)
        size = width(text)
        if size > left:
            lines.append([])
            left, text = cells, text.lstrip(" ")
            size = width(text)
        span = Span(text, level=level(activation, maximum), peak=place == peak, effect=effect_of(effects, place))
        lines[-1].append(span)
        left -= size
    return [merged(line) for line in lines]


def _ending(spans: Line, cells: int) -> Line:
    """The last `cells` cells, to the right, cut with `…` on the left."""
    if cells <= 0:
        return []
    total = line_width(spans)
    if total <= cells:
        return [Span(" " * (cells - total)), *spans] if total < cells else spans
    kept: Line = []
    left = cells - 1  # the ellipsis
    for span in reversed(spans):
        size = width(span.text)
        if size <= left:
            kept.append(span)
            left -= size
            continue
        text = last(span.text, left)
        kept.append(replace(span, text=text))
        left -= width(text)
        break
    return merged([Span("…" + " " * left, tone="dim"), *reversed(kept)])


def _beginning(spans: Line, cells: int) -> Line:
    """The first `cells` cells, cut with `…` on the right or padded."""
    if cells <= 0:
        return []
    total = line_width(spans)
    if total <= cells:
        return [*spans, Span(" " * (cells - total))] if total < cells else spans
    kept: Line = []
    left = cells
    for span in spans:
        size = width(span.text)
        if size < left:
            kept.append(span)
            left -= size
            continue
        text = cut_right(span.text, left, force=True)
        kept.append(replace(span, text=text[:-1]))
        kept.append(Span("…" + " " * (left - width(text)), tone="dim"))
        break
    return [span for span in kept if span.text]
