"""Spans of text that two tokenizations share; a feature is as strong on a span as on its strongest token there.

The spans, here units, are the tokens of the coarser tokenization: that with fewer tokens on the shared text, a on a
tie. A token of the other belongs to every unit that it shares text with, not counting white space at its ends, as one
tokenizer puts a blank before a word where another puts it after. A token of white space only belongs to the units that
hold its white space. A unit without a token of the other is left out, and so is a token without a unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.pooled import largest_by_group
from atlas.pairing.tokens.cuts import Cut
from atlas.pairing.tokens.spans import Agreement, Places, first_difference, places


@dataclass(frozen=True, slots=True, eq=False)
class UnitTokens:
    """The tokens of one text by unit: those of unit u are `token[start[u] : start[u + 1]]`."""

    start: NDArray[np.int64]
    """(n_units + 1,) ascending, from 0; every unit has a token."""
    token: NDArray[np.int64]
    """(start[-1],) token_index, ascending in a unit."""

    @property
    def n_tokens(self) -> int:
        """Tokens that belong to a unit; those that belong to two count once."""
        return len(np.unique(self.token))


@dataclass(frozen=True, slots=True)
class SharedSample:
    """How much of two texts is compared."""

    n_tokens_a: int
    """Tokens of a that belong to a unit."""
    n_tokens_b: int
    """Tokens of b that belong to a unit."""
    n_documents: int
    """Documents in which the texts agree."""
    n_left_out: int
    """Documents in which they do not."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Two tokenizations of one text, unit by unit."""

    a: UnitTokens
    """Tokens of a."""
    b: UnitTokens
    """Tokens of b."""
    document: NDArray
    """(n_units,) document of each unit, ascending."""
    coarser: Literal["a", "b"]
    """Text whose tokens are the units."""
    n_documents: int
    """Documents in which the texts agree, as far as both have them."""
    n_left_out: int
    """Documents that both texts have and in which they do not agree."""
    difference: tuple[str, str] | None
    """How a and b continue where they differ in the first document left out, by `Cut.folded`; None if none is."""

    @property
    def n_units(self) -> int:
        """Spans on which features are compared."""
        return len(self.document)

    @property
    def sample(self) -> SharedSample:
        return SharedSample(self.a.n_tokens, self.b.n_tokens, self.n_documents, self.n_left_out)


def align(a: Cut, b: Cut) -> Alignment:
    """Find the spans of text that both have, comparing document by document; one may hold more of the text."""
    agreement = Agreement.of(a, b)
    x, y = a, b
    if not agreement.agree.all():
        # Only where bytes differ: it takes longer, and tokens that split a character then share it.
        x, y = (side.folded(~agreement.agree) for side in (a, b))
        agreement = Agreement.of(x, y)
    left_out = np.flatnonzero(~agreement.agree)
    sides = places(x, y, agreement)
    coarser = "a" if sides[0].inside.sum() <= sides[1].inside.sum() else "b"
    units, fine = sides if coarser == "a" else sides[::-1]
    unit, others = _overlaps(units, fine)
    own = UnitTokens(np.arange(len(unit) + 1), unit)
    return Alignment(
        a=own if coarser == "a" else others,
        b=others if coarser == "a" else own,
        document=(x if coarser == "a" else y).document[unit],
        coarser=coarser,
        n_documents=int(agreement.agree.sum()),
        n_left_out=len(left_out),
        difference=first_difference(x, y, int(left_out[0])) if len(left_out) else None,
    )


def to_units(activations: Any, tokens: UnitTokens) -> sp.csr_array:
    """The largest activation of every feature in every unit: (n_units, d_sae), in the precision of the activations.

    Args:
        activations: (n_tokens, d_sae) values >= 0, any SciPy sparse array.
        tokens: Which tokens of this text belong to which unit.
    """
    x: Any = sp.csr_array(activations)
    if len(tokens.token) and tokens.token.max() >= x.shape[0]:
        raise ValueError(f"token {tokens.token.max()} is outside the {x.shape[0]} tokens of the activations")
    return largest_by_group(x[tokens.token], tokens.start)


def _overlaps(units: Places, fine: Places) -> tuple[NDArray[np.int64], UnitTokens]:
    """Tokens of the coarser text that are units, and the tokens of the finer one that belong to each."""
    start, end = (side[units.inside] for side in units.whole)
    first = np.searchsorted(fine.content[1], start, side="right")
    last = np.searchsorted(fine.content[0], end, side="left")
    kept = last > first
    first, n = first[kept], (last - first)[kept]
    after = np.cumsum(n)
    chosen = np.repeat(first - (after - n), n) + np.arange(n.sum())
    return units.token[units.inside][kept], UnitTokens(np.append(0, after), fine.token[chosen])
