"""An atlas with planted twins: what is shared between its two SAEs is known, because it was put there."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

from atlas.db import Atlas, open_atlas

N_TOKENS = 4000
D_SAE = 60
D_IN = 12
N_TWINS = 40
WORDS = [" red", " green", " blue", " one", " two", " three", ".", " sad"]
NOW = datetime.datetime(2026, 1, 1)


def plant(path: Path, *, seed: int = 0, shards: int = 2, twins: int = N_TWINS) -> dict[int, int]:
    """Write an atlas of SAEs `left` (A) and `right` (B) and return which feature of A is which of B.

    The first `twins` features of A fire where their twin in B fires, almost as strongly, and point the same way; the
    others share nothing. The last feature of each SAE is dead. Tokens of a twin are equal on both sides.
    """
    rng = np.random.default_rng(seed)
    a, b, twin_of = planted_codes(rng, twins)
    rows_a = rng.normal(size=(D_SAE, D_IN))
    rows_b = rng.normal(size=(D_SAE, D_IN))
    for left, right in twin_of.items():
        rows_b[right] = rows_a[left] + 0.1 * rng.normal(size=D_IN)
    tokens_a = [[WORDS[i % len(WORDS)]] for i in range(D_SAE)]
    tokens_b = [[" nothing"] for _ in range(D_SAE)]
    for left, right in twin_of.items():
        tokens_b[right] = tokens_a[left]
    with open_atlas(path, create=True) as atlas, atlas.transaction():
        _write_registry(atlas)
        for sae_id, name, codes, rows, tokens in ((1, "left", a, rows_a, tokens_a), (2, "right", b, rows_b, tokens_b)):
            _write_sae(atlas, sae_id, name, codes, rows, tokens)
            write_store(atlas.store / name, codes, shards)
    return twin_of


def planted_codes(rng: np.random.Generator, twins: int = N_TWINS) -> tuple[sp.csr_array, sp.csr_array, dict[int, int]]:
    """Two (N_TOKENS, D_SAE) matrices of activations and the twins between them."""
    a = (rng.random((N_TOKENS, D_SAE)) < 0.02) * rng.exponential(size=(N_TOKENS, D_SAE))
    b = (rng.random((N_TOKENS, D_SAE)) < 0.02) * rng.exponential(size=(N_TOKENS, D_SAE))
    right = rng.permutation(D_SAE - 1)[:twins]
    for i, j in enumerate(right):
        b[:, j] = a[:, i] * rng.uniform(0.9, 1.1, size=N_TOKENS)
    a[:, -1] = b[:, -1] = 0
    return (
        sp.csr_array(a.astype(np.float32)),
        sp.csr_array(b.astype(np.float32)),
        {i: int(j) for i, j in enumerate(right)},
    )


def write_store(folder: Path, codes: sp.csr_array, shards: int) -> None:
    """Cut activations into shards with receipts, as ingest does."""
    folder.mkdir(parents=True)
    for number, rows in enumerate(np.array_split(np.arange(codes.shape[0]), shards)):
        part = sp.csc_array(codes[rows])
        feature = np.repeat(np.arange(codes.shape[1], dtype=np.int32), np.diff(part.indptr))
        table = pa.table(
            {"feature_id": feature, "token_index": part.indices.astype(np.int64) + rows[0], "activation": part.data}
        )
        pq.write_table(table, folder / f"shard-{number:05}.parquet")
        receipt = {"first_token": int(rows[0]), "n_tokens": len(rows), "n_nonzero": int(part.nnz)}
        (folder / f"shard-{number:05}.json").write_text(json.dumps(receipt))


def _write_registry(atlas: Atlas) -> None:
    atlas.insert("tokenizer", {"tokenizer_id": [1], "sha256": ["t"], "n_vocab": [len(WORDS)]})
    atlas.insert("model", {"model_id": [1], "name": ["planted"], "source": ["planted"], "sha256": ["m"], "architecture": ["none"],
                           "d_model": [D_IN], "n_layers": [1], "n_ctx": [8], "tokenizer_id": [1]})  # fmt: skip
    atlas.insert("corpus", {"corpus_id": [1], "name": ["words"], "source": ["words"], "sha256": ["c"], "tokenizer_id": [1],
                            "context_length": [8], "prepend_bos": [True], "n_documents": [10], "n_contexts": [500],
                            "n_tokens": [N_TOKENS]})  # fmt: skip


def _write_sae(
    atlas: Atlas, sae_id: int, name: str, codes: sp.csr_array, rows: np.ndarray, tokens: list[list[str]]
) -> None:
    alias = "AB"[sae_id - 1]
    atlas.insert("sae", {"sae_id": [sae_id], "name": [name], "alias": [alias], "model_id": [1], "hook_name": ["h"], "layer": [0],
                         "architecture": ["topk"], "d_in": [D_IN], "d_sae": [D_SAE], "source": [name], "sha256": [name],
                         "decoder_norm": ["as stored"], "cfg": ["{}"]})  # fmt: skip
    atlas.insert("scan", {"scan_id": [sae_id], "sae_id": [sae_id], "corpus_id": [1], "run_id": [1], "n_tokens": [N_TOKENS], "n_documents": [10],
                          "n_nonzero": [codes.nnz], "fvu": [0.1], "exact_quantiles": [True], "store": [name], "spec": ["{}"],
                          "spec_sha256": [name], "finished_at": [NOW]})  # fmt: skip
    x = codes.toarray().astype(np.float64)
    fired = (x > 0).sum(axis=0)
    live = [float(v) if v > 0 else None for v in x.max(axis=0)]
    atlas.insert("feature_vector", {"sae_id": [sae_id] * D_SAE, "feature_id": range(D_SAE), "w_dec": rows.tolist(),
                                    "w_enc": rows.tolist(), "b_enc": [0.0] * D_SAE, "decoder_norm": [1.0] * D_SAE})  # fmt: skip
    atlas.insert("feature_stat", {"scan_id": [sae_id] * D_SAE, "feature_id": range(D_SAE), "n_fired": fired, "n_documents": fired.clip(max=10),
                                  "total": x.sum(0), "total_2": (x**2).sum(0), "total_3": (x**3).sum(0), "total_4": (x**4).sum(0),
                                  "max": live, "q25_active": live, "median_active": live, "q75_active": live,
                                  "top_tokens": [t if n else [] for t, n in zip(tokens, fired, strict=True)],
                                  "top_activations": [[v] if v else [] for v in live]})  # fmt: skip
