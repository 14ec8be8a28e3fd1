"""A line of styled text: plain spans that say what a piece is, not which colour it gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from atlas.render.text import cut_right, width

Tone = Literal["", "dim", "strong", "accent", "badge", "warn", "bar"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line."""

    text: str
    """Safe to print: no control characters."""
    level: int = 0
    """Activation from 0 (none) to 7 (the feature's maximum)."""
    peak: bool = False
    """The token a context is about."""
    tone: Tone = ""
    """Role of the piece."""
    ink: int = 0
    """Colour of block characters, 1 to 7 on the ramp of activation; nothing without colour."""
    ground: int = 0
    """Colour behind a number that says the same, 1 to 7; nothing without colour."""
    effect: int = 0
    """-1: less likely without the feature, underlined in blue; 1: more likely, in red; nothing without colour."""


Line = list[Span]


def line_width(line: Iterable[Span]) -> int:
    return sum(width(span.text) for span in line)


def plain(line: Iterable[Span]) -> str:
    return "".join(span.text for span in line)


def fit(line: Iterable[Span], cells: int) -> Line:
    """Exactly `cells` wide: cut with `…` or padded with spaces."""
    fitted: Line = []
    left = cells
    spans = list(line)
    total = line_width(spans)
    if total <= cells:
        return [*spans, Span(" " * (cells - total))] if total < cells else spans
    for span in spans:
        taken = width(span.text)
        if taken >= left:
            fitted.append(replace(span, text=cut_right(span.text, left, force=True)))
            break
        fitted.append(span)
        left -= taken
    used = line_width(fitted)
    return [*fitted, Span(" " * (cells - used))] if used < cells else fitted


def merged(spans: Iterable[Span]) -> Line:
    """Neighbours of equal style as one span: fewer pieces, fewer bytes on the wire."""
    out: Line = []
    for span in spans:
        if not span.text:
            continue
        last = out[-1] if out else None
        if last and _look(last) == _look(span) and not span.peak:
            out[-1] = replace(last, text=last.text + span.text)
        else:
            out.append(span)
    return out


def _look(span: Span) -> tuple[object, ...]:
    return span.level, span.peak, span.tone, span.ink, span.ground, span.effect


def labelled(*parts: tuple[str, str]) -> Line:
    """`name value` pairs on one line: names dim, values plain."""
    line: Line = []
    for name, value in parts:
        if line:
            line.append(Span("   "))
        line += [Span(f"{name} ", tone="dim"), Span(value)] if name else [Span(value)]
    return line


def folded(line: Iterable[Span], cells: int) -> list[Line]:
    """A line over as many lines of at most `cells` cells as its pieces need; a piece that is wider is cut."""
    lines: list[Line] = [[]]
    left = cells
    for span in line:
        size = width(span.text)
        if size > left and lines[-1]:
            lines.append([])
            left = cells
        lines[-1].append(span if size <= left else replace(span, text=cut_right(span.text, left)))
        left -= min(size, left)
    return lines
