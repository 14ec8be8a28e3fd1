"""A text as the tokens of one tokenizer spell it, in bytes, or with characters folded where tokenizers change them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_BROKEN_BYTE = re.compile(rb"<0x([89A-F][0-9A-F])>")
_SPACES = tuple(c.encode() for c in map(chr, range(0x3001)) if c.isspace())
_CONTINUES = "##"
_PUT_ASIDE = ("Mn", "Cc", "Cf", "Cs")


@dataclass(frozen=True, eq=False)
class TokenizedText:
    """A text as documents and tokens: a tokenization."""

    codes: NDArray
    """(n_codes,) uint8 bytes of the text, or uint32: bytes, and the folded characters of some documents."""
    space: NDArray[np.bool_]
    """(n_codes,) whether a code belongs to white space."""
    begin: NDArray[np.int64]
    """(n_tokens,) first code of each token, ascending."""
    end: NDArray[np.int64]
    """(n_tokens,) one past the last code of each token, ascending; `begin` where a token spells nothing."""
    document: NDArray
    """(n_tokens,) document of each token, from 0, ascending."""

    @classmethod
    def of(cls, token_ids: NDArray, document: NDArray, vocabulary: Sequence[str]) -> TokenizedText:
        """Spell out the tokens of a text.

        Args:
            token_ids: (n_tokens,) in the order of the text, special tokens left out.
            document: (n_tokens,) document of each token, from 0, ascending.
            vocabulary: Text of every token id; `<0xNN>` is a byte outside ASCII. Where more than a tenth of them
                begin with `##`, as in WordPiece, that marks a token that continues a word, and is not text.
        """
        document = np.asarray(document)
        if len(token_ids) != len(document) or np.any(np.diff(document) < 0):
            raise ValueError("every token needs a document, and documents must be in ascending order")
        bare = sum(text.startswith(_CONTINUES) for text in vocabulary) * 10 > len(vocabulary)
        spelled = [_bytes_of(text.removeprefix(_CONTINUES) if bare else text) for text in vocabulary]
        source, end = _gather([len(piece) for piece in spelled], np.asarray(token_ids))
        codes = np.frombuffer(b"".join(spelled), np.uint8)[source]
        return cls(codes, _is_space(codes), np.append(0, end[:-1])[: len(end)], end, document)

    @property
    def n_documents(self) -> int:
        """Documents, the last of which may be truncated."""
        return int(self.document[-1]) + 1 if len(self.document) else 0

    @cached_property
    def content(self) -> NDArray[np.int64]:
        """(n_content,) index of the codes other than white space."""
        return np.flatnonzero(~self.space)

    @cached_property
    def code_starts(self) -> NDArray[np.int64]:
        """(n_documents + 1,) first code of each document."""
        first_token = np.searchsorted(self.document, np.arange(self.n_documents + 1))
        return np.append(self.begin, len(self.codes))[first_token]

    @cached_property
    def content_starts(self) -> NDArray[np.int64]:
        """(n_documents + 1,) first of each document in `content`."""
        return np.searchsorted(self.content, self.code_starts)

    def folded(self, documents: NDArray[np.bool_]) -> TokenizedText:
        """The text with the characters of some documents folded, as uncased and other normalising tokenizers do.

        Letter case, accents, compatibility forms (NFKD), control characters and broken bytes are ignored. A token has
        all of each character that it has a byte of. `documents` are booleans, (n_documents,) or fewer.
        """
        all_documents = np.append(documents, np.zeros(self.n_documents - len(documents), bool))
        chosen = np.repeat(all_documents, np.diff(self.code_starts))
        points = _code_points(self.codes[chosen].tobytes())
        widths = _widths(points)
        begins = ~chosen  # of a character; a byte that is not folded stands for itself
        begins[np.flatnonzero(chosen)[np.cumsum(widths) - widths]] = True
        first, character = np.flatnonzero(begins), np.append(np.cumsum(begins) - 1, begins.sum())
        known, which = np.unique(points, return_inverse=True)
        table = [*np.arange(256, dtype=np.uint32)[:, None], *(_folded(chr(point)) for point in known)]
        entry = self.codes[first].astype(np.int64)
        entry[chosen[first]] = 256 + which
        source, after = _gather([len(codes) for codes in table], entry)
        codes, before = np.concatenate(table)[source], np.append(0, after)
        begin, end = before[character[self.begin]], before[np.minimum(character[self.end - 1] + 1, len(first))]
        return TokenizedText(
            codes=codes,
            space=np.repeat(self.space[first], np.diff(before)),
            begin=begin,
            end=np.where(self.end > self.begin, end, begin),
            document=self.document,
        )


def _bytes_of(text: str) -> bytes:
    return _BROKEN_BYTE.sub(lambda found: bytes([int(found[1], 16)]), text.encode("utf-8", "surrogatepass"))


def _is_space(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n,) whether each byte of UTF-8 belongs to a character of white space."""
    space = np.isin(codes, np.frombuffer(b"".join(c for c in _SPACES if len(c) == 1), np.uint8))
    for encoded in _SPACES:
        n = len(encoded)
        if n > 1:
            windows = [codes[i : len(codes) - n + 1 + i] == byte for i, byte in enumerate(encoded)]
            found = np.flatnonzero(np.logical_and.reduce(windows)) if len(codes) >= n else np.empty(0, np.int64)
            space[(found[:, None] + np.arange(n)).ravel()] = True
    return space


def _code_points(text: bytes) -> NDArray[np.uint32]:
    """Characters of UTF-8; an invalid byte is a lone surrogate."""
    decoded = text.decode("utf-8", "surrogateescape")
    return np.frombuffer(decoded.encode("utf-32-le", "surrogatepass"), np.uint32)


def _widths(points: NDArray[np.uint32]) -> NDArray[np.int64]:
    """(n,) bytes that each character takes."""
    widths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000).astype(np.int64)
    return np.where((points >= 0xDC80) & (points < 0xDD00), 1, widths)


def _folded(character: str) -> NDArray[np.uint32]:
    """The code points by which a character is compared: none, one or several."""
    if not character.isspace():
        spelled = unicodedata.normalize("NFKD", character).casefold()
        kept = (c for c in spelled if unicodedata.category(c) not in _PUT_ASIDE and c != "\N{REPLACEMENT CHARACTER}")
        character = "".join(c for c in kept if not c.isspace())
    return np.array([ord(c) for c in character], np.uint32)


def _gather(lengths: Sequence[int], entry: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the codes of entries are in the table of all entries, and how many codes there are up to each."""
    known = np.array(lengths, np.int64)
    starts, here = (np.cumsum(known) - known)[entry], known[entry]
    after = np.cumsum(here)
    return np.repeat(starts - (after - here), here) + np.arange(here.sum()), after
