"""Reads one line of the filter language."""

from __future__ import annotations

import math
import re
from typing import get_args

from atlas.errors import nearest
from atlas.filters.fields import FLAGS, NUMBERS, SHORT, SORTABLE, TEXTS, full_name, known_names
from atlas.filters.terms import Every, Filter, Flag, Match, Not, Number, Operator, Scope, Some, Sort, Term, Text
from atlas.filters.tokens import FilterError, Token, tokens

DEEPEST = 50
"""Brackets and negations inside each other."""

LONGEST = 2000
"""Characters of a filter."""

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([km%]?)", re.IGNORECASE | re.ASCII)
_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "%": 1e-2}
_MATCH = re.compile(r"(.+?)(<=|>=|!=|<|>|=)(.*)", re.DOTALL)


def parse_filter(line: str) -> Filter:
    """Read a filter; names of SAEs are not looked up yet.

    Raises:
        FilterError: It cannot be read; the message names the column and what would do.
    """
    if len(line) > LONGEST:
        raise FilterError(f"the filter is longer than {LONGEST:,} characters", LONGEST)
    return _Reader(tokens(line), len(line) + 1).filter()


def parse_sort(text: str, column: int = 1) -> Sort:
    """Read an order such as `-match`.

    Raises:
        FilterError: There is no such field.
    """
    name = full_name(text.removeprefix("-"))
    if name not in SORTABLE:
        raise _unknown("order", text.removeprefix("-"), column, list(SORTABLE))
    return Sort(name, text.startswith("-"))


def without_sort(line: str) -> str:
    """A filter that can be read, without the orders in it."""
    pieces = [piece for piece in tokens(line) if piece.kind == "field" and full_name(piece.name) == "sort"]
    for piece in reversed(pieces):
        end = piece.value_column - 1 + len(piece.text) + (2 if piece.quoted else 0)
        line = line[: piece.column - 1] + line[end:]
    return " ".join(line.split()) if pieces and '"' not in line else line.strip()


def is_unfinished(line: str) -> bool:
    """Whether the last word may become the name of a field or a flag: what it says will change with the next letter."""
    last = re.search(r"[A-Za-z_]\w*$", line)
    before = line[: last.start()] if last else ""
    if last is None or before.count('"') % 2 or before[-1:] not in ("", " ", "(", "-", "!"):
        return False
    return any(name.startswith(last[0].lower()) for name in (*known_names(), *FLAGS, *SHORT))


def is_plain_word(text: str) -> bool:
    """Whether a text is one bare word without a meaning of its own, so that it may be meant as a name."""
    try:
        pieces = tokens(text)
    except FilterError:
        return False
    return [piece.kind for piece in pieces] == ["word"] and full_name(text.strip()) not in FLAGS


