"""What an ingest must find, by transformers, plain torch and dense NumPy columns only: nothing here is the project's.

One feature at a time is a dense float64 column over all counted tokens, so that 500,000 tokens of 1,024 features need
no matrix of 2 GB.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

K = 8
"""Features that every TopK SAE of the real data lets fire on a token."""

TRUNCATIONS = (16, 32, 64, 128, 256, 512, None)
"""Leading tokens of a document that are pooled; None for the whole."""


@dataclass(frozen=True, slots=True)
class Text:
    """A corpus as it was cut: full contexts only. Arrays after the first two have one entry a counted token."""

    ids: np.ndarray
    """(contexts, length) token ids."""

    documents: np.ndarray
    """(contexts, length) document of each token; -1 where it is not counted."""

    context: np.ndarray
    position: np.ndarray
    token_id: np.ndarray
    document: np.ndarray

    @classmethod
    def of(cls, rows: list[tuple[list[int], list[int]]]) -> Text:
        """From rows of (token_ids, documents)."""
        ids, documents = (np.array(column) for column in zip(*rows, strict=True))
        context, position = np.nonzero(documents >= 0)
        return cls(ids, documents, context, position, ids[context, position], documents[context, position])

    def __len__(self) -> int:
        """Counted tokens."""
        return len(self.token_id)

    @property
    def n_documents(self) -> int:
        """Documents; they are numbered from 0 without a gap."""
        return int(self.document[-1]) + 1

    def leading(self, truncation: int | None) -> np.ndarray:
        """Indices of the counted tokens that are among the first of their document."""
        begins = np.flatnonzero(np.diff(self.document, prepend=-1))
        place = np.arange(len(self)) - np.repeat(begins, np.diff(np.append(begins, len(self))))
        return np.arange(len(self)) if truncation is None else np.flatnonzero(place < truncation)


def hidden_states(folder: Path, layer: int, text: Text) -> np.ndarray:
    """Output of block `layer` at the counted tokens, as transformers has it: (tokens, d_model) float32."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.model.layers = model.model.layers[: layer + 2]  # one more, for the last output comes out normalised
    parts = []
    with torch.inference_mode():
        for begin in range(0, len(text.ids), 64):
            here = slice(begin, begin + 64)
            ids = torch.from_numpy(text.ids[here].astype(np.int64))
            states = model.model(ids, output_hidden_states=True).hidden_states[layer + 1]
            parts.append(states.numpy()[text.documents[here] >= 0])
    return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class TopK:
    """A TopK SAE from its safetensors: what fires, and its reconstruction."""

    w_enc: np.ndarray
    w_dec: np.ndarray
    b_enc: np.ndarray
    b_dec: np.ndarray
    centred: bool

    @classmethod
    def load(cls, folder: Path) -> TopK:
        """Read a folder of SAELens."""
        from safetensors.numpy import load_file

        cfg = json.loads((folder / "cfg.json").read_text())
        assert (cfg["architecture"], cfg["k"], cfg["rescale_acts_by_decoder_norm"]) == ("topk", K, True)
        tensors = load_file(folder / "sae_weights.safetensors")
        w_enc, w_dec, b_enc, b_dec = (tensors[name] for name in ("W_enc", "W_dec", "b_enc", "b_dec"))
        return cls(w_enc, w_dec, b_enc, b_dec, cfg["apply_b_dec_to_input"])

    @property
    def norms(self) -> np.ndarray:
        """(d_sae,) norms of the decoder rows."""
        return np.linalg.norm(self.w_dec, axis=1)

    def encode(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The K + 1 largest pre-activations of each token, falling, and their features: (tokens, K + 1) each.

        They are scaled by the norms of the decoder rows, as for decoder rows of unit norm. The first K fire if they
        are above 0; the last one is the runner-up.
        """
        import torch

        values, features = [], []
        for begin in range(0, len(x), 16384):
            here = x[begin : begin + 16384] - (self.b_dec if self.centred else 0)
            pre = (here @ self.w_enc + self.b_enc) * self.norms
            top = torch.from_numpy(pre).topk(K + 1, dim=1)
            values.append(top.values.numpy())
            features.append(top.indices.numpy())
        return np.concatenate(values), np.concatenate(features)

    def decode(self, codes: sp.csr_array) -> np.ndarray:
        """(tokens, d_model) reconstructions."""
        unit = np.divide(self.w_dec, self.norms[:, None], out=np.zeros_like(self.w_dec), where=self.norms[:, None] > 0)
        return codes @ unit + self.b_dec


def columns(codes: sp.csr_array) -> Iterator[tuple[int, np.ndarray]]:
    """Every feature with its dense column of activations: (tokens,) float64."""
    by_feature: Any = sp.csc_array(codes)
    for feature in range(codes.shape[1]):
        column = np.zeros(codes.shape[0])
        here = slice(by_feature.indptr[feature], by_feature.indptr[feature + 1])
        column[by_feature.indices[here]] = by_feature.data[here]
        yield feature, column


def moments(x: np.ndarray) -> dict[str, float]:
    """Mean, variance, skew and kurtosis (3 for a normal distribution) of a sample; NaN where there are none."""
    if not len(x):
        return dict.fromkeys(("mean", "var", "skew", "kurtosis"), np.nan)
    centred = x - x.mean()
    square = centred * centred
    var = square.mean()
    known = var > 1e-12 * np.square(x).mean()
    skew, kurtosis = (
        ((centred * square).mean() / var**1.5, np.square(square).mean() / var**2) if known else (np.nan,) * 2
    )
    return {"mean": x.mean(), "var": var, "skew": skew, "kurtosis": kurtosis}


def statistics(x: np.ndarray, text: Text) -> dict[str, float]:
    """Row of view `features` for one dense column, by the names of its columns."""
    active = np.sort(x[x > 0])
    over_all: dict[str, float] = moments(x)
    over_active: dict[str, float] = moments(active)
    quartile = dict.fromkeys(("q25_active", "median_active", "q75_active"), np.nan)
    if len(active):
        shares = zip(quartile, (0.25, 0.5, 0.75), strict=True)
        quartile = {name: active[int(np.ceil(share * len(active))) - 1] for name, share in shares}
    return {
        "n_tokens": len(x),
        "n_fired": len(active),
        "density": len(active) / len(x),
        **over_all,
        "std": np.sqrt(over_all["var"]),
        **{f"{name}_active": value for name, value in over_active.items()},
        "std_active": np.sqrt(over_active["var"]),
        **quartile,
        "max": active[-1] if len(active) else np.nan,
        "doc_density": np.count_nonzero(np.bincount(text.document, weights=x > 0)) / text.n_documents,
        "is_dead": not len(active),
    }


def by_key(x: np.ndarray, key: np.ndarray, n_keys: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of the tokens with each key (a position, a token id): how many, how many fire, sum and sum of squares."""
    return (
        np.bincount(key, minlength=n_keys),
        np.bincount(key[x > 0], minlength=n_keys),
        np.bincount(key, weights=x, minlength=n_keys),
        np.bincount(key, weights=x * x, minlength=n_keys),
    )


def pooled(x: np.ndarray, text: Text, leading: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest and mean activation over the leading tokens of every document: (documents,) each."""
    document = text.document[leading]
    begins = np.flatnonzero(np.diff(document, prepend=-1))
    lengths = np.diff(np.append(begins, len(document)))
    return np.maximum.reduceat(x[leading], begins), np.add.reduceat(x[leading], begins) / lengths


def eligible_contexts(grid: np.ndarray) -> dict[tuple[str, int], tuple[int, np.ndarray]]:
    """For every kind and bin of a feature's contexts, how many are shown and among which they must be.

    Args:
        grid: (contexts, length) activations of the feature.
    """
    peak = grid.max(axis=1)
    falling = np.lexsort((np.arange(len(peak)), -peak))[: np.count_nonzero(peak)]
    tenth = np.ceil(peak[falling] / max(peak.max(), 1e-30) * 10 - 1e-12).astype(int) - 1
    quantile = 9 - np.arange(len(falling)) * 10 // max(len(falling), 1)
    kinds = {
        ("top", 0): (20, falling[:20]),
        ("random", 0): (10, falling),
        ("silent", 0): (10, np.flatnonzero(peak == 0)),
    }
    kinds |= {("interval", b): (5, falling[tenth == b]) for b in range(10)}
    return kinds | {("quantile", b): (5, falling[quantile == b]) for b in range(10)}


def first(k: int, value: np.ndarray, n_fired: np.ndarray) -> list[int]:
    """The k keys with the largest value, largest first; ties go to more firings, then to the lower key."""
    order = np.lexsort((np.arange(len(value)), -n_fired, -value))
    return [int(key) for key in order[:k] if n_fired[key]]


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's correlation; NaN where one side is constant."""
    with np.errstate(invalid="ignore"):
        return float(np.corrcoef(x, y)[0, 1])


def logits(folder: Path, sae: TopK) -> np.ndarray:
    """(d_sae, vocabulary) float64: decoder rows through the final norm's scale and the unembedding."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    scale, unembedding = (w.detach().numpy().astype(float) for w in (model.model.norm.weight, model.lm_head.weight))
    return (sae.w_dec.astype(float) * scale) @ unembedding.T


def spread(text: Text, n_predicted: int) -> np.ndarray:
    """Contexts spread evenly over the corpus, the middles of as many equal parts as it takes to predict so many."""
    n_all = len(text.ids)
    predicted = np.count_nonzero(text.documents[:, 1:] >= 0, axis=1)
    spreads = ((2 * np.arange(n) + 1) * n_all // (2 * n) for n in range(1, n_all + 1))
    return next(contexts for contexts in spreads if predicted[contexts].sum() >= n_predicted)


def cross_entropies(folder: Path, layer: int, saes: list[TopK], text: Text, contexts: np.ndarray) -> list[float]:
    """Nats per predicted token: as the model is, with zeros after block `layer`, with each SAE's reconstruction there."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.from_numpy(text.ids[contexts].astype(np.int64))
    counted = text.documents[contexts] >= 0

    def spliced(x: np.ndarray, sae: TopK) -> np.ndarray:
        values, features = sae.encode(x)
        codes = np.maximum(values[:, :K], 0).ravel(), (np.repeat(np.arange(len(x)), K), features[:, :K].ravel())
        return sae.decode(sp.csr_array(codes, shape=(len(x), len(sae.w_dec))))

    def nats(change: Any) -> float:
        def put(module: Any, given: Any, output: Any) -> Any:
            states = (output[0] if isinstance(output, tuple) else output).clone()
            states[torch.from_numpy(counted)] = torch.from_numpy(change(states.numpy()[counted]).astype(np.float32))
            return (states, *output[1:]) if isinstance(output, tuple) else states

        handle = model.model.layers[layer].register_forward_hook(put)
        with torch.inference_mode():
            scores = model(ids).logits[:, :-1].log_softmax(dim=-1)
        handle.remove()
        return float(-scores.gather(2, ids[:, 1:, None])[..., 0].numpy()[counted[:, 1:]].mean(dtype=float))

    return [nats(change) for change in (lambda x: x, np.zeros_like, *(partial(spliced, sae=sae) for sae in saes))]
