"""A report as one page of HTML: no scripts, nothing from the network, figures inside it as SVG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from atlas.queries.grids import GridCell, GridTable

_STYLE = """
body{font:15px/1.45 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#111}
table{border-collapse:collapse;font-size:13px;margin:.5em 0}
td,th{padding:.25em .6em;border:1px solid #ccc;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}
pre{background:#f5f5f5;padding:.6em;overflow-x:auto;font-size:12px;white-space:pre}
pre.said{white-space:pre-wrap} .wide{overflow-x:auto} svg{max-width:100%;height:auto} .bad{color:#a00}
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report."""

    title: str
    """Its heading."""
    command: str
    """What shows the same on the command line."""
    body: str
    """HTML, escaped where it came from data."""


def page(title: str, sections: Sequence[Section]) -> str:
    """The whole page.

    Args:
        title: Plain text.
        sections: In the order in which they are shown.
    """
    links = "".join(f'<li><a href="#s{i}">{escape(s.title)}</a></li>' for i, s in enumerate(sections))
    parts = "".join(
        f'<section id="s{i}"><h2>{escape(s.title)}</h2><pre>{escape(s.command)}</pre>{s.body}</section>\n'
        for i, s in enumerate(sections)
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1><ul>{links}</ul>\n{parts}</body></html>\n"
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; numbers with four digits, at the right."""
    if not rows:
        return "<p>none</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def grid(found: GridTable) -> str:
    """A grid of scores, each with its null and its n; the sample above."""
    head = found.head
    sample = f"{head.metric} of {head.space} rows; {head.subset}; null: {head.null_kind}, {head.null_n:,} draws"
    names = "".join(f"<th>{escape(label)}<br><small>{escape(name)}</small></th>" for name, label in found.columns)
    body = []
    for i, (name, label) in enumerate(found.rows):
        cells = "".join(_score(found.at(i, j)) for j in range(len(found.columns)))
        body.append(f"<tr><th>{escape(label)}<br><small>{escape(name)}</small></th>{cells}</tr>")
    about = "* p adjusted for the grid is 0.05 or less"
    shown = f'<div class="wide"><table><tr><th></th>{names}</tr>{"".join(body)}</table></div>'
    return f"<p>{escape(sample)}; {about}</p>{shown}"


def said(text: str, *, bad: bool = False) -> str:
    """What a command printed; red where it is an error."""
    return f'<pre class="{"said bad" if bad else "said"}">{escape(text)}</pre>'


def inline_svg(text: str) -> str:
    """A saved SVG without what only a file of its own needs."""
    start = text.find("<svg")
    return re.sub(r"<metadata>.*?</metadata>", "", text[max(start, 0) :], flags=re.DOTALL)


def _cell(value: object) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, float):
        return f'<td class="n">{value:.4g}</td>'
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"


def _score(cell: GridCell | None) -> str:
    """A cell whose shade grows with the score."""
    if cell is None:
        return "<td></td>"
    if cell.value is None:
        return f"<td>–<br><small>{escape(cell.problem or '')}</small></td>"
    share = max(0.0, min(1.0, cell.value))
    mark = "*" if cell.p_adjusted is not None and cell.p_adjusted <= 0.05 else ""
    null = "" if cell.null_mean is None else f"null {cell.null_mean:.2f}, "
    style = f"background:rgba(0,114,178,{share:.2f});color:{'#fff' if share > 0.6 else '#000'}"
    return f'<td style="{style}">{cell.value:.2f}{mark}<br><small>{null}n {cell.n:,}</small></td>'
