"""Writes an atlas of dictionaries of many sizes, learned on data of known features: where is the sum of bits least?

Sparse codes of known features, projected to fewer dimensions; dictionaries by non-negative LASSO (FISTA, Beck &
Teboulle 2009) and least squares in turns, the method of optimal directions (Engan et al. 1999), which the experiment of
Circuits Updates May 2023 used. The known features themselves are SAE `truth`.

    python bench/known_features.py known.duckdb && featlas --db known.duckdb study description-length --reference truth
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

from atlas.db import Atlas, open_atlas

NOW = datetime.datetime(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class World:
    """Data with known features."""

    n_features: int = 64
    d_in: int = 32
    n_tokens: int = 3000
    n_active: int = 3
    """Features that fire on every token."""
    penalty: float = 0.1
    """Of the LASSO; activations are uniform in [0.5, 1.5]."""
    rounds: int = 40
    seed: int = 0


def known(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n_tokens, n_features) and features (n_features, d_in) of norm 1."""
    rng = np.random.default_rng([world.seed, 7])
    features = rng.normal(size=(world.n_features, world.d_in))
    codes = np.zeros((world.n_tokens, world.n_features))
    for row in codes:
        row[rng.choice(world.n_features, world.n_active, replace=False)] = rng.uniform(0.5, 1.5, world.n_active)
    return codes, features / np.linalg.norm(features, axis=1, keepdims=True)


def learned(x: np.ndarray, size: int, world: World) -> tuple[np.ndarray, np.ndarray]:
    """Codes and a dictionary of a size, learned on x."""
    rng = np.random.default_rng([world.seed, 8])
    decoder = _unit(x[rng.choice(len(x), size, replace=len(x) < size)])
    codes = np.zeros((len(x), size))
    for _ in range(world.rounds):
        codes = lasso(x, decoder, world.penalty, 60, codes)
        new = np.linalg.solve(codes.T @ codes + 1e-3 * np.eye(size), codes.T @ x)
        idle = codes.sum(axis=0) == 0
        new[idle] = x[rng.choice(len(x), idle.sum())]
        codes *= np.where(idle, 0, np.linalg.norm(new, axis=1))
        decoder = _unit(new)
    codes = lasso(x, decoder, world.penalty, 300, codes)
    return np.where(codes > 1e-3, codes, 0), decoder


def lasso(x: np.ndarray, decoder: np.ndarray, penalty: float, steps: int, start: np.ndarray) -> np.ndarray:
    """Codes z >= 0 that make |x - z decoder|^2 / 2 + penalty * sum(z) small, by FISTA."""
    gram, target = decoder @ decoder.T, x @ decoder.T - penalty
    bound, codes, ahead, t = np.linalg.norm(gram, 2), start, start, 1.0
    for _ in range(steps):
        new = np.maximum(ahead - (ahead @ gram - target) / bound, 0)
        t, before = (1 + np.sqrt(1 + 4 * t * t)) / 2, t
        ahead = new + (before - 1) / t * (new - codes)
        codes = new
    return codes


def write_sweep(path: Path, sizes: Sequence[int], world: World | None = None) -> None:
    """Make the atlas: SAE `truth`, then `m<size>` for each size."""
    world = world or World()
    codes, features = known(world)
    x = codes @ features
    with open_atlas(path, create=True) as atlas, atlas.transaction():
        _write_registry(atlas, world)
        _write_sae(atlas, 1, "truth", x, codes, features)
        for i, size in enumerate(sizes):
            _write_sae(atlas, 2 + i, f"m{size}", x, *learned(x, size, world))


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _one(atlas: Atlas, table: str, **values: object) -> None:
    """Insert one row."""
    atlas.insert(table, {name: [value] for name, value in values.items()})


