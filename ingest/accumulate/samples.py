"""Contexts of every feature drawn by a seed: by intervals and quantiles of its activation, at random, and silent ones.

A draw is a function of the seed, the feature's number in the SAE, the contexts and the activations: not of how the
corpus or the features were divided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np

from ingest.accumulate.codes import Codes, TokenMap, order_within, rank_in_group, run_starts
from ingest.accumulate.limits import BINS, CONTEXTS_PER_BIN, RANDOM_CONTEXTS
from ingest.accumulate.silence import Silence
from ingest.accumulate.splitmix import mixed
from ingest.accumulate.windows import Windows, context_peaks, windows_around

KINDS = ("interval", "quantile", "random", "silent")
"""How a context was drawn; `SampledContexts.kind` is a place in this list."""

_SILENT = KINDS.index("silent")
_CODES_AT_ONCE = 1 << 17
_FEATURES_AT_ONCE = 1 << 10


@dataclass(frozen=True, slots=True)
class SampledContexts(Windows):
    """Sampled contexts, one row a context, no context twice within a feature and kind: by feature, kind, bin, rank.

    The token in the centre is the context's peak, the first of equal ones; of a silent context, any counted token.
    """

    kind: np.ndarray
    """(rows,) int8: place in `KINDS`."""
    bin: np.ndarray
    """(rows,) int16: interval or quantile, from 0 for the weakest; 0 for the other kinds."""
    rank: np.ndarray
    """(rows,) int16: place within feature, kind and bin, from 1: activation down, then token; silent ones as drawn."""


def sample_contexts(
    codes: Codes, tokens: TokenMap, largest: np.ndarray, *, seed: int, first_feature: int = 0
) -> SampledContexts:
    """Draw contexts of a range of features.

    A context's activation is its peak. Interval b of a feature lies above b and up to b + 1 tenths of its largest
    activation. Its firing contexts by activation, of equal ones the later being the weaker, fall into ten quantiles
    whose sizes differ by one at most.

    Args:
        codes: Codes of the range on whole contexts.
        tokens: The tokens of these contexts.
        largest: (d_sae of `codes`,) largest activation of each feature, which other contexts may hold.
        seed: Of every draw.
        first_feature: Number in the SAE of the range's first feature.
    """
    silence = Silence.of(tokens, seed)
    draws = []
    for begin, part in _parts(codes):
        draw = _draw(part, tokens, largest[begin : begin + part.d_sae], first_feature + begin, silence)
        draws.append(replace(draw, feature=draw.feature + np.int32(begin)))
    return SampledContexts(
        **{f.name: np.concatenate([getattr(draw, f.name) for draw in draws]) for f in fields(SampledContexts)}
    )


def _parts(codes: Codes) -> Iterator[tuple[int, Codes]]:
    """Ranges of few features with few codes, or of one feature: number of the first, and codes counted from it."""
    features = np.arange(codes.d_sae + 1, dtype=np.int32)
    first_code = np.searchsorted(codes.feature, features)
    cuts = run_starts(first_code[:-1] // _CODES_AT_ONCE, features[:-1] // _FEATURES_AT_ONCE)
    for begin, end in pairwise([*cuts.tolist(), codes.d_sae]):
        here = slice(first_code[begin], first_code[end])
        yield (
            begin,
            Codes(end - begin, codes.feature[here] - np.int32(begin), codes.token[here], codes.activation[here]),
        )


def _draw(codes: Codes, tokens: TokenMap, largest: np.ndarray, first: int, silence: Silence) -> SampledContexts:
    """Draw contexts of a few features, of which `first` is the number of the first."""
    begins, lengths, peak = context_peaks(codes, tokens)
    order = order_within(codes.feature[peak], -codes.activation[peak].view(np.int32))
    begins, lengths, peak = begins[order], lengths[order], peak[order]
    feature, token = codes.feature[peak].astype(np.int64), codes.token[peak]
    pairs = feature + first << 32 | tokens.context[token]
    rows, groups = [], []
    for kind, (bins, n_each) in _FIRING.items():
        group = _group(feature, kind, bins(feature, codes.activation[peak], largest))
        rows.append(_lowest(group, mixed(pairs, silence.seed, kind) >> np.uint64(32), n_each))
        groups.append(group[rows[-1]])
    row = np.concatenate(rows)
    silent, anywhere = silence.draw(np.arange(first, first + codes.d_sae), feature, token)
    group = np.concatenate([*groups, _group(silent, _SILENT, 0)])
    # At most 2^10 features, 4 kinds and 10 bins: the numbers of groups fit 16 bits, which sort by radix.
    order = np.argsort(group.astype(np.uint16), kind="stable")
    group, none = group[order], np.zeros(len(silent), np.int64)
    return SampledContexts(
        feature=(group // BINS // len(KINDS)).astype(np.int32),
        kind=(group // BINS % len(KINDS)).astype(np.int8),
        bin=(group % BINS).astype(np.int16),
        rank=(rank_in_group(group) + 1).astype(np.int16),
        activation=np.concatenate([codes.activation[peak[row]], none.astype(np.float32)])[order],
        **windows_around(
            np.concatenate([token[row], anywhere])[order],
            codes,
            np.concatenate([begins[row], none])[order],
            np.concatenate([lengths[row], none])[order],
            tokens,
        ),
    )


def _group(feature: np.ndarray, kind: int, bins: np.ndarray | int) -> np.ndarray:
    return (feature * len(KINDS) + kind) * BINS + bins


def _intervals(feature: np.ndarray, activation: np.ndarray, largest: np.ndarray) -> np.ndarray:
    # Exact: a quotient of two float32 is too far from a whole number for float64 to round it onto one.
    tenths = activation.astype(np.float64) * BINS / largest[feature]
    return np.clip(np.ceil(tenths).astype(np.int64) - 1, 0, BINS - 1)


def _quantiles(feature: np.ndarray, activation: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Quantile of each context; they come by feature, strongest first."""
    n_contexts = np.bincount(feature, minlength=1)
    return BINS - 1 - rank_in_group(feature) * BINS // n_contexts[feature]


def _all(feature: np.ndarray, activation: np.ndarray, largest: np.ndarray) -> np.ndarray:
    return np.zeros(len(feature), np.int64)


_FIRING = {
    KINDS.index("interval"): (_intervals, CONTEXTS_PER_BIN),
    KINDS.index("quantile"): (_quantiles, CONTEXTS_PER_BIN),
    KINDS.index("random"): (_all, RANDOM_CONTEXTS),
}


def _lowest(group: np.ndarray, lots: np.ndarray, k: int) -> np.ndarray:
    """Indices, ascending, of the `k` lowest lots of each run of equal groups; equal lots go to the earlier entry."""
    starts = run_starts(group)
    run = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(group))))
    return np.sort(order_within(run, lots)[rank_in_group(run) < k])
