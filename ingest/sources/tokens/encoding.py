"""Token ids of documents, and which document each token counts for."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from atlas.errors import AtlasError
from ingest.sources.texts.documents import Document
from ingest.sources.tokens.vocabulary import Vocabulary

_DOCUMENTS_AT_ONCE = 256
_CHARACTERS_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens of one document, or of one row of token ids."""

    ids: np.ndarray
    """(tokens,) int32."""
    documents: np.ndarray
    """(tokens,) int32: document of each, -1 for special tokens."""
    begins: bool
    """Whether this is the begin of a document."""


@dataclass(slots=True)
class Numbering:
    """Gives documents their numbers: those with a counted token are numbered in their order."""

    words: Vocabulary
    """Says which tokens are special."""
    n_embedded: int | None = None
    """Token ids that the model can read; None for the whole vocabulary."""
    labels: array[float] = field(default_factory=lambda: array("d"))
    """Label of each document that has a number."""

    def pieces(self, documents: Iterable[Document], tokenizer: Any) -> Iterator[Piece]:
        """Token ids of documents without separators; documents without a token are passed over.

        Raises:
            AtlasError: A token id is not in the vocabulary, or the model cannot read it.
        """
        special, number, is_numbered = self._special(), -1, True
        for document, ids in encoded(documents, tokenizer):
            if not len(ids):
                continue
            counted = ~special[self._checked(ids)]
            is_numbered = is_numbered and not document.begins
            if not is_numbered and counted.any():
                number, is_numbered = number + 1, True
                self.labels.append(document.label)
            yield Piece(ids.astype(np.int32), np.where(counted, number, -1).astype(np.int32), document.begins)

    def rows(self, documents: Iterable[Document]) -> Iterator[Piece]:
        """Rows of token ids as they stand: BOS and EOS stay, and in between them are documents.

        Raises:
            AtlasError: As `pieces`.
        """
        special, n_numbered = self._special(), 0
        apart = [token for token in (self.words.bos_id, self.words.eos_id) if token is not None]
        for document in documents:
            ids = np.asarray(document.token_ids)
            counted = ~special[self._checked(ids)]
            segment = np.cumsum(np.isin(ids, apart))
            numbered, rank = np.unique(segment[counted], return_inverse=True)
            documents_here = np.full(len(ids), -1, np.int32)
            documents_here[counted] = n_numbered + rank
            n_numbered += len(numbered)
            self.labels.extend([document.label] * len(numbered))
            yield Piece(ids.astype(np.int32), documents_here, True)

    def _special(self) -> np.ndarray:
        """(vocabulary,) bool: whether a token id is special."""
        special = np.zeros(len(self.words.texts), dtype=bool)
        special[list(self.words.special_ids)] = True
        return special

    def _checked(self, ids: np.ndarray) -> np.ndarray:
        """The same token ids, if the vocabulary and the model have them all."""
        n_vocab = len(self.words.texts)
        n_usable = n_vocab if self.n_embedded is None else min(n_vocab, self.n_embedded)
        lowest, highest = int(ids.min()), int(ids.max())
        if lowest < 0 or highest >= n_vocab:
            raise AtlasError(
                f"the corpus has the token id {lowest if lowest < 0 else highest}, which the tokenizer does not have",
                why=f"its ids are 0 to {n_vocab - 1}",
                hint="give token ids that the tokenizer of this model made",
            )
        if highest >= n_usable:
            raise AtlasError(
                f"the corpus has the token {self.words.texts[highest]!r} (id {highest}), which the model cannot read",
                why=f"its embedding has {n_usable:,} rows and its tokenizer {n_vocab:,} tokens",
                hint="give the tokenizer that the model was trained with",
            )
        return ids


def encoded(documents: Iterable[Document], tokenizer: Any) -> Iterator[tuple[Document, np.ndarray]]:
    """Documents and their token ids, without special tokens around them."""
    for batch in _batches(documents):
        texts = [document.text for document in batch if document.token_ids is None]
        ids = _encode(texts, tokenizer)
        for document in batch:
            yield document, next(ids) if document.token_ids is None else np.asarray(document.token_ids)


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents that are tokenised at once, bounded in number and in length; few at first, as few may be needed."""
    held: list[Document] = []
    n_characters, at_once = 0, 16
    for document in documents:
        held.append(document)
        n_characters += len(document.text) if document.token_ids is None else len(document.token_ids)
        if len(held) == at_once or n_characters >= _CHARACTERS_AT_ONCE:
            yield held
            held, n_characters, at_once = [], 0, min(2 * at_once, _DOCUMENTS_AT_ONCE)
    if held:
        yield held


def _encode(texts: list[str], tokenizer: Any) -> Iterator[np.ndarray]:
    """Token ids of each text."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        yield from (np.array(tokenizer.encode(text, add_special_tokens=False), np.int32) for text in texts)
    elif texts:
        # Character offsets are not needed, and without them it takes two thirds of the time.
        encodings = backend.encode_batch_fast(texts, add_special_tokens=False)
        yield from (np.array(encoding.ids, np.int32) for encoding in encodings)
