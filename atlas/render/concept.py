"""A concept in one SAE and beside it in another: keyword by keyword, and its scores."""

from __future__ import annotations

from atlas.queries.concepts import ConceptDetail
from atlas.render.numbers import correlation, count, probability
from atlas.render.spans import Line, Span, labelled
from atlas.render.text import clean, pad

WORD = 16
"""Cells of a keyword."""

BLOCK = WORD + 22
"""Cells of a keyword with its three counts, and the gap behind."""


def concept_lines(detail: ConceptDetail, cells: int) -> list[Line]:
    """Head, scores, then the keywords in as many columns as fit."""
    row, other = detail.row, detail.other
    sides = f"{row.alias} {row.sae}" + (f" × {other.alias} {other.sae}" if other else "")
    lines: list[Line] = [[Span(f" {clean(row.concept)} ", tone="strong"), Span(f" {clean(sides)}")]]
    lines += [[Span(f" no pairs are counted: {clean(detail.unpaired)}", tone="dim")]] if detail.unpaired else []
    for score in detail.scores:
        lines.append(
            labelled(
                (f" {clean(score.metric)} {score.alias_a} {score.alias_b}", correlation(score.value, digits=3)),
                ("null", correlation(score.null_mean, digits=3)),
                ("p", probability(score.p_value)),
                ("n", count(score.n)),
                ("", clean(f"{score.space} rows, null of {score.null_kind}")),
            )
        )
    if other and not detail.scores:
        command = f"featlas metric svcca {row.alias} {other.alias} --concept {clean(row.concept)}"
        lines.append([Span(f" no score of this concept – {command}", tone="dim")])
    if not detail.words:
        return [*lines, [], [Span(f" no feature of {'either' if other else row.alias} has a keyword of it")]]
    return [*lines, [], *_words(detail, cells)]


def _words(detail: ConceptDetail, cells: int) -> list[Line]:
    n_columns = max(1, min(3, (cells - 1) // BLOCK))
    height = -(-len(detail.words) // n_columns)
    there = detail.other.alias if detail.other else ""
    head = f"{pad('keyword', WORD)} {detail.row.alias:>5} {there:>5} {'pairs' if there else '':>5}"
    lines: list[Line] = [[Span(f" {('   '.join([head] * n_columns))}", tone="dim")]]
    blocks = [_block(*word) for word in detail.words]
    for place in range(height):
        lines.append([Span(" " + "   ".join(blocks[place::height]))])
    return lines


def _block(word: str, here: int, there: int | None, pairs: int | None) -> str:
    numbers = (f"{'' if n is None else count(n):>5}" for n in (here, there, pairs))
    return f"{pad(clean(word), WORD)} {' '.join(numbers)}"
