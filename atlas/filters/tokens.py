"""Cuts one line of the filter language into pieces, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from atlas.errors import UsageError

_HEAD = re.compile(r"([A-Za-z_]\w*)(<=|>=|!=|<|>|=|:|~)")
_BARE = re.compile(r"[^\s()\"]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/")
_KEYWORDS = ("or", "and", "not")

Kind = Literal["(", ")", "not", "or", "and", "word", "text", "field"]


class FilterError(UsageError):
    """A filter that cannot be read. `column` counts from 1."""

    def __init__(self, what: str, column: int, *, hint: str | None = None) -> None:
        super().__init__(f"{what} (column {column})", hint=hint)
        self.column = column


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a filter."""

    kind: Kind
    """`word` is bare, `text` quoted, `field` a name with an operator and a value."""
    column: int
    """From 1."""
    text: str = ""
    """The word, the quoted text, or the value of a field without its quotes."""
    name: str = ""
    """Of a field, as written."""
    operator: str = ""
    """Of a field."""
    quoted: bool = False
    """The value of a field was quoted."""
    value_column: int = 0
    """Where the value of a field begins."""


def tokens(line: str) -> list[Token]:
    """The pieces of a filter.

    Raises:
        FilterError: A quote or a regular expression is not closed.
    """
    found: list[Token] = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        token, at = _token(line, at)
        found.append(token)
    return found


def _token(line: str, at: int) -> tuple[Token, int]:
    """The piece that begins at a place, and where it ends."""
    character, column = line[at], at + 1
    if character in "()":
        return Token("(" if character == "(" else ")", column), at + 1
    if character in "-!" and line[at + 1 : at + 2].strip():
        return Token("not", column), at + 1
    if character == '"':
        text, end = _quoted(line, at)
        return Token("text", column, text), end
    if head := _HEAD.match(line, at):
        text, end, quoted = _value(line, head)
        return Token("field", column, text, head[1], head[2], quoted, head.end() + 1), end
    bare = _BARE.match(line, at)
    assert bare is not None  # every character but space, bracket and quote is one
    word = bare[0]
    return Token(word.lower() if word.lower() in _KEYWORDS else "word", column, word), bare.end()  # type: ignore[arg-type]


def _value(line: str, head: re.Match[str]) -> tuple[str, int, bool]:
    """The value after an operator, where it ends, and whether it was quoted."""
    at = head.end()
    if line[at : at + 1] == '"':
        return *_quoted(line, at), True
    if head[1].lower() == "re" and line[at : at + 1] == "/":
        found = _REGEX.match(line, at)
        if found is None:
            raise FilterError("the regular expression is not closed", at + 1, hint="re:/^ ?[A-Z]/")
        return found[1].replace("\\/", "/"), found.end(), True
    bare = _BARE.match(line, at)
    return (bare[0], bare.end(), False) if bare else ("", at, False)


def _quoted(line: str, at: int) -> tuple[str, int]:
    """The text in quotes, and where it ends."""
    found = _QUOTED.match(line, at)
    if found is None:
        raise FilterError("the quote is not closed", at + 1)
    return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL), found.end()
