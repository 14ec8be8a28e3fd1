"""Claims about sampled contexts: each kind holds what it says, and a draw depends on the seed and on no cut."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.accumulate.codes import Codes, TokenMap
from ingest.accumulate.limits import BINS, CONTEXTS_PER_BIN, RANDOM_CONTEXTS, REACH, SILENT_CONTEXTS
from ingest.accumulate.samples import KINDS, SampledContexts, sample_contexts
from ingest.accumulate.splitmix import mixed

LENGTH, D_SAE = 5, 7
DEAD, ALWAYS, ALL_BUT_ONE = 0, 1, 2
N_EACH = {"interval": CONTEXTS_PER_BIN, "quantile": CONTEXTS_PER_BIN, "random": RANDOM_CONTEXTS}


def make(seed: int, n_contexts: int) -> np.ndarray:
    """(contexts, tokens, features) activations with ties; tokens stand at positions 1 to 5."""
    rng = np.random.default_rng(seed)
    dense = np.ceil(rng.gamma(1, 2, (n_contexts, LENGTH, D_SAE)) * 4) / 4
    dense *= rng.random(dense.shape) < rng.random(D_SAE) * 0.5
    dense[:, :, DEAD] = 0
    dense[:, 2, [ALWAYS, ALL_BUT_ONE]] = 1
    dense[rng.integers(n_contexts), :, ALL_BUT_ONE] = 0
    return dense.astype(np.float32)


def inputs(dense: np.ndarray, first_context: int = 0) -> tuple[Codes, TokenMap, np.ndarray]:
    """Codes, tokens and maximum activations."""
    n = len(dense)
    rows = dense.reshape(n * LENGTH, -1)
    token, feature = np.nonzero(rows)
    zeros = np.zeros(n * LENGTH, np.int32)
    tokens = TokenMap(
        first=first_context * LENGTH,
        context=np.repeat(np.arange(first_context, first_context + n, dtype=np.int32), LENGTH),
        position=np.tile(np.arange(1, LENGTH + 1, dtype=np.int32), n),
        document=zeros,
        context_length=zeros + LENGTH + 1,
        token_id=zeros,
        place=np.arange(n * LENGTH, dtype=np.int32),
    )
    codes = Codes.of(dense.shape[2], feature, token, rows[token, feature])
    return codes, tokens, rows.max(axis=0) if n else np.zeros(dense.shape[2], np.float32)


def sample(dense: np.ndarray, seed: int = 0) -> SampledContexts:
    return sample_contexts(*inputs(dense), seed=seed)


def same(one: SampledContexts, other: SampledContexts) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))


def groups(drawn: SampledContexts, kind: str, feature: int) -> dict[int, np.ndarray]:
    """Rows of each bin."""
    rows = np.flatnonzero((drawn.kind == KINDS.index(kind)) & (drawn.feature == feature))
    return {bin_: rows[drawn.bin[rows] == bin_] for bin_ in np.unique(drawn.bin[rows]).tolist()}


corpora = given(seed=st.integers(0, 10_000), n_contexts=st.integers(1, 150))


@settings(max_examples=60, deadline=None)
@corpora
def test_each_bin_holds_as_many_contexts_as_it_should_and_only_its_own(seed, n_contexts):
    dense = make(seed, n_contexts)
    drawn, peaks = sample(dense, seed), dense.max(axis=1)
    for feature in range(D_SAE):
        firing = np.flatnonzero(peaks[:, feature])
        peak = peaks[firing, feature].astype(float)
        members = {"random": {0: set(firing)} if len(firing) else {}}
        edges = np.linspace(0, 1, BINS + 1) * peaks[:, feature].max()
        tenths = [
            (b, firing[(peak > low + 1e-9) & (peak <= high + 1e-9)]) for b, (low, high) in enumerate(pairwise(edges))
        ]
        members["interval"] = {b: set(those) for b, those in tenths if len(those)}
        strongest_first = firing[np.lexsort((firing, -peak))]
        tenths = [(BINS - 1 - i * BINS // len(firing), context) for i, context in enumerate(strongest_first)]
        members["quantile"] = {b: {context for bin_, context in tenths if bin_ == b} for b, _ in tenths}
        for kind, bins in members.items():
            rows = groups(drawn, kind, feature)
            assert set(rows) == set(bins)
            for bin_, here in rows.items():
                chosen = drawn.context[here].tolist()
                assert set(chosen) <= bins[bin_]
                assert len(chosen) == len(set(chosen)) == min(N_EACH[kind], len(bins[bin_]))
                assert drawn.activation[here].tolist() == peaks[chosen, feature].tolist()
                assert drawn.rank[here].tolist() == list(range(1, len(here) + 1))
                assert np.lexsort((drawn.token[here], -drawn.activation[here])).tolist() == list(range(len(here)))


@settings(max_examples=60, deadline=None)
@corpora
def test_silent_contexts_are_silent_and_as_many_as_there_are(seed, n_contexts):
    dense = make(seed, n_contexts)
    drawn, peaks = sample(dense, seed), dense.max(axis=1)
    for feature in range(D_SAE):
        rows = groups(drawn, "silent", feature).get(0, np.zeros(0, int))
        silent = set(np.flatnonzero(peaks[:, feature] == 0))
        chosen = drawn.context[rows].tolist()
        assert set(chosen) <= silent
        assert len(chosen) == len(set(chosen)) == min(SILENT_CONTEXTS, len(silent))
        assert not drawn.activation[rows].any()
        assert not drawn.n_inside[rows].any()
        assert drawn.rank[rows].tolist() == list(range(1, len(rows) + 1))


@settings(max_examples=40, deadline=None)
@corpora
def test_windows_hold_every_activation_and_stand_where_they_say(seed, n_contexts):
    dense = make(seed, n_contexts)
    drawn = sample(dense, seed)
    values, offsets = drawn.activations()
    padded = np.concatenate([np.zeros((n_contexts, 1, D_SAE), np.float32), dense], axis=1)
    for row, feature in enumerate(drawn.feature):
        context = padded[drawn.context[row], :, feature]
        assert values[offsets[row] : offsets[row + 1]].tolist() == context.tolist()
        assert context[drawn.position[row]] == drawn.activation[row] == context.max()
        assert drawn.token[row] == drawn.context[row] * LENGTH + drawn.position[row] - 1
        if drawn.activation[row] > 0:
            assert drawn.position[row] == np.argmax(context)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n_contexts=st.integers(1, 100), cut=st.integers(1, D_SAE - 1))
def test_ranges_of_features_draw_what_the_whole_draws(seed, n_contexts, cut):
    dense = make(seed, n_contexts)
    whole = sample(dense, seed)
    low = sample_contexts(*inputs(dense[:, :, :cut]), seed=seed)
    high = sample_contexts(*inputs(dense[:, :, cut:]), seed=seed, first_feature=cut)
    for f in fields(whole):
        upper = getattr(high, f.name) + cut if f.name == "feature" else getattr(high, f.name)
        np.testing.assert_array_equal(np.concatenate([getattr(low, f.name), upper]), getattr(whole, f.name), f.name)


def test_parts_of_many_features_draw_what_the_features_draw_one_by_one(monkeypatch):
    dense = make(5, 60)
    whole = sample(dense)
    monkeypatch.setattr("ingest.accumulate.samples._CODES_AT_ONCE", 40)
    monkeypatch.setattr("ingest.accumulate.samples._FEATURES_AT_ONCE", 2)
    assert same(sample(dense), whole)


def test_a_seed_draws_the_same_again_and_another_seed_draws_otherwise():
    dense = make(1, 150)
    assert same(sample(dense, 3), sample(dense, 3))
    one, other = sample(dense, 3), sample(dense, 4)
    for kind in range(len(KINDS)):
        assert not np.array_equal(one.token[one.kind == kind], other.token[other.kind == kind])


def test_intervals_reach_to_the_largest_activation_though_another_part_holds_it():
    codes, tokens, largest = inputs(make(2, 50))
    drawn = sample_contexts(codes, tokens, largest * 10, seed=0)
    assert set(drawn.bin[drawn.kind == KINDS.index("interval")]) == {0}


@pytest.mark.parametrize("width", [0.75, 0.7, 1e-20, 3e30])
def test_the_edge_between_two_intervals_belongs_to_the_lower_one_and_rounding_moves_no_peak(width):
    dense = np.zeros((10, LENGTH, 1), np.float32)
    dense[:, 0, 0] = np.arange(1, 11) * width
    drawn = sample(dense)
    rows = drawn.kind == KINDS.index("interval")
    largest = Fraction(float(drawn.activation.max()))
    exact = [ceil(Fraction(float(peak)) * 10 / largest) - 1 for peak in drawn.activation[rows]]
    assert drawn.bin[rows].tolist() == exact
    assert width != 0.75 or exact == list(range(10))


def test_a_dead_feature_has_silent_contexts_only_and_one_that_always_fires_has_none():
    drawn = sample(make(3, 30))
    assert set(drawn.kind[drawn.feature == DEAD]) == {KINDS.index("silent")}
    assert KINDS.index("silent") not in drawn.kind[drawn.feature == ALWAYS]
    assert groups(drawn, "silent", ALL_BUT_ONE)[0].size == 1


def test_a_corpus_of_one_context_and_an_sae_that_never_fires_end():
    one = sample(make(0, 1))
    assert set(one.context) == {0}
    assert sample(make(0, 1) * 0).kind.tolist() == [KINDS.index("silent")] * D_SAE


def test_a_window_reaches_32_tokens_to_either_side():
    length = 200
    zeros = np.zeros(length, np.int32)
    tokens = TokenMap(0, zeros, np.arange(length, dtype=np.int32), zeros, zeros + length, zeros, zeros)
    codes = Codes.of(2, np.array([0]), np.array([100]), np.array([1.0]))
    drawn = sample_contexts(codes, tokens, np.array([1, 0], np.float32), seed=0)
    assert (drawn.start[0], drawn.length[0]) == (100 - REACH, 2 * REACH + 1)
    centre = drawn.position[-1]
    assert (drawn.start[-1], drawn.start[-1] + drawn.length[-1]) == (max(centre - 32, 0), min(centre + 33, 200))


@pytest.mark.parametrize("kind", ["random", "silent"])
def test_every_context_is_drawn_equally_often(kind):
    """Of 40 contexts, 2000 features fire in the even ones: each is drawn 1000 times, with a standard deviation of 22."""
    dense = np.zeros((40, LENGTH, 2000), np.float32)
    dense[::2, 0] = 1
    drawn = sample(dense)
    counts = np.bincount(drawn.context[drawn.kind == KINDS.index(kind)], minlength=40)
    expected = np.zeros(40)
    expected[(0 if kind == "random" else 1) :: 2] = 1000
    assert np.abs(counts - expected).max() < 5 * 22.4


def test_numbers_that_look_random_are_those_of_splitmix64():
    """The first three outputs of the reference implementation from state 1234567."""
    from ingest.accumulate.splitmix import _finish

    states = np.array([1234567 + i * 0x9E3779B97F4A7C15 & (1 << 64) - 1 for i in range(3)], np.uint64)
    assert _finish(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert len(np.unique(mixed(np.arange(100_000), -5, 1))) == 100_000
