"""Spans as text for a command's output: colour only on a terminal that wants it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import IO

from atlas.render.palette import DARK, ink, rgb
from atlas.render.spans import Span

_TONES = {"dim": "2", "strong": "1", "badge": "7", "accent": "1", "warn": "1", "bar": "", "": ""}

_UNDERLINES = {-1: "58;2;86;180;233", 1: "58;2;213;94;0"}
"""Colours of underlines by effect: blue for helped, red for hurt, told apart with every kind of colour vision."""


class Coding(Enum):
    """How activation is shown."""

    COLOUR = "colour"
    """Shaded backgrounds; the peak is bold and underlined too."""
    MONO = "mono"
    """Bold and underlined, `⟦⟧` around the peak; no colour code."""
    TEXT = "text"
    """Not one escape code; `⟦⟧` around the peak."""

    @property
    def brackets(self) -> bool:
        return self is not Coding.COLOUR


def coding_for(stream: IO[str], environment: Mapping[str, str] = os.environ) -> Coding:
    """What a stream can show: text where nobody looks, colour on 24-bit terminals unless NO_COLOR is set."""
    if not stream.isatty() or environment.get("TERM") == "dumb":
        return Coding.TEXT
    if environment.get("NO_COLOR") or environment.get("COLORTERM") not in ("truecolor", "24bit"):
        return Coding.MONO
    return Coding.COLOUR


def to_text(line: Iterable[Span], coding: Coding) -> str:
    return "".join(_piece(span, coding) for span in line).rstrip(" ")


def _piece(span: Span, coding: Coding) -> str:
    if coding is Coding.TEXT:
        return span.text
    codes = [_TONES[span.tone]]
    if span.peak:
        codes += ["1", "4"]
    shade = span.level or span.ground
    if coding is Coding.COLOUR and shade:
        background = DARK[shade]
        codes += ["38;2;{};{};{}".format(*rgb(ink(background))), "48;2;{};{};{}".format(*rgb(background))]
    if coding is Coding.COLOUR and span.effect:
        codes += ["4", _UNDERLINES[span.effect]]
    elif coding is Coding.MONO:
        codes += ["1"] if span.level >= 4 else ["4"] if span.level >= 2 else []
    codes = list(dict.fromkeys(code for code in codes if code))
    return f"\x1b[{';'.join(codes)}m{span.text}\x1b[0m" if codes else span.text
