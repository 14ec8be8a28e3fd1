"""Documents cut into the contexts that a model reads, and where each counted token stands in them."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from atlas.errors import AtlasError, UsageError
from ingest.accumulate.codes import TokenMap, run_starts
from ingest.sources.vocabulary import Vocabulary

_DOCUMENTS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Contexts:
    """A corpus: every context with its token ids. Grain of tables `corpus` and `context`."""

    context_length: int
    """Tokens of a full context, a leading BOS included."""

    prepend_bos: bool
    """Whether every context begins with BOS and documents are separated by BOS; else EOS separates them."""

    token_ids: np.ndarray
    """(tokens,) int32: all contexts one after another, special tokens included."""

    documents: np.ndarray
    """(tokens,) int32: document of each token, from 0; -1 for special tokens, which enter no statistic."""

    offsets: np.ndarray
    """(contexts + 1,) int64: context c is `token_ids[offsets[c] : offsets[c + 1]]`."""

    first_token: np.ndarray
    """(contexts + 1,) int64: token_index of the first counted token of each context; last: their number in all."""

    n_documents: int
    """Documents of which at least one token is counted."""

    sha256: str
    """Of tokenizer, contexts and document boundaries."""

    labels: np.ndarray | None = None
    """(n_documents,) float64: a number that each document carries, NaN where it carries none; None if none was read."""

    @property
    def n_contexts(self) -> int:
        """Number of contexts."""
        return len(self.offsets) - 1

    @property
    def n_tokens(self) -> int:
        """Counted tokens: those that enter statistics."""
        return int(self.first_token[-1])

    def counted_ids(self) -> np.ndarray:
        """(n_tokens,) int32: token id at each token_index."""
        return self.token_ids[self.documents >= 0]

    def tokens(self, begin: int, end: int) -> np.ndarray:
        """(end - begin, length) int64: token ids of contexts of equal length."""
        return self.token_ids[self.offsets[begin] : self.offsets[end]].reshape(end - begin, -1).astype(np.int64)

    def counted(self, begin: int, end: int) -> np.ndarray:
        """(all tokens of these contexts,) bool: whether a token enters statistics."""
        return self.documents[self.offsets[begin] : self.offsets[end]] >= 0

    def token_map(self, begin: int, end: int) -> TokenMap:
        """Where the counted tokens of contexts [begin, end) stand."""
        lengths = np.diff(self.offsets[begin : end + 1])
        context = np.repeat(np.arange(begin, end, dtype=np.int32), lengths)
        position = np.arange(self.offsets[begin], self.offsets[end]) - np.repeat(self.offsets[begin:end], lengths)
        counted = self.counted(begin, end)
        first = int(self.first_token[begin])
        document = self.documents[self.offsets[begin] : self.offsets[end]][counted]
        starts = run_starts(document)
        place = np.arange(len(document)) - np.repeat(starts, np.diff(np.append(starts, len(document))))
        place[document == document[0]] += first - self._first_of_document(int(document[0]), begin)
        return TokenMap(
            first=first,
            context=context[counted],
            position=position[counted].astype(np.int32),
            document=document,
            context_length=np.repeat(lengths, lengths)[counted].astype(np.int32),
            token_id=self.token_ids[self.offsets[begin] : self.offsets[end]][counted],
            place=place.astype(np.int32),
        )

    def _first_of_document(self, document: int, context: int) -> int:
        """token_index of the first counted token of a document that is counted in this context."""
        begin = bisect_left(range(context), document, key=lambda number: self._counted_documents(number)[-1])
        return int(self.first_token[begin] + np.searchsorted(self._counted_documents(begin), document))

    def _counted_documents(self, context: int) -> np.ndarray:
        """Document of each counted token of a context; documents stand in ascending order."""
        documents = self.documents[self.offsets[context] : self.offsets[context + 1]]
        return documents[documents >= 0]


def cut(
    texts: Iterable[str],
    tokenizer: Any,
    words: Vocabulary,
    *,
    context_length: int,
    prepend_bos: bool,
    max_tokens: int | None = None,
) -> Contexts:
    """Tokenise documents without special tokens, join them and cut the stream into contexts.

    With BOS the stream is BOS doc BOS doc …, and a window that begins inside a document gets a BOS of its own; without
    it the stream is doc EOS doc EOS …. The last context is as short as the text leaves it.

    Args:
        texts: Documents; read no further than needed.
        tokenizer: Hugging Face tokenizer.
        words: Its vocabulary.
        context_length: Tokens of a context, at least 2.
        prepend_bos: See above.
        max_tokens: Stop after the first whole context with which this many tokens are counted; None for all.
    """
    if context_length < 2:
        raise UsageError(f"a context of {context_length} tokens is too short", hint="--context-length 128")
    if prepend_bos and words.bos_id is None:
        raise UsageError("this tokenizer has no BOS token", hint="--no-prepend-bos")
    stream = _stream(texts, tokenizer, words, prepend_bos)
    windows = _windows(stream, context_length, words.bos_id if prepend_bos else None)
    ids, documents, counts = [], [], []
    n_counted = 0
    for window_ids, window_documents in windows:
        n_here = int(np.count_nonzero(window_documents >= 0))
        if n_here == 0:
            continue
        ids.append(window_ids)
        documents.append(window_documents)
        counts.append(n_here)
        n_counted += n_here
        if max_tokens is not None and n_counted >= max_tokens:
            break
    if not ids:
        raise AtlasError("the corpus holds no token to count", why="there are only special tokens in it")
    return _contexts(ids, documents, counts, words, context_length, prepend_bos)


def _contexts(
    ids: list[np.ndarray], documents: list[np.ndarray], counts: list[int], words: Vocabulary, length: int, bos: bool
) -> Contexts:
    """Put windows together and hash them."""
    token_ids, document = np.concatenate(ids), np.concatenate(documents)
    offsets = np.cumsum([0, *map(len, ids)], dtype=np.int64)
    digest = hashlib.sha256(f"contexts 1 {words.sha256} {length} {bos}".encode())
    for part in (offsets, token_ids, document):
        digest.update(np.ascontiguousarray(part).tobytes())
    return Contexts(
        context_length=length,
        prepend_bos=bos,
        token_ids=token_ids,
        documents=document,
        offsets=offsets,
        first_token=np.cumsum([0, *counts], dtype=np.int64),
        n_documents=len(np.unique(document[document >= 0])),
        sha256=digest.hexdigest(),
    )


def _encoded(texts: Iterable[str], tokenizer: Any) -> Iterator[list[int]]:
    """Token ids of each document, without special tokens around them."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    remaining = iter(texts)
    while batch := list(islice(remaining, _DOCUMENTS_AT_ONCE)):
        if backend is None:
            yield from (tokenizer.encode(text, add_special_tokens=False) for text in batch)
        else:
            yield from (encoding.ids for encoding in backend.encode_batch(batch, add_special_tokens=False))


