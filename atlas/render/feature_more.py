"""What is known of a feature beyond its pane: logit tokens, neighbours, statistics with their meaning, matches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from atlas.queries.browse_records import FeatureDetail, Scan
from atlas.queries.feature_records import FeatureMore, Match, PositionStat, Statistic, TokenStat
from atlas.references import FeatureRef
from atlas.render.histogram import block_rows
from atlas.render.numbers import correlation, count, percent, strength, value_of
from atlas.render.spans import Line, Span, folded
from atlas.render.text import clean

NO_LOGITS = "  no logit weights stored: the hook is not in the residual stream, or an older ingest"

WIDE = 80
"""Cells from which logit tokens and neighbours get a line each."""


def token_word(token: str) -> str:
    """A token by itself: its leading space shows as `␣`, so that ` a` and `a` differ."""
    text = clean(token)
    return "␣" + text[1:] if text.startswith(" ") else text or "·"


def brief_lines(more: FeatureMore, scan: Scan, cells: int) -> list[Line]:
    """Logit tokens and neighbours in three lines; in one where lines are short, and so the screen low."""
    if cells >= WIDE:
        return [*_logit_lines(more, 6), _neighbour_line(more, scan, 4)]
    line: Line = []
    for sign, name, most in ((1, "raises", 3), (-1, "  lowers", 2)):
        words = [token_word(item.token) for item in more.logits if item.sign == sign][:most]
        line += [Span(name, tone="dim"), Span(" " + " ".join(words))] if words else []
    return [[*line, *([Span("   ")] if line else []), *_neighbour_line(more, scan, 1)]]


def _logit_lines(more: FeatureMore, most: int) -> list[Line]:
    lines: list[Line] = []
    for sign, name in ((1, "raises "), (-1, "lowers ")):
        line: Line = [Span(name, tone="dim")]
        for item in [item for item in more.logits if item.sign == sign][:most]:
            line.append(Span(f"  {token_word(item.token)} {item.logit:+.2f}"))
        if len(line) == 1:
            line.append(Span(NO_LOGITS, tone="dim"))
        lines.append(line)
    return lines if more.logits else lines[:1]


def _neighbour_line(more: FeatureMore, scan: Scan, most: int) -> Line:
    line: Line = [Span("near   ", tone="dim")]
    if more.neighbours is None:
        return [*line, Span("  …", tone="dim")]
    if not more.neighbours:
        return [*line, Span("  no decoder row with a direction stored – featlas ingest … --replace", tone="dim")]
    for near in more.neighbours[:most]:
        word = f" {token_word(near.top_tokens[0])}" if near.top_tokens else ""
        line += [Span(f"  {scan.alias}:{near.feature_id} "), Span(correlation(near.cosine), tone="strong"), Span(word)]
    return line


def more_lines(detail: FeatureDetail, more: FeatureMore, cells: int) -> list[Line]:
    """All numbers with their meaning, all matches, tokens, places, logit tokens and neighbours, a section each."""
    return [
        *_section("statistics, with the meaning of each column", statistic_lines(more.statistics, cells)),
        *_section("activation pooled over whole documents", statistic_lines(more.pooled, cells)),
        *_section("best partners by every stored measure", match_lines(more.matches, detail.scan)),
        *_section("neighbours by decoder cosine", _neighbour_lines(more, detail.scan)),
        *_section("tokens on which it fires", token_lines(more.tokens)),
        *_section("places in the context", position_lines(more.positions, cells)),
        *_section("logit weights", [part for line in _logit_lines(more, 20) for part in folded(line, cells)]),
    ]


def _section(title: str, lines: Sequence[Line]) -> list[Line]:
    return [[], [Span(title, tone="strong")], *(lines or [[Span("none stored", tone="dim")]])]


def statistic_lines(statistics: Iterable[Statistic], cells: int) -> list[Line]:
    """Name, value and meaning; the meaning continues below where the line is short."""
    lines: list[Line] = []
    for item in statistics:
        value = count(item.value) if isinstance(item.value, int) else strength(item.value)
        head: Line = [Span(f"{item.name:<23}"), Span(f"{value:>9}  ", tone="strong")]
        first, *rest = folded([Span(word, tone="dim") for word in _words(item.meaning)], max(20, cells - 34))
        lines += [[*head, *first], *([Span(" " * 34), *line] for line in rest)]
    return lines


def _words(text: str) -> list[str]:
    return [f"{word} " for word in clean(text).split(" ")]


def match_lines(matches: Iterable[Match], scan: Scan) -> list[Line]:
    """One line a measure and SAE."""
    lines: list[Line] = []
    last = ""
    for match in matches:
        name = f"{match.alias:<3} {clean(match.sae):<24.24}" if match.sae != last else " " * 28
        last = match.sae
        head = Span(f"{name} {match.measure:<24}{match.alias}:{match.feature_id:<8}")
        mutual = Span("  mutual" if match.mutual else "", tone="dim")
        lines.append([head, Span(f"{value_of(match.value):>6}", tone="strong"), mutual])
    return lines or [[Span(f"none stored – featlas correlate {scan.alias} OTHER", tone="dim")]]


def _neighbour_lines(more: FeatureMore, scan: Scan) -> list[Line]:
    if not more.neighbours:
        return [_neighbour_line(more, scan, 0)]
    lines: list[Line] = []
    for near in more.neighbours:
        words = " ".join(dict.fromkeys(token_word(token) for token in near.top_tokens)) or "never fires here"
        name = str(FeatureRef(scan.alias, near.feature_id))
        cosine = Span(f"{correlation(near.cosine, digits=3):>6}", tone="strong")
        lines.append([Span(f"{name:<10}"), cosine, Span(f"  {words}")])
    return lines


def token_lines(tokens: Iterable[TokenStat]) -> list[Line]:
    """Token, how often, how strongly, and how much more often than by chance."""
    lines: list[Line] = []
    for item in tokens:
        head = f"{token_word(item.token):<16.16}  fires {count(item.n_fired):>7} of {count(item.n_tokens):>9}"
        rate = f"  {percent(item.n_fired / item.n_tokens):>7}  mean {strength(item.mean):>6}"
        lines.append([Span(head + rate), Span(f"  lift {strength(item.lift)}", tone="dim")])
    return lines


def position_lines(positions: Sequence[PositionStat], cells: int) -> list[Line]:
    """Share of the tokens on which it fires along the context, as bars of the linear share."""
    if not positions:
        return []
    length = 1 + max(item.position for item in positions)
    columns = min(length, max(10, cells - 2))
    fired, there = [0.0] * columns, [0.0] * columns
    for item in positions:
        column = item.position * columns // length
        fired[column] += item.n_fired
        there[column] += item.n_tokens
    shares = [a / b if b else 0.0 for a, b in zip(fired, there, strict=True)]
    bars = [Span(block_rows(shares, 1, linear=True)[0], tone="bar")]
    most = f"maximum {percent(max(shares))} of the tokens there"
    return [bars, [Span(f"0 … {length - 1}   {most}", tone="dim")]]
