"""What a document is, and how one is read from a row with named fields."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas.errors import AtlasError


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a row are read."""

    text: str = "text"
    """Field with the text, or with a list of token ids."""
    label: str | None = None
    """Field with a number or boolean; None to read none."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a corpus, as text or as token ids."""

    text: str = ""
    """Its text, without white space at both ends; empty if there are token ids."""
    token_ids: np.ndarray | None = None
    """(tokens,) integers, if it is tokenised already; else None."""
    label: float = math.nan
    """Its number under the label field; NaN if it has none."""
    begins: bool = True
    """False for token ids that continue the document before: a long one comes in pieces."""


def document_of(row: object, fields: Fields, place: str) -> Document | None:
    """The document that a row holds; None if it is empty.

    Args:
        row: A mapping from field to value.
        fields: What to read.
        place: File and line, for messages.

    Raises:
        AtlasError: The row has no text under the field, or a label that is not a number.
    """
    if not isinstance(row, Mapping):
        why = "it is not an object"
        raise AtlasError(f"{place} has no string under {quoted(fields.text)}", why=why, hint=_row_hint(fields))
    value = row.get(fields.text)
    label = math.nan if fields.label is None else label_of(row.get(fields.label), fields.label, place)
    if isinstance(value, str):
        if not _is_unicode(value):
            why = "it holds half of a surrogate pair, such as \\ud800, which is not a character"
            raise AtlasError(f"{place} is not text", why=why, hint="write the line again from its source")
        text = value.strip()
        return Document(text=text, label=label) if text else None
    if isinstance(value, list | tuple | np.ndarray) and all(type(item) is int for item in value):
        return Document(token_ids=np.array(value, np.int64), label=label) if len(value) else None
    if value is None and fields.text in row:
        return None
    raise AtlasError(
        f"{place} has no string under {quoted(fields.text)}",
        why=f"its keys are {', '.join(map(repr, row)) or 'none'}",
        hint=field_hint((key for key, held in row.items() if isinstance(held, str)), _row_hint(fields)),
    )


def label_of(value: object, field: str, place: str) -> float:
    """A label as a number: NaN for none.

    Raises:
        AtlasError: It is neither a number nor a boolean.
    """
    if value is None:
        return math.nan
    if isinstance(value, bool | int | float):
        with suppress(OverflowError):  # a whole number of hundreds of digits
            return float(value)
    shown = f"{value!r:.100}" if not isinstance(value, int) else "a number too large"
    raise AtlasError(
        f"{place} has no number under {quoted(field)}",
        why=f"it has {shown if len(shown) < 60 else shown[:60] + '…'}",
        hint="--label-field takes a field with numbers or true and false",
    )


def field_hint(candidates: Iterable[Any], otherwise: str) -> str:
    """What to type when a text field is not there: the first field that could be meant."""
    first = next(iter(candidates), None)
    return otherwise if first is None else f"--text-field {first}"


def quoted(field: str) -> str:
    return f'"{field}"'


def _row_hint(fields: Fields) -> str:
    return f'every line must be {{{quoted(fields.text)}: "…"}}'


def _is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
