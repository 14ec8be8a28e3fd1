"""The planted atlas with its text, and with SAE `right` on a second cut of it: every word in two tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from atlas.db import Atlas, open_atlas
from tests.support.planted import N_TOKENS, WORDS, plant, planted_codes, write_store

N_DOCUMENTS = 10
HALVES = [half for word in WORDS for half in ((word[:2], word[2:]) if len(word) > 1 else (word,))]
"""Vocabulary of the second tokenizer: a word goes on with the entry after its own."""


def text_of_words() -> tuple[np.ndarray, np.ndarray]:
    """Token ids of the first cut and the document of each."""
    return np.random.default_rng(5).integers(0, len(WORDS), size=N_TOKENS), np.arange(
        N_TOKENS
    ) * N_DOCUMENTS // N_TOKENS


def in_halves(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Token ids of the second cut, and the token of the first that each is a part of."""
    parts = np.array([min(len(word), 2) for word in WORDS])
    first = np.cumsum(parts) - parts
    word = np.repeat(np.arange(len(ids)), parts[ids])
    begins = np.searchsorted(word, np.arange(len(ids)))
    return first[ids[word]] + np.arange(len(word)) - begins[word], word


def plant_two_cuts(path: Path) -> dict[int, int]:
    """Write the atlas. Features of `right` fire on the last part of a word, as they do on the word elsewhere."""
    twins = plant(path)
    ids, document = text_of_words()
    halves, word = in_halves(ids)
    _, b, _ = planted_codes(np.random.default_rng(0))
    last = np.searchsorted(word, np.arange(N_TOKENS), side="right") - 1
    spread = sp.csr_array((np.ones(N_TOKENS, np.float32), (last, np.arange(N_TOKENS))), shape=(len(halves), N_TOKENS))
    with open_atlas(path, write=True) as atlas, atlas.transaction():
        atlas.insert("tokenizer", {"tokenizer_id": [2], "sha256": ["t2"], "n_vocab": [len(HALVES)]})
        atlas.rows(
            "insert into corpus by name select * replace (2 as corpus_id, 'words-2' as name, 'c2' as sha256, 2 as tokenizer_id, "
            "$n as n_tokens) from corpus",
            n=len(halves),
        )
        atlas.rows("update scan set corpus_id = 2, n_tokens = $n where sae_id = 2", n=len(halves))
        write_text(atlas, 1, WORDS, ids, document, length=8)
        write_text(atlas, 2, HALVES, halves, document[word], length=19)
        for file in (atlas.store / "right").iterdir():
            file.unlink()
        (atlas.store / "right").rmdir()
        write_store(atlas.store / "right", sp.csr_array(spread @ b), 3)
    return twins


def write_text(
    atlas: Atlas, corpus_id: int, vocabulary: list[str], ids: np.ndarray, document: np.ndarray, *, length: int
) -> None:
    """Vocabulary and contexts of a corpus, each context behind a special token."""
    n = len(vocabulary) + 1
    words = {"token_id": range(n), "text": [*vocabulary, "<s>"], "class": ["word"] * (n - 1) + ["special"]}
    atlas.insert("vocab", {"tokenizer_id": [corpus_id] * n, **words})
    starts = range(0, len(ids), length)
    rows = [(ids[i : i + length].tolist(), document[i : i + length].tolist()) for i in starts]
    atlas.insert(
        "context",
        {
            "corpus_id": [corpus_id] * len(rows),
            "context_id": range(len(rows)),
            "first_token": starts,
            "token_ids": [[n - 1, *token_ids] for token_ids, _ in rows],
            "documents": [[-1, *documents] for _, documents in rows],
        },
    )
