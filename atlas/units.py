"""What a comparison of two SAEs counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Unit = Literal["tokens", "documents", "spans"]
"""`spans`: pieces of a text that two tokenizers cut, as `atlas.pairing.alignment` finds them."""


def unit_of(measure: str, corpus: str, corpus_b: str) -> Unit:
    """What the tokens of a pairing or a matching by this measure are.

    Args:
        measure: Name of the measure.
        corpus: Corpus of A.
        corpus_b: Corpus of B; where it is another, the two are cuts of one text.
    """
    if measure.startswith("activation_document"):
        return "documents"
    return "tokens" if corpus == corpus_b else "spans"


def variant(space: str, options: Mapping[str, Any]) -> str:
    """Which rows, and which of a metric's variants, in words."""
    chosen = ", ".join(
        name if value is True else f"{name} {value}" for name, value in options.items() if value is not False
    )
    return f"{space} rows" + (f", {chosen}" if chosen else "")
