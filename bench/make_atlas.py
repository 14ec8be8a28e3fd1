"""Writes a synthetic atlas of any size, with skewed densities and planted partners, to measure the browser on."""

from __future__ import annotations

import argparse
import datetime
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from atlas.db import Atlas, open_atlas

try:
    from bench import make_rows as rows_of
except ImportError:  # as a script: its own folder is on the path
    import make_rows as rows_of

NOW = datetime.datetime(2026, 1, 1)
HEADS = "Lily Tom Ben Mia Sam the a and said was happy sad little big cat dog once upon time day Monday red ball"
ONSETS, VOWELS, ENDS = "bdfgklmnprstvw", "aeiou", "nrstlm"


@dataclass(frozen=True, slots=True)
class Size:
    """How much to make."""

    n_saes: int
    d_sae: int
    n_words: int = 3_000
    n_contexts: int = 2_000
    context_length: int = 128
    n_top: int = 20
    """Strongest contexts of a feature, besides 120 of other kinds."""
    top_k: int = 5
    """Partners of a feature in every other SAE."""
    d_in: int = 64


def words(n: int) -> list[str]:
    """Decoded vocabulary: BOS, punctuation, then words with a leading space."""
    made = [f" {a}{v}{e}{b}{w}" for a in ONSETS for v in VOWELS for e in ENDS for b in ONSETS for w in VOWELS]
    order = np.random.default_rng(1).permutation(len(made))
    shuffled = [made[i] for i in order]
    more = [f"{word}{ending}" for ending in ("al", "ic", "ous") for word in shuffled]
    return ["<s>", ".", ",", "\n", *(f" {word}" for word in HEADS.split()), *shuffled, *more][:n]


def random_text(size: Size, rng: np.random.Generator) -> rows_of.Text:
    """Draw the corpus."""
    weights = 1 / np.arange(1, size.n_words) ** 1.05
    ids = rng.choice(np.arange(1, size.n_words), size=(size.n_contexts, size.context_length), p=weights / weights.sum())
    ids[:, 0] = 0
    by_token = np.argsort(ids, axis=None, kind="stable")
    return rows_of.Text(ids, by_token, np.searchsorted(ids.ravel()[by_token], np.arange(size.n_words + 1)))


def write(atlas: Atlas, size: Size, seed: int) -> None:
    """Fill every table the browser reads."""
    rng = np.random.default_rng(seed)
    text = random_text(size, rng)
    _write_registries(atlas, size, text)
    peak_tokens = np.minimum((rng.pareto(0.9, (size.n_saes, size.d_sae)) * 3).astype(int) + 1, size.n_words - 1)
    partner = np.empty_like(peak_tokens)  # of feature i in SAE 0
    for s in range(size.n_saes):
        partner[s] = rng.permutation(size.d_sae) if s else np.arange(size.d_sae)
        peak_tokens[s, partner[s]] = peak_tokens[0]
    n_tokens = size.n_contexts * (size.context_length - 1)
    fired = np.minimum((10 ** rng.normal(-3.2, 0.8, (size.n_saes, size.d_sae)) * n_tokens).astype(int), n_tokens)
    fired[rng.random(fired.shape) < 0.05] = 0
    for s in range(size.n_saes):
        _write_sae(atlas, size, s, rng)
        _write_scan(atlas, size, text, s, peak_tokens[s], fired[s], n_tokens, rng)
    pairing = 0
    for a in range(size.n_saes):
        for b in range(a + 1, size.n_saes):
            pairing += 1
            _write_pairing(atlas, size, pairing, (a, b), partner, fired, n_tokens, rng)


def _write_registries(atlas: Atlas, size: Size, text: rows_of.Text) -> None:
    """Run, tokenizer, two models, corpus."""
    vocabulary = words(size.n_words)
    kinds = ["special", "punctuation", "punctuation", "space"] + ["word"] * (size.n_words - 4)
    run = {"run_id": [1], "command": ["bench/make_atlas.py"], "spec": ["{}"], "spec_sha256": ["synthetic"]}
    stamps = {"software": ['{"featlas": "0"}'], "started_at": [NOW], "finished_at": [NOW], "status": ["done"]}
    atlas.insert("run", run | stamps)
    atlas.insert("tokenizer", {"tokenizer_id": [1], "sha256": ["t"], "n_vocab": [size.n_words]})
    ids = range(size.n_words)
    atlas.insert("vocab", {"tokenizer_id": [1] * size.n_words, "token_id": ids, "text": vocabulary, "class": kinds})
    for number in (1, 2):
        names = {"model_id": [number], "name": [f"toy-{number}"], "source": ["synthetic"], "sha256": [f"m{number}"]}
        shape = {"architecture": ["GPTNeoX"], "d_model": [size.d_in], "n_layers": [6], "n_ctx": [size.context_length]}
        atlas.insert("model", names | shape | {"tokenizer_id": [1]})
    names = {"corpus_id": [1], "name": ["synthetic"], "source": ["synthetic"], "sha256": ["c"], "tokenizer_id": [1]}
    cut = {"context_length": [size.context_length], "prepend_bos": [True], "n_documents": [size.n_contexts]}
    counted = size.context_length - 1
    totals = {"n_contexts": [size.n_contexts], "n_tokens": [size.n_contexts * counted]}
    atlas.insert("corpus", names | cut | totals)
    documents = np.repeat(np.arange(size.n_contexts, dtype=np.int32)[:, None], size.context_length, axis=1)
    documents[:, 0] = -1
    context = {"corpus_id": [1] * size.n_contexts, "context_id": range(size.n_contexts)}
    first = np.arange(size.n_contexts) * counted
    atlas.insert(
        "context", context | {"first_token": first, "token_ids": _lists(text.ids), "documents": _lists(documents)}
    )
    label = np.random.default_rng(2).normal(size=size.n_contexts)
    spans = {"first_token": first, "n_tokens": np.full(size.n_contexts, counted), "label": label}
    numbers = {"corpus_id": [1] * size.n_contexts, "document_id": range(size.n_contexts)}
    atlas.insert("document", numbers | spans)


