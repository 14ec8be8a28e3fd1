"""The text that scans were made on, token by token: which tokens a pattern covers, which documents it is found in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atlas.db import Atlas
from atlas.errors import AtlasError, UsageError
from atlas.pairing.tokens.tokenized import TokenizedText


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The first tokens of a corpus, special ones left out."""

    token_ids: NDArray[np.int32]
    """(n_tokens,) of the tokenizer."""
    document: NDArray[np.int32]
    """(n_tokens,) document of each, from 0, ascending."""
    context: NDArray[np.int32]
    """(n_tokens,) context of each, ascending: what stands in another one is not seen by the model."""
    vocabulary: tuple[str, ...]
    """Text of every token id."""
    cut: TokenizedText
    """Where each token stands in the text, in bytes."""

    @classmethod
    def read(cls, atlas: Atlas, corpus: str, n_tokens: int) -> Text:
        """Read it.

        Raises:
            AtlasError: The atlas does not hold the text of all these tokens.
        """
        columns = atlas.arrays("catalog/token_contexts", corpus=corpus, n_tokens=n_tokens)
        ids, document, context = (
            np.asarray(columns[name], np.int32)[:n_tokens] for name in ("token_id", "document", "context_id")
        )
        if len(ids) < n_tokens:
            raise AtlasError(
                f"the text of {corpus} is not whole",
                why=f"the atlas holds {len(ids):,} of {n_tokens:,} tokens",
                hint="run one of its ingests again with --replace",
            )
        vocabulary = tuple(text for _, text in atlas.fetch("catalog/text_vocabulary", corpus=corpus))
        return cls(ids, document, context, vocabulary, TokenizedText.of(ids, document, vocabulary))

    def documents(self) -> Iterator[tuple[int, str]]:
        """Every document with a measured token, with its text; a broken byte is a surrogate."""
        starts, codes = self.cut.code_starts, self.cut.codes.tobytes()
        for number in np.unique(self.document).tolist():
            yield number, codes[starts[number] : starts[number + 1]].decode("utf-8", "surrogateescape")

    def found_in(self, pattern: re.Pattern[str]) -> dict[int, bool]:
        return {number: pattern.search(text) is not None for number, text in self.documents()}

    def covered(self, pattern: re.Pattern[str]) -> NDArray[np.bool_]:
        """(n_tokens,) whether a token shares a character with something that the pattern finds in its document."""
        begins, ends = [], []
        for number, text in self.documents():
            spans = [found.span() for found in pattern.finditer(text) if found.end() > found.start()]
            if spans:
                widths = [len(c.encode("utf-8", "surrogateescape")) for c in text]
                at = self.cut.code_starts[number] + np.append(0, np.cumsum(widths))
                begins += at[[first for first, _ in spans]].tolist()
                ends += at[[last for _, last in spans]].tolist()
        change = np.zeros(len(self.token_ids) + 1, np.int64)
        np.add.at(change, np.searchsorted(self.cut.end, np.array(begins, np.int64), side="right"), 1)
        np.add.at(change, np.searchsorted(self.cut.begin, np.array(ends, np.int64), side="left"), -1)
        return (np.cumsum(change[:-1]) > 0) & (self.cut.end > self.cut.begin)


def pattern_of(regex: str) -> re.Pattern[str]:
    """A regular expression as Python's module `re` reads it.

    Raises:
        UsageError: It is not valid.
    """
    try:
        return re.compile(regex)
    except re.error as error:
        raise UsageError(f"{regex!r} is not a valid regular expression", why=str(error)) from error
