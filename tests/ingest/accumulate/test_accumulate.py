"""Claims about the mergeable statistics: any cut of a corpus gives the same, and all equal a plain slow version."""

from __future__ import annotations

from dataclasses import fields
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.accumulate.codes import Codes, TokenMap, contenders, strongest
from ingest.accumulate.histograms import Histogram, bin_floor
from ingest.accumulate.limits import REACH, TOP_CONTEXTS, TOP_POSITIONS
from ingest.accumulate.moments import Moments
from ingest.accumulate.partial import Partial
from ingest.accumulate.quantiles import exact_quartiles, histogram_quartiles
from ingest.accumulate.residuals import Residuals

D_SAE, LENGTH = 6, 11


def token_map(begin: int, end: int, documents: np.ndarray) -> TokenMap:
    """Contexts [begin, end) of eleven tokens, of which the first is BOS and not counted."""
    n = end - begin
    here = slice(begin * (LENGTH - 1), end * (LENGTH - 1))
    return TokenMap(
        first=begin * (LENGTH - 1),
        context=np.repeat(np.arange(begin, end, dtype=np.int32), LENGTH - 1),
        position=np.tile(np.arange(1, LENGTH, dtype=np.int32), n),
        document=documents[here],
        context_length=np.full(n * (LENGTH - 1), LENGTH, np.int32),
        token_id=(np.arange(len(documents), dtype=np.int32) ** 2 % 7)[here],
        place=(np.arange(len(documents)) - np.searchsorted(documents, documents)).astype(np.int32)[here],
    )


def piece(dense: np.ndarray, begin: int, end: int, documents: np.ndarray) -> Partial:
    """Statistics of contexts [begin, end) of a dense matrix (tokens, d_sae)."""
    rows = dense[begin * (LENGTH - 1) : end * (LENGTH - 1)]
    token, feature = np.nonzero(rows)
    codes = Codes.of(dense.shape[1], feature, token, rows[token, feature])
    return Partial.of(codes, token_map(begin, end, documents))


def make(seed: int, n_contexts: int) -> tuple[np.ndarray, np.ndarray]:
    """Sparse activations with ties, and documents that cross contexts."""
    rng = np.random.default_rng(seed)
    n = n_contexts * (LENGTH - 1)
    dense = np.round(rng.gamma(1, 2, (n, D_SAE)), 1) * (rng.random((n, D_SAE)) < rng.random(D_SAE) * 0.6)
    dense[:, D_SAE - 1] = 0
    documents = np.cumsum(rng.random(n) < 0.07).astype(np.int32)
    return dense.astype(np.float32), documents


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_contexts=st.integers(1, 40),
    cuts=st.sets(st.integers(1, 39)),
    order=st.randoms(use_true_random=False),
)
def test_any_cut_in_any_order_gives_the_same_statistics(seed, n_contexts, cuts, order):
    dense, documents = make(seed, n_contexts)
    whole = piece(dense, 0, n_contexts, documents)
    edges = [0, *sorted(cut for cut in cuts if cut < n_contexts), n_contexts]
    pieces = [piece(dense, begin, end, documents) for begin, end in pairwise(edges)]
    order.shuffle(pieces)
    merged = reduce(Partial.merge, pieces)
    sums = {"moments.total", "moments.centred_2", "moments.centred_3", "moments.centred_4"}
    sums |= {"by_position.total", "by_position.total_2", "by_token.total"}
    sums |= {"residuals.mean", "residuals.spread", "residuals.error"}
    for name, expected in whole.arrays().items():
        if name.startswith("documents."):
            continue
        actual = merged.arrays()[name]
        if name in sums:
            np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-10 * ("centred" in name), err_msg=name)
        else:
            np.testing.assert_array_equal(actual, expected, err_msg=name)
    np.testing.assert_array_equal(merged.documents.counts(), whole.documents.counts())


