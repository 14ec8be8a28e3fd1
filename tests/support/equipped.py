"""The planted atlas with all that any measure needs: contexts, documents, unembedding and covariance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from atlas.db import open_atlas
from tests.support.planted import D_IN, N_TOKENS, plant

LENGTHS = (5, 3, 8, 1, 13)
"""Tokens of the documents, over and over."""

N_VOCAB = 8


def documents() -> np.ndarray:
    """(N_TOKENS,) document of each token; their numbers have gaps."""
    return 2 * np.repeat(np.arange(N_TOKENS), np.resize(LENGTHS, N_TOKENS))[:N_TOKENS]


def token_ids() -> np.ndarray:
    """(N_TOKENS,) id of each counted token."""
    return np.random.default_rng(7).integers(0, N_VOCAB, size=N_TOKENS)


def unembedding() -> np.ndarray:
    """(N_VOCAB, D_IN) float32."""
    return np.random.default_rng(8).normal(size=(N_VOCAB, D_IN)).astype(np.float32)


def covariance() -> np.ndarray:
    """(D_IN, D_IN) of what the SAEs read."""
    root = np.random.default_rng(9).normal(size=(D_IN, D_IN))
    return root @ root.T


def next_ids() -> np.ndarray:
    """(N_TOKENS,) id of the next token in the context of eight; -1 after the last."""
    following = np.append(token_ids()[1:], -1)
    following[7::8] = -1
    return following


def equip(path: Path) -> dict[int, int]:
    """Plant twins, as `plant`, and write the rest."""
    twins = plant(path)
    ids, document = token_ids().reshape(-1, 8), documents().reshape(-1, 8)
    with open_atlas(path, write=True) as atlas, atlas.transaction():
        atlas.insert(
            "context",
            {
                "corpus_id": [1] * len(ids),
                "context_id": range(len(ids)),
                "first_token": [8 * i for i in range(len(ids))],
                "token_ids": [[0, *row] for row in ids.tolist()],
                "documents": [[-1, *row] for row in document.tolist()],
            },
        )
        np.save(atlas.store / "unembedding-m.npy", unembedding())
        for name in ("left", "right"):
            np.savez(atlas.store / name / "inputs.npz", covariance=covariance())
    return twins