def _write_sae(atlas: Atlas, size: Size, s: int, rng: np.random.Generator) -> None:
    """The SAE and its weights. SAEs come in twos on one hook of one model."""
    model, layer = 1 + s // 2 % 2, 2 + 2 * (s // 4)
    name = f"toy-{model}/L{layer}/{'topk' if s % 2 == 0 else 'l1'}-{size.d_sae}" + ("" if s < 4 else f"-{s}")
    names = {"sae_id": [s + 1], "name": [name], "alias": [chr(65 + s)], "model_id": [model]}
    place = {"hook_name": [f"blocks.{layer}.hook_resid_post"], "layer": [layer], "architecture": ["topk"]}
    origin = {"source": [name], "sha256": [name], "decoder_norm": ["folded"], "cfg": ["{}"]}
    atlas.insert("sae", names | place | {"d_in": [size.d_in], "d_sae": [size.d_sae]} | origin)
    rows = rng.normal(size=(size.d_sae, size.d_in)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    keys = {"sae_id": np.full(size.d_sae, s + 1), "feature_id": np.arange(size.d_sae)}
    ones = np.ones(size.d_sae, np.float32)
    flat = {"b_enc": ones * 0, "decoder_norm": ones, "encoder_norm": ones}
    logits = {"logit_mean": ones * 0, "logit_std": ones, "logit_skew": ones * 0, "logit_kurtosis": ones * 3}
    atlas.insert("feature_vector", keys | {"w_dec": _lists(rows), "w_enc": _lists(rows)} | flat | logits)
    for begin in range(0, size.d_sae, 16 * rows_of.AT_ONCE):
        here = np.arange(begin, min(begin + 16 * rows_of.AT_ONCE, size.d_sae), dtype=np.int32)
        _insert(atlas, "logit_token", "sae_id", s + 1, rows_of.logit_rows(size.n_words, here, rng))


def _write_scan(atlas, size, text, s, tokens, fired, n_tokens, rng) -> None:
    """Statistics, histograms and contexts of one SAE."""
    features, alive = np.arange(size.d_sae), fired > 0
    mean, peak = rng.uniform(0.5, 4, size.d_sae), rng.uniform(4, 16, size.d_sae).astype(np.float32)
    scan = {"scan_id": [s + 1], "sae_id": [s + 1], "corpus_id": [1], "run_id": [1], "n_tokens": [n_tokens]}
    scan |= {"n_contexts": [size.n_contexts], "n_documents": [size.n_contexts]}
    found = {"n_nonzero": [int(fired.sum())], "fvu": [0.2], "exact_quantiles": [True], "store": [None]}
    atlas.insert("scan", scan | found | {"spec": ["{}"], "spec_sha256": [f"s{s}"], "finished_at": [NOW]})
    dead = ~alive
    vocabulary = np.array(words(size.n_words), dtype=object)
    near = np.stack([tokens, tokens, tokens, np.roll(tokens, 1), rng.integers(1, size.n_words, size.d_sae)], axis=1)
    top = [list(row) if live else [] for row, live in zip(vocabulary[near], alive, strict=True)]
    strengths = [[float(m)] * len(row) for m, row in zip(peak, top, strict=True)]
    moments = {f"total{power}": fired * mean**p for p, power in enumerate(("", "_2", "_3", "_4"), start=1)}
    keys = {"scan_id": np.full(size.d_sae, s + 1), "feature_id": features, "n_fired": fired}
    spread = {"n_documents": np.minimum(fired, size.n_contexts), "max": np.ma.array(peak, mask=dead)}
    quantiles = {
        f"{q}_active": np.ma.array(mean * k, mask=dead) for q, k in (("q25", 0.7), ("median", 0.9), ("q75", 1.2))
    }
    lists = {"top_tokens": top, "top_activations": pl.Series(strengths, dtype=pl.List(pl.Float32))}
    atlas.insert("feature_stat", keys | moments | spread | quantiles | lists)
    _write_histograms(atlas, s, features[alive], fired[alive], mean[alive], peak[alive], rng)
    of_alive = rows_of.Alive(features[alive].astype(np.int32), tokens[alive], fired[alive], mean[alive], peak[alive])
    for table, rows in rows_of.scan_rows(text).items():
        _insert(atlas, table, "scan_id", s + 1, rows)
    for part in of_alive.parts():
        _insert(atlas, "feature_context", "scan_id", s + 1, rows_of.context_rows(text, part, size.n_top, rng))
        _insert(atlas, "feature_token", "scan_id", s + 1, rows_of.token_rows(text, part, rng))
        _insert(atlas, "feature_position", "scan_id", s + 1, rows_of.position_rows(text, part, rng))
        _insert(atlas, "feature_pooling", "scan_id", s + 1, rows_of.pooling_rows(text, part, rng))


def _insert(atlas: Atlas, table: str, key: str, value: int, rows: rows_of.Columns) -> None:
    """Write rows of one scan or SAE."""
    atlas.insert(table, {**rows, key: np.full(len(next(iter(rows.values()))), value)})  # type: ignore[arg-type]


def _write_histograms(atlas, s, features, fired, mean, peak, rng) -> None:
    """Up to 96 bins a feature, the last one at its maximum."""
    last = (peak.view(np.uint32) >> 19).astype(int)
    bins = last[:, None] - np.arange(96)[::-1]
    centre = np.ldexp(1 + (bins & 15) / 16, (bins >> 4) - 127)
    weight = centre * np.exp(-centre / mean[:, None])
    counts = rng.poisson(fired[:, None] * weight / weight.sum(axis=1, keepdims=True))
    counts[:, -1] = np.maximum(counts[:, -1], 1)
    rows, columns = np.nonzero(counts)
    keys = {"scan_id": np.full(len(rows), s + 1), "feature_id": features[rows]}
    atlas.insert("histogram", keys | {"bin": bins[rows, columns], "n": counts[rows, columns]})


def _write_pairing(atlas, size, pairing, saes, partner, fired, n_tokens, rng) -> None:
    """Planted partners with values from .1 to .98 and random ones below .3, ranked both ways."""
    a, b = saes
    features = np.arange(size.d_sae)
    planted = np.empty(size.d_sae, int)
    planted[partner[a]] = partner[b]
    one = np.concatenate([features, np.repeat(features, size.top_k - 1)])
    two = np.concatenate([planted, rng.integers(0, size.d_sae, size.d_sae * (size.top_k - 1))])
    value = np.concatenate([rng.beta(2.5, 2, size.d_sae), rng.uniform(0, 0.3, len(one) - size.d_sae)])
    _, keep = np.unique(one * size.d_sae + two, return_index=True)
    keep = keep[(fired[a][one[keep]] > 0) & (fired[b][two[keep]] > 0)]
    one, two, value = one[keep], two[keep], value[keep]
    rank_ab, rank_ba = _ranks(one, two, value), _ranks(two, one, value)
    order = np.lexsort((rank_ab, one))
    best = value[rank_ab == 1]
    key = {"pairing_id": [pairing], "measure": ["activation"], "sae_a": [a + 1], "sae_b": [b + 1], "corpus_id": [1]}
    what = {"run_id": [1], "n_tokens": [n_tokens], "top_k": [size.top_k], "median_best": [float(np.median(best))]}
    atlas.insert(
        "pairing", key | what | {"chance": [0.031], "chance_shift": [n_tokens // 2], "spec_sha256": [f"p{pairing}"]}
    )
    n_a, n_b = fired[a][one], fired[b][two]
    joint = (value * np.minimum(n_a, n_b)).astype(int)
    columns = {"feature_a": one, "feature_b": two, "value": value, "n_a": n_a, "n_b": n_b, "n_ab": joint}
    ranks = {"rank_ab": rank_ab, "rank_ba": np.ma.array(rank_ba, mask=rank_ba > size.top_k)}
    columns = {name: column[order] for name, column in (columns | ranks).items()}
    atlas.insert("pair", {"pairing_id": np.full(len(order), pairing)} | columns)


def _ranks(chooser: np.ndarray, chosen: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Place of each pair among its chooser's pairs, from 1; ties go to the lower id."""
    order = np.lexsort((chosen, -value, chooser))
    new = np.r_[True, np.diff(chooser[order]) != 0]
    start = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    ranks = np.empty(len(order), int)
    ranks[order] = np.arange(len(order)) - start + 1
    return ranks


def _lists(rows: np.ndarray) -> pl.Series:
    """A two-dimensional array as a list column."""
    return pl.Series(rows).arr.to_list()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--saes", type=int, default=4)
    parser.add_argument("--d-sae", type=int, default=32_768)
    parser.add_argument("--contexts", type=int, default=2_000, help="contexts of the corpus")
    parser.add_argument("--words", type=int, default=50_257, help="size of the vocabulary")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.perf_counter()
    with open_atlas(options.output, create=True) as atlas, atlas.transaction():
        size = Size(options.saes, options.d_sae, n_words=options.words, n_contexts=options.contexts)
        write(atlas, size, options.seed)
    print(f"{options.output}: {options.saes} x {options.d_sae:,} features in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