def _write_registry(atlas: Atlas, world: World) -> None:
    _one(atlas, "tokenizer", tokenizer_id=1, sha256="t", n_vocab=1)
    size = {"d_model": world.d_in, "n_layers": 1, "n_ctx": 8}
    _one(atlas, "model", model_id=1, name="known", source="known", sha256="m", tokenizer_id=1, **size)
    cut = {"context_length": 8, "prepend_bos": False, "n_documents": 1, "n_contexts": 1, "n_tokens": world.n_tokens}
    _one(atlas, "corpus", corpus_id=1, name="known", source="known", sha256="c", tokenizer_id=1, **cut)


def _write_sae(atlas: Atlas, sae_id: int, name: str, x: np.ndarray, codes: np.ndarray, decoder: np.ndarray) -> None:
    """One dictionary and its codes, as an ingest leaves them."""
    n_tokens, size = codes.shape
    codes = codes.astype(np.float32)
    fvu = np.square(x - codes @ decoder).sum() / np.square(x - x.mean(axis=0)).sum()
    origin = {"source": name, "sha256": name, "decoder_norm": "as stored", "cfg": "{}"}
    shape = {"architecture": "known" if name == "truth" else "lasso", "d_in": x.shape[1], "d_sae": size}
    _one(
        atlas,
        "sae",
        sae_id=sae_id,
        name=name,
        alias=name.upper(),
        model_id=1,
        hook_name="x",
        layer=0,
        **shape,
        **origin,
    )
    counted = {"n_tokens": n_tokens, "n_documents": 1, "n_nonzero": np.count_nonzero(codes), "fvu": fvu}
    asked = {"exact_quantiles": True, "store": name, "spec": "{}", "spec_sha256": name, "finished_at": NOW}
    _one(atlas, "scan", scan_id=sae_id, sae_id=sae_id, corpus_id=1, run_id=1, **counted, **asked)
    rows = {"w_dec": decoder.tolist(), "w_enc": decoder.tolist(), "b_enc": [0.0] * size, "decoder_norm": [1.0] * size}
    atlas.insert("feature_vector", {"sae_id": [sae_id] * size, "feature_id": range(size), **rows})
    _write_statistics(atlas, sae_id, sp.csc_array(codes))
    _write_store(atlas.store / name, sp.csc_array(codes), np.cov(x.T, bias=True))


def _write_statistics(atlas: Atlas, scan_id: int, codes: Any) -> None:
    """Counts and histograms of every feature."""
    size, fired = codes.shape[1], np.diff(codes.indptr)
    rows: dict[str, object] = {"scan_id": [scan_id] * size, "feature_id": range(size), "n_fired": fired}
    for k, name in enumerate(("total", "total_2", "total_3", "total_4"), 1):
        rows[name] = codes.power(k).sum(axis=0).tolist()
    rows |= {"n_documents": fired.clip(max=1), "max": codes.max(axis=0).toarray().ravel().tolist()}
    atlas.insert("feature_stat", {**rows, "top_tokens": [[]] * size, "top_activations": [[]] * size})
    key = np.stack([np.repeat(np.arange(size), fired), codes.data.view(np.uint32) >> 19])
    (feature, bins), n = np.unique(key, axis=1, return_counts=True)
    atlas.insert("histogram", {"scan_id": [scan_id] * len(n), "feature_id": feature, "bin": bins, "n": n})


def _write_store(folder: Path, codes: Any, covariance: np.ndarray) -> None:
    """The activations as one shard, and the covariance of what is read."""
    folder.mkdir(parents=True)
    feature = np.repeat(np.arange(codes.shape[1], dtype=np.int32), np.diff(codes.indptr))
    table = {"feature_id": feature, "token_index": codes.indices.astype(np.int64), "activation": codes.data}
    pq.write_table(pa.table(table), folder / "shard-00000.parquet")
    receipt = f'{{"first_token": 0, "n_tokens": {codes.shape[0]}, "n_nonzero": {codes.nnz}}}'
    (folder / "shard-00000.json").write_text(receipt)
    np.savez(folder / "inputs.npz", covariance=covariance)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32, 48, 64, 80, 96, 128, 192])
    parser.add_argument("--penalty", type=float, default=0.1)
    given = parser.parse_args()
    write_sweep(given.path, given.sizes, World(penalty=given.penalty))
