"""Which columns of a table a line has room for, and how wide each of them gets."""

from __future__ import annotations

from collections.abc import Sequence

LEAST = 14
"""Cells below which text is not cut any more."""

SPARE = (
    *(
        "software",
        "spec",
        "null_std",
        "null_mean",
        "d_in",
        "architecture",
        "exact_quantiles",
        "finished_at",
        "created_at",
    ),
    *("corpus_b", "corpus", "n_tokens", "doc_density", "std_active", "n_a", "n_b", "hook_name", "model", "is_concept"),
    *("margin", "z", "n_documents", "started_at", "n_dead", "median_active", "mean_active", "n_fired"),
)
"""Columns that go first, in this order; after them those furthest to the right."""


def fitted_widths(
    names: Sequence[str], widths: Sequence[int], numbers: Sequence[bool], room: int
) -> tuple[list[int], list[int]]:
    """Places of the columns that are shown, and the width of every column.

    Args:
        names: Of the columns.
        widths: That each would like.
        numbers: Columns of numbers, which are never cut.
        room: Cells of a line; two stand between columns.
    """
    least = [
        wide if number else min(wide, max(LEAST, len(name)))
        for name, wide, number in zip(names, widths, numbers, strict=True)
    ]
    shown = list(range(len(names)))
    order = [names.index(name) for name in SPARE if name in names]
    order += [place for place in reversed(shown) if place not in order]
    while len(shown) > 1 and sum(least[i] + 2 for i in shown) - 2 > room:
        shown.remove(order.pop(0))
    given = list(widths)
    while sum(given[i] + 2 for i in shown) - 2 > room:
        loose = [i for i in shown if given[i] > least[i]]
        if not loose:
            given[shown[0]] = max(1, room)  # one column, wider than the line
            break
        widest = max(loose, key=lambda i: given[i])
        given[widest] -= 1
    return shown, given