def test_documents_count_once_though_they_cross_pieces():
    dense, documents = make(3, 30)
    pieces = [piece(dense, begin, begin + 1, documents) for begin in range(30)]
    counts = reduce(Partial.merge, pieces).documents.counts()
    expected = [len(np.unique(documents[dense[:, feature] > 0])) for feature in range(D_SAE)]
    assert counts.tolist() == expected


def test_moments_equal_sums_over_the_dense_matrix():
    dense, documents = make(1, 25)
    moments = piece(dense, 0, 25, documents).moments
    exact = dense.astype(np.float64)
    assert moments.n_fired.tolist() == (dense > 0).sum(axis=0).tolist()
    for power, name in enumerate(("total", "total_2", "total_3", "total_4"), start=1):
        np.testing.assert_allclose(getattr(moments, name), (exact**power).sum(axis=0), rtol=1e-12)
    assert moments.max.tolist() == dense.max(axis=0).tolist()


def test_a_histogram_bin_holds_the_activations_from_its_floor_to_the_next():
    dense, documents = make(2, 25)
    cells = piece(dense, 0, 25, documents).histogram
    low, high = bin_floor(cells.bin), bin_floor(cells.bin + 1)
    for feature, lo, hi, n in zip(cells.feature, low, high, cells.n, strict=True):
        column = dense[:, feature]
        assert n == np.count_nonzero((column >= lo) & (column < hi) & (column > 0))


def test_top_positions_are_the_strongest_and_ties_go_to_the_earlier_token():
    dense, documents = make(4, 40)
    tops = piece(dense, 0, 40, documents).positions
    for feature in range(D_SAE):
        order = np.lexsort((np.arange(len(dense)), -dense[:, feature]))
        expected = [token for token in order if dense[token, feature] > 0][:TOP_POSITIONS]
        assert tops.token[tops.feature == feature].tolist() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 12)), min_size=1, max_size=300), st.integers(1, 7))
def test_no_entry_among_the_strongest_is_ruled_out(entries, k):
    feature, activation = (np.array(column) for column in zip(*sorted(entries, key=lambda e: e[0]), strict=True))
    token = np.arange(len(feature))
    kept = contenders(feature, activation.astype(np.float32), k)
    expected = strongest(feature, activation, token, k)
    assert kept[strongest(feature[kept], activation[kept], token[kept], k)].tolist() == expected.tolist()


def test_top_contexts_hold_every_activation_of_the_window():
    dense, documents = make(5, 40)
    tops = piece(dense, 0, 40, documents).contexts
    dense_windows, offsets = tops.activations()
    by_context = np.concatenate([np.zeros((40, 1, D_SAE)), dense.reshape(40, LENGTH - 1, D_SAE)], axis=1)
    n_fired_in = (by_context.max(axis=1) > 0).sum(axis=0)
    assert np.bincount(tops.feature, minlength=D_SAE).tolist() == np.minimum(n_fired_in, TOP_CONTEXTS).tolist()
    for row, feature in enumerate(tops.feature):
        begin, end = tops.start[row], tops.start[row] + tops.length[row]
        window = dense_windows[offsets[row] : offsets[row + 1]]
        assert window.tolist() == by_context[tops.context[row], begin:end, feature].tolist()
        assert by_context[tops.context[row], tops.position[row], feature] == tops.activation[row] == window.max()
    for feature in range(D_SAE - 1):
        peaks = np.sort(by_context[:, :, feature].max(axis=1))[::-1][: min(n_fired_in[feature], TOP_CONTEXTS)]
        np.testing.assert_array_equal(tops.activation[tops.feature == feature], peaks.astype(np.float32))


