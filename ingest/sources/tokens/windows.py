"""A stream of tokens cut into windows of one length, with BOS or EOS where documents meet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ingest.sources.tokens.encoding import Piece
from ingest.sources.tokens.vocabulary import Vocabulary


def separated(pieces: Iterator[Piece], words: Vocabulary, prepend_bos: bool) -> Iterator[Piece]:
    """The same documents with BOS before each, or else with EOS after each."""
    token = words.bos_id if prepend_bos else words.eos_id
    if token is None:
        yield from pieces
        return
    mark = Piece(np.array([token], np.int32), np.array([-1], np.int32), False)
    for number, piece in enumerate(pieces):
        if piece.begins and (prepend_bos or number):
            yield mark
        yield piece
    if not prepend_bos:
        yield mark


def windows_of(
    pieces: Iterator[Piece], length: int, bos_id: int | None, alone: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut pieces into windows of `length` tokens; with `bos_id` each begins with exactly one BOS of its window.

    Args:
        pieces: Tokens, in their order.
        length: Tokens of a window.
        bos_id: Token that each window begins with; None for none.
        alone: Whether a window ends where a document does.
    """
    ids, documents = np.empty(0, np.int32), np.empty(0, np.int32)
    for piece in pieces:
        if alone and piece.begins:
            yield from _cut_up(ids, documents, length, bos_id)
            ids, documents = piece.ids, piece.documents
        else:
            ids, documents = np.concatenate([ids, piece.ids]), np.concatenate([documents, piece.documents])
        begin = 0
        while len(ids) - begin >= length:
            window, begin = _window(ids, documents, begin, length, bos_id)
            yield window
        ids, documents = ids[begin:], documents[begin:]
    yield from _cut_up(ids, documents, length, bos_id)


def _cut_up(
    ids: np.ndarray, documents: np.ndarray, length: int, bos_id: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Windows of what is left, of which the last is as short as it comes."""
    begin = 0
    while begin < len(ids):
        window, begin = _window(ids, documents, begin, length, bos_id)
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
