"""The planted atlas with a text under it: documents of many lengths, labels, contexts with BOS, a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atlas.db import open_atlas
from tests.support.planted import N_TOKENS, plant

VOCABULARY = ("<s>", " red", " green", " sad", " Mon", "day", ".", " \u0633", "<0xD9>", "<0x84>", " we")
WINDOW = 100


@dataclass(frozen=True, slots=True)
class Planted:
    """What was written."""

    token_ids: np.ndarray
    document: np.ndarray
    context: np.ndarray
    label: np.ndarray

    @property
    def text(self) -> list[str]:
        """Text of every token; a broken byte as it stands in the vocabulary."""
        return [VOCABULARY[i] for i in self.token_ids]


def plant_text(path: Path, *, seed: int = 5) -> Planted:
    """Write the planted SAEs and, under their tokens, documents of 8 to 60 tokens; the label goes with the length."""
    rng = np.random.default_rng(seed)
    plant(path)
    lengths: list[int] = []
    while sum(lengths) < N_TOKENS:
        lengths.append(min(int(rng.integers(8, 61)), N_TOKENS - sum(lengths)))
    document = np.repeat(np.arange(len(lengths)), lengths)
    label = np.array(lengths) / 10 + rng.normal(size=len(lengths))
    label[::7] = np.nan
    ids = rng.integers(1, len(VOCABULARY), N_TOKENS)
    context = np.arange(N_TOKENS) // WINDOW
    n = N_TOKENS // WINDOW
    first = np.append(0, np.cumsum(lengths)[:-1])
    with open_atlas(path, write=True) as atlas, atlas.transaction():
        kinds = ["special", *["word"] * (len(VOCABULARY) - 1)]
        atlas.insert("vocab", {"tokenizer_id": [1] * len(VOCABULARY), "token_id": range(len(VOCABULARY)),
                               "text": list(VOCABULARY), "class": kinds})  # fmt: skip
        atlas.insert("context", {"corpus_id": [1] * n, "context_id": range(n), "first_token": range(0, N_TOKENS, WINDOW),
                                 "token_ids": [[0, *part] for part in ids.reshape(n, -1).tolist()],
                                 "documents": [[-1, *part] for part in document.reshape(n, -1).tolist()]})  # fmt: skip
        atlas.insert("document", {"corpus_id": [1] * len(lengths), "document_id": range(len(lengths)), "first_token": first,
                                  "n_tokens": lengths, "label": [None if np.isnan(v) else v for v in label]})  # fmt: skip
    return Planted(ids, document, context, label)
