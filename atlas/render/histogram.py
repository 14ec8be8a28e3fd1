"""A histogram of activations in eighth blocks: the count, or its log, over a linear axis from 0 to the maximum."""

from __future__ import annotations

import math
from collections.abc import Sequence

from atlas.render.numbers import strength
from atlas.render.spans import Line, Span

COLUMNS = 48
BLOCKS = " ▁▂▃▄▅▆▇█"


def linear_counts(bins: Sequence[tuple[float, float, int]], maximum: float, columns: int = COLUMNS) -> list[float]:
    """Counts on a linear axis from 0 to `maximum`.

    A stored bin is a sixteenth of an octave; where it crosses a border of the axis, its count is shared out in
    proportion to the overlap, so that the sum stays what it was.
    """
    counts = [0.0] * columns
    step = maximum / columns
    for lo, hi, n in bins:
        top = min(hi, maximum)
        if top <= lo:  # the maximum itself, or a bin without width on this axis
            counts[min(columns - 1, max(0, int(lo / step)))] += n
            continue
        first, last = int(lo / step), min(columns - 1, int(top / step))
        for column in range(first, last + 1):
            overlap = min(top, (column + 1) * step) - max(lo, column * step)
            counts[min(column, columns - 1)] += n * max(0.0, overlap) / (top - lo)
    return counts


def block_rows(counts: Sequence[float], rows: int, *, linear: bool = False) -> list[str]:
    """Bars of log10(1 + n), or of n, as `rows` lines of eighth blocks; anything above zero shows."""
    heights = [n if linear else math.log10(1 + n) for n in counts]
    most = max(heights, default=0)
    if most == 0:
        return [" " * len(counts)] * rows
    least = 0 if linear else 0.01
    eighths = [max(1, round(height / most * rows * 8)) if height > least else 0 for height in heights]
    return ["".join(BLOCKS[min(8, max(0, eighth - 8 * row))] for eighth in eighths) for row in range(rows - 1, -1, -1)]


def histogram_lines(
    bins: Sequence[tuple[float, float, int]],
    maximum: float | None,
    *,
    rows: int = 3,
    columns: int = COLUMNS,
    linear: bool = False,
) -> list[Line]:
    """Bars and the axis under them; nothing for a feature that never fired."""
    if not maximum or not bins:
        return []
    bars = block_rows(linear_counts(bins, maximum, columns), rows, linear=linear)
    middle, right = strength(maximum / 2), strength(maximum)
    axis = "0" + middle.rjust(columns // 2 - 1 + (len(middle) + 1) // 2)
    axis += right.rjust(columns - len(axis))
    return [*([Span(bar, tone="bar")] for bar in bars), [Span(axis, tone="dim")]]


def sparkline(bins: Sequence[tuple[float, float, int]], maximum: float | None, columns: int = 12) -> str:
    return block_rows(linear_counts(bins, maximum, columns), 1)[0] if maximum and bins else " " * columns
