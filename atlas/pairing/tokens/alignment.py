"""Spans of text that two tokenizations share; a feature is as strong on a span as on its strongest token there.

The spans, here units, are the tokens of the coarser tokenization: that with fewer tokens on the shared text, a on a
tie. A token of the other belongs to every unit that it shares text with, not counting white space at its ends, as one
tokenizer puts a blank before a word where another puts it after. A token of white space only belongs to the units that
hold its white space. A unit without a token of the other is left out, and so is a token without a unit.

Two texts agree in a document if they do without their white space, as far as both have it. White space has positions in
between: byte by byte where both texts have the same there, and one position for all of it where they differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.pooled import largest_by_group
from atlas.pairing.tokens.tokenized import TokenizedText


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
    """How a and b continue where they differ in the first document left out, both folded; None if none is."""

    @property
    def n_units(self) -> int:
        """Spans on which features are compared."""
        return len(self.document)

    @property
    def sample(self) -> SharedSample:
        return SharedSample(self.a.n_tokens, self.b.n_tokens, self.n_documents, self.n_left_out)


def align(a: TokenizedText, b: TokenizedText) -> Alignment:
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


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Which documents two texts share."""

    agree: NDArray[np.bool_]
    """(documents of the shorter text,) whether a document is the same as far as both texts have it."""
    n_content: NDArray[np.int64]
    """(documents of the shorter text,) number of codes other than white space that both have."""

    @classmethod
    def of(cls, a: TokenizedText, b: TokenizedText) -> Agreement:
        """Compare document by document; the last of each text may end early."""
        n_documents = min(a.n_documents, b.n_documents)
        n_a, n_b = (np.diff(side.content_starts)[:n_documents] for side in (a, b))
        n_content = np.minimum(n_a, n_b)
        after = np.cumsum(n_content)
        source = np.arange(n_content.sum()) - np.repeat(after - n_content, n_content)
        of_a, of_b = (
            side.codes[side.content[source + np.repeat(side.content_starts[:n_documents], n_content)]]
            for side in (a, b)
        )
        differ = np.searchsorted(after, np.flatnonzero(of_a != of_b), side="right")
        number = np.arange(n_documents)
        cut_short = ((n_a < n_b) & (number == a.n_documents - 1)) | ((n_b < n_a) & (number == b.n_documents - 1))
        return cls(((n_a == n_b) | cut_short) & (n_content > 0) & ~np.isin(number, differ), n_content)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Tokens of one text that are in the shared text; places count its codes and the gaps between them."""

    token: NDArray[np.int64]
    """(n,) index of each token in its text, ascending."""
    whole: tuple[NDArray[np.int64], NDArray[np.int64]]
    """(n,) first place of each token, and one past its last; both ascending."""
    content: tuple[NDArray[np.int64], NDArray[np.int64]]
    """(n,) first place and one past the last without white space at the ends; of a token of white space, the whole."""
    inside: NDArray[np.bool_]
    """(n,) whether the token ends before the shared text does."""


def places(a: TokenizedText, b: TokenizedText, agreement: Agreement) -> tuple[Places, Places]:
    """Places of the tokens of the documents that agree."""
    codes_a, codes_b = (_Codes.of(side, agreement) for side in (a, b))
    n_a, n_b = codes_a.gap_lengths(), codes_b.gap_lengths()
    alike = n_a == n_b
    spaces_a, spaces_b = (side.spaces[alike[side.gap[side.spaces]]] for side in (codes_a, codes_b))
    alike[codes_a.gap[spaces_a[a.codes[spaces_a] != b.codes[spaces_b]]]] = False
    width = np.where(alike, n_a, 1)
    return codes_a.places(a, alike, width), codes_b.places(b, alike, width)


@dataclass(frozen=True, slots=True, eq=False)
class _Codes:
    """Gaps of the codes of one text: gap 0 of a document is before its first code other than white space."""

    shared: NDArray[np.bool_]
    """(n_documents,) whether the document is one that agrees."""
    gap: NDArray[np.int64]
    """(n_codes,) gap that a code is in, or after, over all documents that agree; undefined in the others."""
    beyond: NDArray[np.bool_]
    """(n_codes,) whether a code is after the last that both texts have."""
    spaces: NDArray[np.int64]
    """(n_spaces,) codes of white space in the shared text."""
    n_gaps: int
    """Number of gaps."""

    @classmethod
    def of(cls, text: TokenizedText, agreement: Agreement) -> _Codes:
        """Count the codes before each code in its document."""
        shared = np.zeros(text.n_documents, bool)
        n_content = np.zeros(text.n_documents, np.int64)
        shared[: len(agreement.agree)] = agreement.agree
        n_content[: len(agreement.agree)] = np.where(agreement.agree, agreement.n_content, -1)
        n_codes = np.diff(text.code_starts)
        n_gaps = np.where(shared, n_content + 1, 0)
        rank = np.cumsum(~text.space) - ~text.space - np.repeat(text.content_starts[:-1], n_codes)
        last = np.repeat(n_content, n_codes)
        beyond = (rank > last) | ((rank == last) & ~text.space)
        spaces = np.flatnonzero(text.space & ~beyond & np.repeat(shared, n_codes))
        gap = np.repeat(np.cumsum(n_gaps) - n_gaps, n_codes) + np.minimum(rank, last)
        return cls(shared, gap, beyond, spaces, int(n_gaps.sum()))

    def gap_lengths(self) -> NDArray[np.int64]:
        """(n_gaps,) codes of white space in each gap."""
        return np.bincount(self.gap[self.spaces], minlength=self.n_gaps)

    def places(self, text: TokenizedText, alike: NDArray[np.bool_], width: NDArray[np.int64]) -> Places:
        """Places of the tokens, from whether both texts have the same white space in each gap, and the places it takes.

        One more place follows each gap, for the code after it or the end of the document.
        """
        start = np.cumsum(width + 1) - (width + 1)
        place = np.append(start + width, 0)[np.minimum(self.gap, self.n_gaps)]
        of_space, lengths = self.gap[self.spaces], self.gap_lengths()
        rank = np.arange(len(of_space)) - (np.cumsum(lengths) - lengths)[of_space]
        place[self.spaces] = start[of_space] + np.where(alike[of_space], rank, 0)
        token = np.flatnonzero(self.shared[text.document] & (text.end > text.begin))
        first, last = text.begin[token], text.end[token] - 1
        low, high = np.searchsorted(text.content, first), np.searchsorted(text.content, last, side="right") - 1
        has_content = low <= high
        content = np.append(text.content, 0)
        inner = (np.where(has_content, content[low], first), np.where(has_content, content[high], last))
        content_places = (place[inner[0]], place[inner[1]] + 1)
        return Places(token, (place[first], place[last] + 1), content_places, ~self.beyond[last])


def first_difference(a: TokenizedText, b: TokenizedText, document: int, *, n_codes: int = 40) -> tuple[str, str]:
    """How two texts continue, for `n_codes` characters, where they differ in a document folded in both; "" at ends."""
    contents = [side.content[slice(*side.content_starts[document : document + 2])] for side in (a, b)]
    n = min(map(len, contents))
    differ = np.flatnonzero(a.codes[contents[0][:n]] != b.codes[contents[1][:n]])
    at = int(differ[0]) if len(differ) else n
    ends = [int(side.code_starts[document + 1]) for side in (a, b)]
    begins = [int(here[at]) if at < len(here) else end for here, end in zip(contents, ends, strict=True)]
    shown = [
        "".join(map(chr, side.codes[begin : min(begin + n_codes, end)]))
        for side, begin, end in zip((a, b), begins, ends, strict=True)
    ]
    return shown[0], shown[1]
