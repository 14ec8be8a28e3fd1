"""Columns and cells of the long lists, and the switcher of SAEs."""

from __future__ import annotations

from dataclasses import replace

from atlas.filters.terms import Sort
from atlas.queries.browse_records import FeatureRow, PairRow
from atlas.render.feature_more import value_of
from atlas.render.numbers import correlation, count, share, strength
from atlas.render.spans import Line, Span
from atlas.render.text import clean
from tui.widgets.vtable import Column

SORTED = {"sae": 0, "feature_id": 1, "density": 2, "mean_active": 3, "max": 4, "match": 5, "token": 6, "label": 7}
"""Orders of the feature table, each with the place of its column."""

SORTED_PAIRS = {"feature": 0, "partner": 1, "value": 2, "margin": 3, "joint": 4, "n a": 5, "n b": 6}
"""Orders of the pair list, each with the place of its column."""


def switcher(aliases: list[str], chosen: str | None) -> Line:
    """`A│B│C` with the chosen one marked; only that one where there are too many."""
    aliases = list(dict.fromkeys(aliases))
    if len(aliases) > 12:
        return [Span(f"[{chosen}]" if chosen else "all", tone="strong"), Span(f" of {len(aliases)}  ", tone="dim")]
    line: Line = []
    for alias in aliases:
        line += [Span("│", tone="dim")] if line else []
        line.append(Span(f"[{alias}]" if alias == chosen else alias, tone="strong" if alias == chosen else "dim"))
    return [*line, Span("  ")]


def columns_for(sort: Sort) -> list[Column]:
    """The columns; the one that sorts has an arrow."""
    columns = [
        Column("SAE", 4),
        Column("feat", 6, right=True),
        Column("density", 8, right=True),
        Column("active", 7, right=True, spare=2),
        Column("max", 6, right=True, spare=1),
        Column("match", 6),
        Column("token", 8, grow=1),
        Column("label", 12, grow=1),
    ]
    place = SORTED.get(sort.field)
    if place is None:
        return columns
    columns[place] = replace(columns[place], spare=0)  # what sorts is always shown
    return _with_arrow(columns, place, up=not sort.descending)


def pair_columns(
    alias_a: str, alias_b: str, sort: str, *, ascending: bool, verdict: bool, measure: str = "activation"
) -> list[Column]:
    """The columns of the pair list; `verdict` adds why a pair was dropped."""
    columns = [
        Column(alias_a, 7, right=True),
        Column(alias_b, 7, right=True),
        Column("r" if measure == "activation" else measure[-13:], 7 if measure == "activation" else 14, right=True),
        Column("margin", 7, right=True, spare=2),
        Column("both", 8, right=True),
        Column(f"n {alias_a}", 8, right=True, spare=3),
        Column(f"n {alias_b}", 8, right=True, spare=3),
        Column("mutual", 6, spare=1),
        Column(f"tokens {alias_a}", 10, grow=1),
        Column(f"tokens {alias_b}", 10, grow=1),
        *([Column("dropped because", 15, grow=1)] if verdict else []),
    ]
    return _with_arrow(columns, SORTED_PAIRS[sort], up=ascending != (sort in ("feature", "partner")))


def _with_arrow(columns: list[Column], place: int, *, up: bool) -> list[Column]:
    """Mark the column that sorts."""
    columns[place] = replace(columns[place], title=columns[place].title + ("▲" if up else "▼"))
    return columns


def cells_of(row: FeatureRow, *, marked: bool = False) -> tuple[str, ...]:
    """One line of the table."""
    match = "· dead" if row.n_fired == 0 else f"{row.other} {correlation(row.value)}" if row.other else "·"
    return (
        f"{row.alias}*" if marked else row.alias,
        str(row.feature_id),
        share(row.density),
        strength(row.mean_active),
        strength(row.max),
        match,
        words(row.top_tokens[:1]),
        clean(row.label or ""),
    )


def pair_cells(row: PairRow) -> tuple[str, ...]:
    """One line of the pair list."""
    return (
        str(row.feature_a),
        str(row.feature_b),
        value_of(row.value),
        value_of(row.margin),
        "·" if row.n_ab is None else count(row.n_ab),
        count(row.n_a),
        count(row.n_b),
        "·" if row.mutual is None else "✓" if row.mutual else "",
        words(row.tokens_a),
        words(row.tokens_b),
        row.dropped_because or "–",
    )


def words(tokens: list[str]) -> str:
    """Different tokens, without the space before them; a token that is only a space shows as `␣`."""
    shown = dict.fromkeys(clean(token).strip() or "␣" for token in tokens)
    return " ".join(shown) or "·"
