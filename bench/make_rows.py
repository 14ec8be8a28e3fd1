"""Synthetic rows of the tables that have many of a feature: contexts, tokens, positions, pooled documents, logits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

Columns = dict[str, object]

AT_ONCE = 1024
"""Features whose rows are made together."""

# As ingest.accumulate.limits has them; as a script's neighbour, ingest.py of this folder hides that package.
REACH, BINS, CONTEXTS_PER_BIN, RANDOM_CONTEXTS, SILENT_CONTEXTS = 32, 10, 5, 10, 10
TRUNCATIONS = (16, 32, 64, 128, 256, 512)
KEPT_TOKENS, KEPT_LOGITS = 100, 20
"""Tokens of a feature, and logit weights at either end."""


@dataclass(frozen=True, slots=True)
class Text:
    """A random corpus: words by Zipf's law, and where each of them stands."""

    ids: np.ndarray
    """(n_contexts, context_length) token ids; column 0 is BOS."""
    by_token: np.ndarray
    """Flat places of all tokens, sorted by token."""
    first: np.ndarray
    """Where the places of a token begin in `by_token`."""

    def places(self, tokens: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Context and position of an occurrence of each token, chosen by numbers in [0, 1)."""
        begin, end = self.first[tokens], self.first[tokens + 1]
        flat = self.by_token[np.minimum(begin + (draws * (end - begin)).astype(int), self.ids.size - 1)]
        return np.divmod(flat, self.ids.shape[1])


@dataclass(frozen=True, slots=True)
class Alive:
    """The features of an SAE that fire."""

    feature: np.ndarray
    """(n,) number in the SAE."""
    token: np.ndarray
    """(n,) token on which it fires most."""
    fired: np.ndarray
    """(n,) tokens that fire, at least 1."""
    mean: np.ndarray
    """(n,) mean activation."""
    peak: np.ndarray
    """(n,) float32 largest activation."""

    def parts(self) -> Iterator[Alive]:
        """The same, some features at a time."""
        for begin in range(0, len(self.feature), AT_ONCE):
            here = slice(begin, begin + AT_ONCE)
            yield Alive(self.feature[here], self.token[here], self.fired[here], self.mean[here], self.peak[here])


def _slots(n_top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Kind, bin, rank of the contexts of a feature that fires often, and their activation over the peak's."""
    per_bin = (np.repeat(np.arange(BINS), CONTEXTS_PER_BIN), np.tile(np.arange(CONTEXTS_PER_BIN), BINS))
    in_bins = (per_bin[0] + 1 - per_bin[1] / CONTEXTS_PER_BIN / 2) / BINS
    kinds = {
        "interval": (*per_bin, in_bins),
        "quantile": (*per_bin, in_bins**2),
        "random": (np.zeros(RANDOM_CONTEXTS), np.arange(RANDOM_CONTEXTS), np.linspace(0.5, 0.1, RANDOM_CONTEXTS)),
        "silent": (np.zeros(SILENT_CONTEXTS), np.arange(SILENT_CONTEXTS), np.zeros(SILENT_CONTEXTS)),
        "top": (np.zeros(n_top), np.arange(n_top), np.linspace(1, 0.5, n_top)),
    }
    kind = np.concatenate([[name] * len(columns[0]) for name, columns in kinds.items()])
    bins, ranks, shares = (np.concatenate(column) for column in zip(*kinds.values(), strict=True))
    return kind, bins.astype(np.int16), (ranks + 1).astype(np.int16), shares.astype(np.float32)


def context_rows(text: Text, alive: Alive, n_top: int, rng: np.random.Generator) -> Columns:
    """Contexts of features around their token; a feature that fires seldom has fewer."""
    kind, bins, ranks, shares = _slots(n_top)
    silent, in_bin = kind == "silent", np.isin(kind, ["interval", "quantile"])
    draws = rng.random((len(alive.feature), len(kind)))
    top = np.flatnonzero(kind == "top")[::2]  # the same in every SAE: shared contexts
    draws[:, top] = (alive.token[:, None] * 0.618 + np.arange(0, n_top, 2) * 0.1) % 1
    there = silent | (ranks <= np.where(in_bin, -(-alive.fired[:, None] // BINS), alive.fired[:, None]))
    row, slot = np.nonzero(there)
    context, position = text.places(alive.token[row], draws[there])
    context[silent[slot]] = rng.integers(0, len(text.ids), int(silent[slot].sum()))
    start, end = np.maximum(position - REACH, 0), np.minimum(position + REACH + 1, text.ids.shape[1])
    strength = alive.peak[row] * shares[slot]
    inside, place, values = _fires(text, context, position, (start, end), alive.token[row], strength, rng)
    return {
        "feature_id": alive.feature[row],
        "kind": pl.Series(kind)[slot],
        "bin": bins[slot],
        "rank": ranks[slot],
        "activation": strength,
        "context_id": context,
        "position": position,
        "start": start,
        "length": (end - start).astype(np.int16),
        "places": lists(pa.array(place), inside),
        "activations": lists(pa.array(values), inside),
    }


def _fires(text, context, position, window, token, strength, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Firing tokens of windows: how many in each, where in the window, how strongly."""
    start, end = window
    offset = np.arange(2 * REACH + 1)
    column = start[:, None] + offset
    ids = text.ids[context[:, None], np.minimum(column, text.ids.shape[1] - 1)]
    noise = rng.random(ids.shape, dtype=np.float32)
    share = np.where(ids == token[:, None], np.float32(0.8), np.maximum(noise - np.float32(0.95), 0) * 8)
    share[np.arange(len(start)), position - start] = 1
    share[(column >= end[:, None]) | (column == 0)] = 0
    row, place = np.nonzero((share > 0) & (strength > 0)[:, None])
    return np.bincount(row, minlength=len(start)), place.astype(np.int16), share[row, place] * strength[row]


def token_rows(text: Text, alive: Alive, rng: np.random.Generator) -> Columns:
    """Up to 100 tokens of a feature: 50 by lift and 50 by sum."""
    n_words, half = len(text.first) - 1, KEPT_TOKENS // 2
    ids = np.sort(rng.integers(1, n_words, (len(alive.feature), KEPT_TOKENS)), axis=1)
    ids[:, 0] = np.minimum(ids[:, 0], alive.token)
    wanted = np.clip(alive.fired[:, None] // 2 + 1, 1, KEPT_TOKENS)
    row, slot = np.nonzero((np.diff(ids, axis=1, prepend=0) > 0) & (np.arange(KEPT_TOKENS) < wanted))
    token, counts = ids[row, slot], np.diff(text.first)
    n_fired = np.minimum(rng.geometric(0.3, len(row)), alive.fired[row])
    by_lift = slot % 2 == 0
    return {
        "feature_id": alive.feature[row],
        "token_id": token.astype(np.int32),
        "n_fired": n_fired,
        "total": n_fired * alive.mean[row],
        "n_tokens": np.maximum(counts[token], n_fired),
        "rank_by_lift": np.ma.array(half - slot // 2, mask=~by_lift).astype(np.int16),
        "rank_by_sum": np.ma.array(half - slot // 2, mask=by_lift).astype(np.int16),
    }


def position_rows(text: Text, alive: Alive, rng: np.random.Generator) -> Columns:
    """Where in the context features fire."""
    n_positions, n_contexts = text.ids.shape[1] - 1, len(text.ids)
    shares = np.broadcast_to((alive.fired / n_positions)[:, None], (len(alive.feature), n_positions))
    counts = np.minimum(rng.poisson(shares), n_contexts)
    row, column = np.nonzero(counts)
    n_fired = counts[row, column]
    means = {"total": alive.mean[row], "total_2": 1.5 * alive.mean[row] ** 2}
    sums = {name: n_fired * mean for name, mean in means.items()}
    return {"feature_id": alive.feature[row], "position": (column + 1).astype(np.int32), "n_fired": n_fired} | sums


def scan_rows(text: Text) -> dict[str, Columns]:
    """Tokens by position, and the documents: each is a context, with a label of mean 0 and deviation 1."""
    n, longest = len(text.ids), text.ids.shape[1] - 1
    positions: Columns = {"position": np.arange(1, longest + 1), "n_tokens": np.full(longest, n)}
    flat, spread = np.full(len(TRUNCATIONS) + 1, n), _lengths(text)
    pooling: Columns = {
        "truncation": [*TRUNCATIONS, None],
        "n_documents": flat,
        "n_labelled": flat,
        "label_sum": flat * 0.0,
        "label_sum_2": flat * 1.0,
        "length_label": n * 0.1 * spread[:, 1],
    }
    for name in ("length", "labelled_length"):
        total = f"{name}_sum" if name == "length" else name
        pooling |= {total: n * spread[:, 0], f"{total}_2": n * (spread[:, 0] ** 2 + spread[:, 1] ** 2)}
    return {"scan_position": positions, "scan_pooling": pooling}


def _lengths(text: Text) -> np.ndarray:
    """(truncations, 2) mean and deviation of what is there to pool."""
    longest = text.ids.shape[1] - 1
    means = np.minimum([*TRUNCATIONS, longest], longest) * 0.9
    return np.stack([means, means / 10], axis=1)


def pooling_rows(text: Text, alive: Alive, rng: np.random.Generator) -> Columns:
    """Sums over documents with means, deviations and correlations drawn at random."""
    n, lengths = len(text.ids), _lengths(text)
    shape = (len(alive.feature), len(lengths))
    rows: Columns = {
        "feature_id": np.repeat(alive.feature, len(lengths)),
        "truncation": pl.Series([*TRUNCATIONS, None], dtype=pl.Int32).to_list() * len(alive.feature),
    }
    for pool, scale in (("max", alive.peak / 4), ("mean", alive.mean / 20)):
        mean = scale[:, None] * rng.uniform(0.5, 1, shape)
        deviation, r = mean * rng.uniform(0.5, 2, shape), rng.uniform(-0.3, 0.6, (2, *shape))
        squares = n * (mean**2 + deviation**2)
        with_length = n * (mean * lengths[:, 0] + r[0] * deviation * lengths[:, 1])
        rows |= {f"{pool}_sum": (n * mean).ravel(), f"{pool}_sum_2": squares.ravel()}
        rows |= {f"labelled_{pool}": (n * mean).ravel(), f"labelled_{pool}_2": squares.ravel()}
        rows |= {f"{pool}_length": with_length.ravel(), f"labelled_{pool}_length": with_length.ravel()}
        rows |= {f"{pool}_label": (n * r[1] * deviation).ravel()}
    return rows


def logit_rows(n_words: int, features: np.ndarray, rng: np.random.Generator) -> Columns:
    """The tokens that features raise and lower most."""
    weights = np.sort(rng.gamma(9, 0.1, (len(features), 2, KEPT_LOGITS)), axis=2)[..., ::-1]
    weights[:, 1] *= -1
    return {
        "feature_id": np.repeat(features, 2 * KEPT_LOGITS),
        "sign": np.tile(np.repeat(np.array([1, -1], np.int8), KEPT_LOGITS), len(features)),
        "rank": np.tile(np.arange(1, KEPT_LOGITS + 1, dtype=np.int16), 2 * len(features)),
        "token_id": rng.integers(1, n_words, weights.size).astype(np.int32),
        "logit": weights.ravel().astype(np.float32),
    }


def lists(values: pa.Array, lengths: np.ndarray) -> pl.Series:
    """A column of lists: the first has the first `lengths[0]` values, and so on."""
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))
    return pl.Series(pl.from_arrow(pa.LargeListArray.from_arrays(offsets, values)))