class _Reader:
    """Walks over the pieces of one line."""

    def __init__(self, pieces: list[Token], end: int) -> None:
        """Begin at the first; `end` is the column after the last character."""
        self._pieces, self._at, self._end = pieces, 0, end
        self._depth = 0
        self._sort: Sort | None = None
        self._words: list[str] = []

    def filter(self) -> Filter:
        """The whole line."""
        term = self._some() if self._pieces else Every(())
        if self._next is not None:
            raise FilterError("this bracket closes nothing", self._next.column)
        return Filter(term, self._sort, tuple(self._words))

    @property
    def _next(self) -> Token | None:
        return self._pieces[self._at] if self._at < len(self._pieces) else None

    def _take(self) -> Token:
        self._at += 1
        return self._pieces[self._at - 1]

    def _some(self) -> Term:
        """Terms with `or` between them."""
        found = [self._every()]
        while self._next is not None and self._next.kind == "or":
            self._take()
            found.append(self._every())
        return found[0] if len(found) == 1 else Some(tuple(found))

    def _every(self) -> Term:
        """Terms one after the other, all of which must hold."""
        found = [self._one()]
        while self._next is not None and self._next.kind not in (")", "or"):
            if self._next.kind == "and":
                self._take()
            found.append(self._one())
        return found[0] if len(found) == 1 else Every(tuple(found))

    def _one(self) -> Term:
        """One term, its negation or a bracket."""
        piece = self._next
        if piece is None or piece.kind in (")", "or", "and"):
            raise FilterError("a term is missing here", piece.column if piece else self._end)
        self._take()
        if piece.kind in ("not", "("):
            return self._inner(piece)
        if piece.kind == "field":
            return self._field(piece)
        if piece.kind == "word" and full_name(piece.text) in FLAGS:
            return Flag(full_name(piece.text))
        self._words.append(piece.text)
        return Some((Text("token", "contains", piece.text), Text("label", "contains", piece.text)))

    def _inner(self, piece: Token) -> Term:
        """What stands behind a minus or in brackets."""
        if self._depth == DEEPEST:
            raise FilterError(f"more than {DEEPEST} brackets inside each other", piece.column)
        self._depth += 1
        term = Not(self._one()) if piece.kind == "not" else self._some()
        self._depth -= 1
        if piece.kind == "(":
            if self._next is None:
                raise FilterError("the bracket is not closed", piece.column)
            self._take()
        return term

    # fields -----------------------------------------------------------------------------------------------------

    def _field(self, piece: Token) -> Term:
        """A name with an operator and a value."""
        name = full_name(piece.name)
        if name not in (*known_names(), *FLAGS):
            raise _unknown("field", piece.name, piece.column, known_names())
        if not piece.text and not piece.quoted:
            raise FilterError(f"{piece.name}{piece.operator} needs a value", piece.value_column)
        if name == "sort":
            return self._order(piece)
        if name in ("match", "nomatch") and piece.operator == ":" and not _is_number(piece.text):
            return self._match(piece, opposite=name == "nomatch")
        if name in NUMBERS:
            return _number(name, piece)
        if name in TEXTS or name == "re":
            return self._text(name, piece)
        if name in ("sae", "model", "corpus"):
            if piece.operator not in ("=", ":"):
                raise FilterError(f"{name} is a name: {name}:{piece.text or 'A'}", piece.column)
            return Scope(name, piece.text, piece.value_column)
        raise FilterError(f"{name} takes no value: {name} or -{name}", piece.column)

    def _order(self, piece: Token) -> Term:
        """`sort:-max` is no condition: it holds for everything."""
        if piece.operator not in (":", "="):
            raise FilterError(f"sort{piece.operator} is no order", piece.column, hint="sort:-max")
        if self._depth:
            raise FilterError("an order stands outside brackets and without a minus before it", piece.column)
        self._sort = parse_sort(piece.text, piece.value_column)
        return Every(())

    def _text(self, name: str, piece: Token) -> Term:
        """A condition on a text."""
        if piece.operator not in (":", "=", "~"):
            raise FilterError(f"{piece.name} is a text: {piece.name}:exact or {piece.name}~part", piece.column)
        if name == "re":
            try:
                re.compile(piece.text)
            except (re.error, OverflowError, RecursionError) as error:
                raise FilterError(f"the regular expression cannot be read: {error}", piece.value_column) from error
            return Some((Text("token", "regex", piece.text), Text("label", "regex", piece.text)))
        self._words.append(piece.text)
        return Text(name, "contains" if piece.operator == "~" else "exact", piece.text)

    def _match(self, piece: Token, *, opposite: bool) -> Term:
        """The best partner in one SAE: that there is one, or how good it is."""
        split = None if piece.quoted else _MATCH.fullmatch(piece.text)
        if split is None:
            term = Match(piece.text, ">=", -math.inf, piece.value_column)
        else:
            column = piece.value_column + split.start(3)
            term = Match(split[1], _operator(split[2]), _value(split[3], column), piece.value_column)
        return Not(term) if opposite else term


def _number(name: str, piece: Token) -> Term:
    """A condition on a number: a bound, a value, or a range with both ends in it."""
    low, dots, high = piece.text.partition("..")
    if piece.operator in (":", "=") and dots:
        ends: list[Term] = []
        if low:
            ends.append(Number(name, ">=", _value(low, piece.value_column)))
        if high:
            ends.append(Number(name, "<=", _value(high, piece.value_column + len(low) + 2)))
        if not ends:
            raise FilterError("a range needs an end", piece.value_column, hint=f"{piece.name}:1..5")
        return Every(tuple(ends))
    if piece.operator == "~":
        raise FilterError(f"{piece.name} is a number: {piece.name}>0", piece.column)
    operator = "=" if piece.operator == ":" else piece.operator
    return Number(name, _operator(operator), _value(piece.text, piece.value_column))


def _operator(text: str) -> Operator:
    return next(operator for operator in get_args(Operator) if operator == text)


def _is_number(text: str) -> bool:
    return all(not part or _NUMBER.fullmatch(part) for part in text.split("..", 1))


def _value(text: str, column: int) -> float:
    """A number as it is written: `1e-4`, `5k`, `2%`."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise FilterError(f"{text!r} is no number" if text else "a number is missing here", column)
    return float(found[1]) * _SCALE[found[2].lower()]


def _unknown(kind: str, name: str, column: int, known: list[str]) -> FilterError:
    near = nearest(name, known)
    asked = f" – did you mean {near!r}?" if near else ""
    return FilterError(f"no {kind} {name!r}{asked}", column, hint=f"known: {', '.join(known)}")
