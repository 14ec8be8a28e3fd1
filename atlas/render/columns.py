"""The columns of every table of the browser: one declaration each, from the field it shows to its width and order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from atlas.choices import DEFAULT_MEASURE
from atlas.render.numbers import correlation, count, percent, probability, share, strength, value_of
from atlas.render.text import clean


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    cells: int
    """Minimum width."""
    field: str = ""
    """Where it comes from: a field of the record, named as the column of the query that fills it."""
    cell: Callable[[Any], str] = str
    """From a record to what is shown."""
    right: bool = False
    grow: int = 0
    """Share of what is left over."""
    spare: int = 0
    """Columns with the highest number go first when the table is narrow; 0 stays."""
    sort: str = ""
    """The order that it shows, as queries and keys name it; empty if none."""
    rising: bool = False
    """That order begins with the smallest unless it is reversed."""


def row_cells(columns: Sequence[Column], row: Any) -> tuple[str, ...]:
    return tuple(column.cell(row) for column in columns)


def is_rising(columns: Sequence[Column], sort: str, *, reverse: bool) -> bool:
    """Whether an order, reversed or not, begins with the smallest."""
    return any(one.rising for one in columns if one.sort == sort) != reverse


def with_arrow(columns: Sequence[Column], sort: str, *, up: bool) -> list[Column]:
    arrow = "▲" if up else "▼"
    return [replace(one, title=one.title + arrow) if one.sort == sort else one for one in columns]


def words(tokens: Sequence[str]) -> str:
    """Different tokens, without the space before them; a token that is only a space shows as `␣`."""
    shown = dict.fromkeys(clean(token).strip() or "␣" for token in tokens)
    return " ".join(shown) or "·"


def _match(row: Any) -> str:
    if row.n_fired == 0:
        return "· dead"
    return f"{row.other} {correlation(row.value)}" if row.other else "·"


FEATURES = (
    Column("SAE", 4, "alias", lambda row: row.alias, sort="sae", rising=True),
    Column("feat", 6, "feature_id", lambda row: str(row.feature_id), right=True, sort="feature_id", rising=True),
    Column("density", 8, "density", lambda row: share(row.density), right=True, sort="density"),
    Column("active", 7, "mean_active", lambda row: strength(row.mean_active), right=True, spare=2, sort="mean_active"),
    Column("max", 6, "max", lambda row: strength(row.max), right=True, spare=1, sort="max"),
    Column("match", 6, "value", _match, sort="match"),
    Column("token", 8, "top_tokens", lambda row: words(row.top_tokens[:1]), grow=1, sort="token", rising=True),
    Column("label", 12, "label", lambda row: clean(row.label or ""), grow=1, sort="label", rising=True),
)
"""Of a `FeatureRow`."""


def pair_columns(a: str, b: str, measure: str, *, verdict: bool) -> list[Column]:
    """Of a `PairRow`, for SAEs of two aliases; `verdict` adds why a pair was dropped."""
    value = ("r", 7) if measure == DEFAULT_MEASURE else (measure[-13:], 14)
    return [
        Column(a, 7, "feature_a", lambda row: str(row.feature_a), right=True, sort="feature", rising=True),
        Column(b, 7, "feature_b", lambda row: str(row.feature_b), right=True, sort="partner", rising=True),
        Column(*value, "value", lambda row: value_of(row.value), right=True, sort="value"),
        Column("margin", 7, "margin", lambda row: value_of(row.margin), right=True, spare=2, sort="margin"),
        Column("both", 8, "n_ab", lambda row: "·" if row.n_ab is None else count(row.n_ab), right=True, sort="joint"),
        Column(f"n {a}", 8, "n_a", lambda row: count(row.n_a), right=True, spare=3, sort="n a"),
        Column(f"n {b}", 8, "n_b", lambda row: count(row.n_b), right=True, spare=3, sort="n b"),
        Column("mutual", 6, "mutual", lambda row: "·" if row.mutual is None else "✓" if row.mutual else "", spare=1),
        Column(f"tokens {a}", 10, "tokens_a", lambda row: words(row.tokens_a), grow=1),
        Column(f"tokens {b}", 10, "tokens_b", lambda row: words(row.tokens_b), grow=1),
        *([_DROPPED] if verdict else []),
    ]


_DROPPED = Column("dropped because", 15, "dropped_because", lambda row: row.dropped_because or "–", grow=1)

CONCEPTS = (
    Column("concept", 14, "concept", lambda row: clean(row.concept), grow=1, sort="concept", rising=True),
    Column("SAE", 4, "alias", lambda row: row.alias),
    Column("features", 9, "n_features", lambda row: count(row.n_features), right=True, sort="features"),
    Column("half", 6, "n_features_half", lambda row: count(row.n_features_half), right=True, sort="share", spare=2),
    Column("words", 8, "n_keywords", lambda row: f"{len(row.keywords_found)}/{row.n_keywords}", right=True, spare=1),
    Column("found", 20, "keywords_found", lambda row: clean(" ".join(row.keywords_found)), grow=3),
)
"""Of a `ConceptRow`."""

SCORES = (
    Column("no.", 5, "score_id", lambda row: str(row.score_id), right=True, sort="newest", spare=4),
    Column("metric", 14, "metric", lambda row: clean(row.metric)),
    Column("SAEs", 6, "alias_a", lambda row: f"{row.alias_a} {row.alias_b}"),
    Column("n", 6, "n", lambda row: count(row.n), right=True, sort="n"),
    Column("score", 6, "value", lambda row: correlation(row.value, digits=3), right=True, sort="value"),
    Column("null", 6, "null_mean", lambda row: correlation(row.null_mean, digits=3), right=True),
    Column("z", 6, "z", lambda row: "–" if row.z is None else f"{row.z:.1f}", right=True, sort="z", spare=3),
    Column("p", 8, "p_value", lambda row: probability(row.p_value), right=True, sort="p", rising=True),
    Column("adj. p", 8, "p_adjusted", lambda row: probability(row.p_adjusted), right=True, spare=1),
    Column("rows", 7, "space", lambda row: clean(row.space), spare=6),
    Column("null of", 7, "null_kind", lambda row: clean(row.null_kind), spare=5),
    Column("pairs", 10, "subset", lambda row: clean(row.subset), grow=1),
)
"""Of a `ScoreRow`."""


def orphan_columns(other: str) -> list[Column]:
    """Of an `OrphanRow`, whose best partner is in the SAE of an alias."""

    def best(row: Any) -> str:
        return "·" if row.partner is None else f"{other}:{row.partner}"

    return [
        Column("feat", 6, "feature_id", lambda row: str(row.feature_id), right=True, sort="feature", rising=True),
        Column("density", 8, "density", lambda row: share(row.density), right=True),
        Column("fires", 8, "n_fired", lambda row: count(row.n_fired), right=True, sort="fires", spare=3),
        Column("max", 6, "max", lambda row: strength(row.max), right=True, spare=4),
        Column("best", 7, "partner", best, right=True, spare=1),
        Column("value", 6, "value", lambda row: correlation(row.value, digits=3), right=True, sort="value"),
        Column("because", 19, "because", lambda row: clean(row.because), grow=2, spare=2),
        Column("tokens", 10, "top_tokens", lambda row: words(row.top_tokens), grow=1),
        Column("label", 6, "label", lambda row: clean(row.label or ""), grow=1),
    ]


def _hook(row: Any) -> str:
    return clean(row.hook_name.removeprefix("blocks.").replace(".hook_", "."))


SCANS = (
    Column("SAE", 3, "alias", lambda row: row.alias),
    Column("name", 18, "sae", lambda row: clean(row.sae), grow=3),
    Column("model", 10, "model", lambda row: clean(row.model), grow=1, spare=5),
    Column("hook", 12, "hook_name", _hook, grow=1, spare=6),
    Column("features", 9, "d_sae", lambda row: count(row.d_sae), right=True),
    Column("alive", 7, "n_alive", lambda row: percent(row.n_alive / row.d_sae), right=True, spare=1),
    Column("dense", 5, "n_dense", lambda row: count(row.n_dense), right=True, spare=4),
    Column("L0", 6, "l0", lambda row: f"{row.l0:.1f}", right=True, spare=2),
    Column("FVU", 5, "fvu", lambda row: "·" if row.fvu is None else f"{row.fvu:.3f}", right=True, spare=3),
    Column("corpus", 9, "corpus", lambda row: clean(row.corpus), grow=1),
    Column("tokens", 11, "n_tokens", lambda row: count(row.n_tokens), right=True),
)
"""Of a `Scan`."""

CUT = 14
"""Cells below which the text of a command's table is not cut any more."""

SPARE = """
software spec null_std null_mean d_in architecture exact_quantiles finished_at created_at corpus_b corpus n_tokens
doc_density std_active n_a n_b hook_name model is_concept margin z n_documents started_at n_dead median_active
mean_active n_fired
"""
"""Columns of a command's table, by name, that are hidden first, in this order; after them the rightmost."""


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
    minimum = [
        wide if number else min(wide, max(CUT, len(name)))
        for name, wide, number in zip(names, widths, numbers, strict=True)
    ]
    shown = list(range(len(names)))
    order = [names.index(name) for name in SPARE.split() if name in names]
    order += [place for place in reversed(shown) if place not in order]
    while len(shown) > 1 and sum(minimum[i] + 2 for i in shown) - 2 > room:
        shown.remove(order.pop(0))
    given = list(widths)
    while sum(given[i] + 2 for i in shown) - 2 > room:
        loose = [i for i in shown if given[i] > minimum[i]]
        if not loose:
            given[shown[0]] = max(1, room)  # one column, wider than the line
            break
        widest = max(loose, key=lambda i: given[i])
        given[widest] -= 1
    return shown, given
