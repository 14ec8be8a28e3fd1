"""Comparisons, matchings, scores and grids of an atlas, and what is missing with the command that adds it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from atlas.choices import DEFAULT_MEASURE
from atlas.queries.browse_records import Pairing, Scan
from atlas.queries.overview import Overview, StoredMatching
from atlas.render.numbers import count, value_of
from atlas.render.spans import Line, Span, folded, line_width
from atlas.render.text import clean

_NAME = 18


def overview_lines(scans: Sequence[Scan], pairings: Sequence[Pairing], held: Overview | None, cells: int) -> list[Line]:
    """Everything below the table of scans."""
    missing = [line for step in _missing_lines(scans, pairings, held) for line in _fitted(step, cells)]
    if not scans:
        return missing
    lines = _section("missing", "what adds it", missing)
    lines += [[], _title("comparisons", "median best · by chance"), *_comparison_lines(pairings, cells)]
    if held is None:
        return lines
    lines += _section("matchings", "pairs · mean value · by chance", [_matching_line(m) for m in held.matchings])
    scores: list[Line] = [
        [
            Span(f" {clean(s.metric):<{_NAME}}"),
            Span(f"{count(s.n)}", tone="strong"),
            Span(f"   p <= .05: {count(s.n_beyond)}", tone="dim"),
        ]
        for s in held.scores
    ]
    grids: list[Line] = [
        [
            Span(f" {clean(g.metric):<{_NAME}}"),
            Span(f"{g.n_rows} x {g.n_columns}", tone="strong"),
            Span(f"   {count(g.n_scored)} of {count(g.n_cells)} cells have a score   grid {g.grid_id}", tone="dim"),
        ]
        for g in held.grids
    ]
    return [*lines, *_section("scores", "by metric", scores), *_section("grids", "SAEs x SAEs", grids)]


def _title(name: str, about: str) -> Line:
    return [Span(f" {name}", tone="strong"), Span(f"   {about}", tone="dim")]


def _section(name: str, about: str, lines: list[Line]) -> list[Line]:
    return [[], _title(name, about), *lines] if lines else []


def _comparison_lines(pairings: Sequence[Pairing], cells: int) -> list[Line]:
    grouped: dict[tuple[str, str, str, str], list[Pairing]] = {}
    for p in pairings:
        grouped.setdefault((p.alias_a, p.alias_b, p.corpus, p.corpus_b), []).append(p)
    lines: list[Line] = []
    for (alias_a, alias_b, corpus, _), stored in grouped.items():
        line: Line = []
        for p in sorted(stored, key=lambda p: (p.measure != DEFAULT_MEASURE, p.measure)):
            line.append(Span(f"{clean(p.measure)} {value_of(p.median_best)} · {value_of(p.chance)}   "))
        line.append(Span(f"{clean(corpus)}, {count(stored[0].n_tokens)} tokens", tone="dim"))
        names = f" {alias_a} ↔ {alias_b}" + (" (inside one SAE)" if alias_a == alias_b else "")
        first, *rest = folded(line, max(20, cells - _NAME))
        lines += [[Span(f"{names:<{_NAME}}"), *first], *([Span(" " * _NAME), *more] for more in rest)]
    return lines or [[Span(" none", tone="dim")]]


def _matching_line(matching: StoredMatching) -> Line:
    names = f" {matching.alias_a} ↔ {matching.alias_b}"
    mean = value_of(matching.total / matching.n_pairs) if matching.n_pairs else "–"
    proof = "   proved optimal" if matching.certified and matching.method == "assignment" else ""
    return [
        Span(f"{names:<{_NAME}}"),
        Span(f"{clean(matching.method)} by {clean(matching.measure)}  ", tone="dim"),
        Span(f"{count(matching.n_pairs)} · {mean} · {value_of(matching.chance)}"),
        Span(proof, tone="dim"),
    ]


def _missing_lines(scans: Sequence[Scan], pairings: Sequence[Pairing], held: Overview | None) -> list[Line]:
    if held is None:
        return []
    several = len({scan.corpus for scan in scans}) > 1
    lines: list[Line] = []
    never = [u.alias for u in held.unmeasured if u.corpus is None]
    silent = [u for u in held.unmeasured if u.corpus is not None]
    if never:
        lines.append(_step(f"measured on no corpus: {' '.join(never)}", "featlas ingest --help"))
    if silent:
        names = " ".join(dict.fromkeys(u.alias for u in silent))
        lines.append(_step(f"kept no activations: {names}", "featlas ingest … --replace, without --no-store"))
    if held.missing:
        names = " ".join(f"{m.alias_a}↔{m.alias_b}" for m in held.missing)
        first, left = held.missing[0], held.missing[0].n_missing - len(held.missing)
        where = f" --corpus {shlex.quote(clean(first.corpus))}" if several else ""
        words = f"not compared: {names}" + (f" and {count(left)} more" if left else "")
        lines.append(_step(words, f"featlas correlate {first.alias_a} {first.alias_b}{where}"))
    compared = next((p for p in pairings if p.measure == DEFAULT_MEASURE and p.sae_a != p.sae_b), None)
    if compared is None:
        return lines
    names = f"{compared.alias_a} {compared.alias_b}"
    where = f" --corpus {shlex.quote(clean(compared.corpus))}" if several else ""
    unkept = {u.alias for u in silent}
    if not held.matchings and not {compared.alias_a, compared.alias_b} & unkept:
        lines.append(_step("no matching one to one", f"featlas match {names} --method assignment{where}"))
    if not held.scores:
        lines.append(_step("no score of two feature spaces", f"featlas metric svcca {names}{where}"))
    if not held.grids:
        command = f"featlas matrix svcca --rows {compared.alias_a} --cols {compared.alias_b}{where}"
        lines.append(_step("no grid of scores", command))
    return lines


def _fitted(step: Line, cells: int) -> list[Line]:
    """What is missing and what to type on one line, or each whole on lines of its own."""
    if line_width(step) < cells:
        return [step]
    what, gap, command = step
    return [*_words(what, cells - 1), *([gap, *more] for more in _words(command, cells - 4))]


def _words(span: Span, cells: int) -> list[Line]:
    words = span.text.split(" ")
    return folded([replace(span, text=f"{word} ") for word in words[:-1]] + [replace(span, text=words[-1])], cells)


def _step(what: str, command: str) -> Line:
    return [Span(f" {what}", tone="dim"), Span("   "), Span(command)]
