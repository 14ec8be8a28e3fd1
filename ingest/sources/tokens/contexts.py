"""Documents cut into the contexts that a model reads, and where each counted token stands in them."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atlas.errors import AtlasError, UsageError
from ingest.accumulate.codes import TokenMap, run_starts
from ingest.sources.texts.documents import Document
from ingest.sources.tokens.encoding import Numbering
from ingest.sources.tokens.spool import Spool
from ingest.sources.tokens.vocabulary import Vocabulary
from ingest.sources.tokens.windows import separated, windows_of

PACKINGS = ("packed", "document", "rows")
"""How documents come into contexts; `rows` for contexts that are given as rows of token ids."""

TOKENS_IN_MEMORY = 1 << 24
"""Tokens of a corpus beyond which they are kept in temporary files: 128 MB."""

_WINDOWS_AT_ONCE = 1024
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Contexts:
    """A corpus: every context with its token ids. Grain of tables `corpus` and `context`."""

    context_length: int
    """Tokens of a full context, a leading BOS included."""
    prepend_bos: bool
    """Whether every context begins with BOS; if documents are joined, BOS separates them then, and else EOS."""
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
    """Of tokenizer, contexts, document boundaries and packing."""
    tokenizer_sha256: str = ""
    """Of the tokenizer."""
    packing: str = "packed"
    """`packed`: documents are joined; `document`: no context spans two; `rows`: contexts were given as they stand."""
    labels: np.ndarray | None = None
    """(n_documents,) float64: a number that each document carries, NaN where it carries none; None if none was read."""

    @property
    def n_contexts(self) -> int:
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
            label=None if self.labels is None else self.labels[document],
        )

    def _first_of_document(self, document: int, context: int) -> int:
        begin = bisect_left(range(context), document, key=lambda number: self._counted_documents(number)[-1])
        return int(self.first_token[begin] + np.searchsorted(self._counted_documents(begin), document))

    def _counted_documents(self, context: int) -> np.ndarray:
        """Document of each counted token of a context; documents stand in ascending order."""
        documents = self.documents[self.offsets[context] : self.offsets[context + 1]]
        return documents[documents >= 0]

    def labels_sha256(self, n_contexts: int) -> str | None:
        """Hash of the labels in the first `n_contexts` contexts, not part of `sha256`; None without labels."""
        if self.labels is None:
            return None
        return _digest(b"labels 1", self.labels[: self.n_documents_in(n_contexts)])

    def n_documents_in(self, n_contexts: int) -> int:
        """Documents of which a token is counted in the first `n_contexts` contexts."""
        if n_contexts == 0:
            return 0
        begin, end = self.offsets[n_contexts - 1], self.offsets[n_contexts]
        return int(self.documents[begin:end].max()) + 1

    def document_lengths(self) -> np.ndarray:
        """(n_documents,) int64: counted tokens of each document."""
        lengths = np.zeros(self.n_documents, np.int64)
        for begin in range(0, len(self.documents), _BLOCK):
            block = self.documents[begin : begin + _BLOCK]
            block = block[block >= 0]
            if len(block):
                here = np.bincount(block - block[0])
                lengths[block[0] : block[0] + len(here)] += here
        return lengths

    def prefix_sha256(self, n_contexts: int) -> str:
        """`sha256` of a corpus that ends after `n_contexts` contexts; reads 8 bytes a token."""
        header = _header(self.tokenizer_sha256, self.context_length, self.prepend_bos, self.packing)
        end = int(self.offsets[n_contexts])
        return _digest(header, self.offsets[: n_contexts + 1], self.token_ids[:end], self.documents[:end])


def cut(
    texts: Iterable[str | Document],
    tokenizer: Any,
    words: Vocabulary,
    *,
    context_length: int,
    prepend_bos: bool,
    max_tokens: int | None = None,
    packing: str = "packed",
    n_embedded: int | None = None,
    keep_labels: bool = False,
    scratch: Path | None = None,
    in_memory: int = TOKENS_IN_MEMORY,
) -> Contexts:
    """Tokenise documents without special tokens and cut them into contexts.

    `packed` joins documents into one stream. With BOS it is BOS doc BOS doc …, and a window that begins inside a
    document gets a BOS of its own; without it the stream is doc EOS doc EOS …. The last context is as short as the text
    leaves it. `document` cuts each document by itself, so no context spans two: the last context of each is as short as
    the document leaves it, and nothing separates documents. `rows` takes rows of token ids as they stand.

    Args:
        texts: Documents, or their texts; read no further than needed.
        tokenizer: Hugging Face tokenizer.
        words: Its vocabulary.
        context_length: Tokens of a context, at least 2.
        prepend_bos: See above; of `rows` it says what they are.
        max_tokens: Stop after the first whole context with which this many tokens are counted; None for all.
        packing: One of `PACKINGS`.
        n_embedded: Token ids that the model can read; None for the whole vocabulary.
        keep_labels: Whether the labels of the documents are kept.
        scratch: Folder for temporary files; None for the system's.
        in_memory: Tokens up to which there are none.

    Raises:
        AtlasError: There is no token to count, or one that the model cannot read.
    """
    if context_length < 2:
        raise UsageError(f"a context of {context_length} tokens is too short", hint="--context-length 128")
    if packing not in PACKINGS:
        raise UsageError(f"there is no packing {packing!r}", hint="--packing packed, or --packing document")
    if prepend_bos and words.bos_id is None:
        raise UsageError("this tokenizer has no BOS token", hint="--no-prepend-bos")
    numbering = Numbering(words, n_embedded)
    documents = (Document(text=text) if isinstance(text, str) else text for text in texts)
    if packing == "rows":
        windows = ((piece.ids, piece.documents) for piece in numbering.rows(documents))
    else:
        pieces = numbering.pieces(documents, tokenizer)
        stream = separated(pieces, words, prepend_bos) if packing == "packed" else pieces
        windows = windows_of(stream, context_length, words.bos_id if prepend_bos else None, packing == "document")
    spools = [Spool(dtype, in_memory=in_memory, scratch=scratch) for dtype in (np.int32, np.int32, np.int64, np.int64)]
    _write(windows, spools, max_tokens)
    token_ids, document, offsets, first_token = (spool.array() for spool in spools)
    if len(offsets) == 1:
        raise AtlasError("the corpus holds no token to count", why="there are only special tokens in it")
    if packing == "rows":
        prepend_bos = words.bos_id is not None and bool((token_ids[offsets[:-1]] == words.bos_id).all())
    n_documents = 1 + int(document[offsets[-2] :].max())
    header = _header(words.sha256, context_length, prepend_bos, packing)
    return Contexts(
        context_length=context_length,
        prepend_bos=prepend_bos,
        token_ids=token_ids,
        documents=document,
        offsets=offsets,
        first_token=first_token,
        n_documents=n_documents,
        sha256=_digest(header, offsets, token_ids, document),
        tokenizer_sha256=words.sha256,
        packing=packing,
        labels=np.array(numbering.labels[:n_documents]) if keep_labels else None,
    )


def _header(tokenizer_sha256: str, length: int, bos: bool, packing: str) -> bytes:
    joined = "" if packing == "packed" else f" {packing}"
    return f"contexts 1 {tokenizer_sha256} {length} {bos}{joined}".encode()


def _digest(header: bytes, *parts: np.ndarray) -> str:
    """Hash of a header and arrays, a block at a time."""
    digest = hashlib.sha256(header)
    for part in parts:
        for begin in range(0, len(part), _BLOCK):
            digest.update(np.ascontiguousarray(part[begin : begin + _BLOCK]).data)
    return digest.hexdigest()


def _write(windows: Iterator[tuple[np.ndarray, np.ndarray]], spools: list[Spool], max_tokens: int | None) -> None:
    """Put windows with a counted token into four spools: token ids, documents, offsets and first counted tokens."""
    held: list[tuple[np.ndarray, np.ndarray]] = []
    counts: list[int] = []
    ends = np.zeros(2, np.int64)

    def flush() -> None:
        if held:
            spools[0].append(np.concatenate([ids for ids, _ in held]))
            spools[1].append(np.concatenate([documents for _, documents in held]))
            here = np.cumsum([[len(ids) for ids, _ in held], counts], axis=1, dtype=np.int64) + ends[:, None]
            spools[2].append(here[0])
            spools[3].append(here[1])
            ends[:] = here[:, -1]
            held.clear()
            counts.clear()

    n_counted = 0
    spools[2].append(ends[:1].copy())
    spools[3].append(ends[1:].copy())
    for ids, documents in windows:
        if not (n_here := int(np.count_nonzero(documents >= 0))):
            continue
        held.append((ids, documents))
        counts.append(n_here)
        n_counted += n_here
        if max_tokens is not None and n_counted >= max_tokens:
            break
        if len(held) == _WINDOWS_AT_ONCE:
            flush()
    flush()
