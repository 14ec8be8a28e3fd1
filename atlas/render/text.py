"""Text of a corpus made safe to print, and its width in terminal cells."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_MARKS = {"\n": "⏎", "\t": "⇥"}
_SELECTORS = range(0xFE00, 0xFE10)  # choose between glyphs of the character before; no glyph of their own


@lru_cache(maxsize=65_536)
def clean(text: str) -> str:
    """Every character visible and safe to print: no escape sequence, no control, no change of writing direction.

    Line ends become `⏎`, tabs `⇥`, all spaces a plain space; controls, format characters (bidi marks, joiners),
    surrogates and unassigned code points become `·`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe(character) for character in text)


def harmless(text: str) -> str:
    """The same text if a terminal only prints it, else cleaned: a quick look for text that should be clean already."""
    return text if text.isprintable() else clean(text)


def _safe(character: str) -> str:
    if character in _MARKS:
        return _MARKS[character]
    kind = unicodedata.category(character)
    if kind == "Zs":
        return " "
    if ord(character) in _SELECTORS:
        return ""
    return "·" if kind[0] == "C" or kind in ("Zl", "Zp") else character


@lru_cache(maxsize=65_536)
def width(text: str) -> int:
    """Cells that cleaned text takes."""
    return len(text) if text.isascii() else sum(_cells(character) for character in text)


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut_right(text: str, cells: int, *, force: bool = False) -> str:
    """The beginning of a text in at most `cells` cells, ending in `…` if something was cut (or by `force`)."""
    if cells <= 0:
        return ""
    if not force and width(text) <= cells:
        return text
    kept, used = [], 0
    for character in text:
        size = _cells(character)
        if used + size > cells - 1:
            break
        kept.append(character)
        used += size
    return "".join(kept) + "…"


def last(text: str, cells: int) -> str:
    """The longest end of a text that takes at most `cells` cells."""
    start = len(text)
    for character in reversed(text):
        cells -= _cells(character)
        if cells < 0:
            break
        start -= 1
    return text[start:]


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """Exactly `cells` wide, to the left or to the right."""
    text = cut_right(text, cells)
    space = " " * (cells - width(text))
    return space + text if right else text + space