def test_a_window_reaches_32_tokens_to_either_side_inside_its_context():
    length, peak = 200, 100
    tokens = TokenMap(
        first=0,
        context=np.zeros(length, np.int32),
        position=np.arange(length, dtype=np.int32),
        document=np.zeros(length, np.int32),
        context_length=np.full(length, length, np.int32),
        token_id=np.zeros(length, np.int32),
        place=np.arange(length, dtype=np.int32),
    )
    codes = Codes.of(1, np.zeros(3, int), np.array([peak - REACH - 1, peak, peak + REACH]), np.array([1.0, 2.0, 0.5]))
    tops = Partial.of(codes, tokens).contexts
    assert (tops.start[0], tops.length[0], tops.place.tolist()) == (peak - REACH, 2 * REACH + 1, [REACH, 2 * REACH])


def test_a_feature_that_never_fires_has_zeros_and_no_rows():
    dense, documents = make(6, 10)
    silent = piece(dense * 0, 0, 10, documents)
    assert silent.moments.n_fired.tolist() == [0] * D_SAE
    assert [len(part.feature) for part in (silent.histogram, silent.positions, silent.contexts)] == [0, 0, 0]
    assert silent.merge(piece(dense, 0, 10, documents)).moments.n_tokens == 200


def test_a_partial_survives_being_written_as_arrays():
    dense, documents = make(7, 10)
    partial = piece(dense, 0, 10, documents)
    again = Partial.from_arrays(partial.arrays())
    for part in fields(Partial):
        for field in fields(getattr(partial, part.name)):
            expected = getattr(getattr(partial, part.name), field.name)
            actual = getattr(getattr(again, part.name), field.name)
            np.testing.assert_array_equal(actual, expected)
            assert np.asarray(actual).dtype == np.asarray(expected).dtype


def test_exact_quartiles_are_the_lower_of_two_middle_values(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = {"feature_id": [0, 0, 0, 0, 2], "token_index": [1, 2, 3, 4, 1], "activation": [4.0, 1.0, 3.0, 2.0, 7.0]}
    schema = pa.schema([("feature_id", pa.int32()), ("token_index", pa.int64()), ("activation", pa.float32())])
    pq.write_table(pa.table(table, schema=schema), tmp_path / "a.parquet")
    quartiles = exact_quartiles([tmp_path / "a.parquet"], np.array([4, 0, 1]))
    np.testing.assert_array_equal(quartiles, [[1, np.nan, 7], [2, np.nan, 7], [3, np.nan, 7]])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(2.0**-10, 2.0**14, width=32), min_size=1, max_size=200))
def test_quartiles_off_the_histogram_are_within_3_2_percent(values):
    activation = np.array(values, np.float32)
    codes = Codes.of(1, np.zeros(len(values), int), np.arange(len(values)), activation)
    tokens = token_map(0, 40, np.zeros(400, np.int32))
    read_off = histogram_quartiles(Histogram.of(codes, tokens), Moments.of(codes, tokens).max)
    exact = np.sort(activation)[[max(int(np.ceil(q * len(values))) - 1, 0) for q in (0.25, 0.5, 0.75)]]
    np.testing.assert_allclose(read_off[:, 0], exact, rtol=0.032)


def test_unexplained_variance_equals_the_direct_formula_however_far_the_mean():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 8)) + 1e4
    reconstruction = x + rng.normal(size=x.shape) * 0.1
    batches = [Residuals.of(x[i : i + 70], reconstruction[i : i + 70]) for i in range(0, 500, 70)]
    expected = np.sum((x - reconstruction) ** 2) / np.sum((x - x.mean(axis=0)) ** 2)
    merged = reduce(Residuals.merge, batches)
    assert merged.fvu == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(merged.inputs.mean, x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(merged.inputs.comoment / len(x), np.cov(x.T, bias=True), rtol=1e-8, atol=1e-8)
    again = Residuals.from_arrays(merged.arrays())
    assert again.fvu == merged.fvu


def test_unexplained_variance_of_constant_activations_is_undefined():
    assert Residuals.of(np.ones((5, 2)), np.zeros((5, 2))).fvu is None