def _stream(
    texts: Iterable[str], tokenizer: Any, words: Vocabulary, prepend_bos: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Token ids and document of each token, document by document, with the separator; -1 for special tokens."""
    special = np.zeros(len(words.texts), dtype=bool)
    special[list(words.special_ids)] = True
    before = [words.bos_id] if prepend_bos and words.bos_id is not None else []
    after = [words.eos_id] if not prepend_bos and words.eos_id is not None else []
    number = 0
    for encoded in _encoded(texts, tokenizer):
        ids = np.array([*before, *encoded, *after], dtype=np.int32)
        counted = ~special[ids]
        yield ids, np.where(counted, number, -1).astype(np.int32)
        number += bool(counted.any())


def _windows(
    stream: Iterator[tuple[np.ndarray, np.ndarray]], length: int, bos_id: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut the stream into windows of `length` tokens; with `bos_id` each begins with exactly one BOS of its window."""
    held_ids, held_documents = np.empty(0, np.int32), np.empty(0, np.int32)
    for ids, documents in stream:
        held_ids, held_documents = np.concatenate([held_ids, ids]), np.concatenate([held_documents, documents])
        begin = 0
        while len(held_ids) - begin >= length:
            window, begin = _window(held_ids, held_documents, begin, length, bos_id)
            yield window
        held_ids, held_documents = held_ids[begin:], held_documents[begin:]
    begin = 0
    while begin < len(held_ids):
        window, begin = _window(held_ids, held_documents, begin, length, bos_id)
        yield window


def _window(
    ids: np.ndarray, documents: np.ndarray, begin: int, length: int, bos_id: int | None
) -> tuple[tuple[np.ndarray, np.ndarray], int]:
    """The window that begins at `begin`, and where the next one does."""
    if bos_id is None or ids[begin] == bos_id:
        end = begin + length
        return (ids[begin:end], documents[begin:end]), end
    end = begin + length - 1
    first_id, first_document = np.array([bos_id], np.int32), np.array([-1], np.int32)
    return (np.concatenate([first_id, ids[begin:end]]), np.concatenate([first_document, documents[begin:end]])), end
