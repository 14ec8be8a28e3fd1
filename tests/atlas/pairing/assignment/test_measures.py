"""Claims about the matrices that an assignment reads row by row: each is the definition of its measure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from atlas.pairing import MEASURES
from atlas.pairing.assignment.assign import assign
from atlas.pairing.assignment.measures import source_of_measure, unrelated
from atlas.pairing.assignment.sources import InnerSource
from atlas.pairing.search.standardised import Standardised, fires
from tests.support.dense_measures import best_total, dense
from tests.support.pairing_laws import pearson, scans, signed

OVER_TOKENS = ["activation", "phi", "jaccard", "lift", "masked_cosine", "attribution"]


@settings(max_examples=30, deadline=None)
@given(sides=scans, seed=st.integers(0, 2**32 - 1), measure=st.sampled_from([*OVER_TOKENS, "conditional"]))
def test_the_rows_of_every_measure_over_tokens_are_those_of_its_definition_and_so_is_the_total(sides, seed, measure):
    a, b = sides
    if measure == "attribution":
        rng = np.random.default_rng(seed)
        a, b = signed(a, rng), signed(b, rng)
    values = dense(measure, a, b)
    source = source_of_measure(MEASURES[measure], (sp.csr_array(a), sp.csr_array(b)))
    np.testing.assert_allclose(source.rows(0, a.shape[1]), values, atol=1e-6)
    ids = np.arange(0, a.shape[1], 2)
    np.testing.assert_allclose(source.take(ids), values[ids], atol=1e-6)
    got = assign(source, alone=True, top=3, block_size=4)
    assert got.certified
    assert got.total == pytest.approx(best_total(values), abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 25),
    m=st.integers(1, 25),
    measure=st.sampled_from(["preactivation", "logit", "logit of two models"]),
    spread=st.sampled_from([1.0, 1e3]),
)
def test_measures_of_weights_are_pearson_over_tokens_or_the_vocabulary(seed, n, m, measure, spread):
    rng = np.random.default_rng(seed)
    x, y = (rng.normal(size=(50, d)) * np.append(spread, np.ones(d - 1)) + rng.normal(size=d) for d in (6, 8))
    y = y if measure == "logit of two models" else x
    p, q = rng.normal(size=(n, x.shape[1])), rng.normal(size=(m, y.shape[1]))
    p[rng.random(n) < 0.2] = 0.0
    covariance = np.cov(np.hstack([x, y]), rowvar=False, bias=True)
    s_a, s_b, s_ab = covariance[:6, :6], covariance[6:, 6:], covariance[:6, 6:]
    arguments = (p, q, s_a) if y is x else (p, q, s_a, s_b, s_ab)
    values = np.nan_to_num(pearson(x @ p.T, y @ q.T))
    values[~p.any(axis=1)] = 0.0
    source = source_of_measure(MEASURES[measure.split()[0]], arguments)
    np.testing.assert_allclose(source.rows(0, n), values, atol=1e-6)
    everywhere = np.divmod(np.arange(n * m), m)
    np.testing.assert_allclose(source.at(*everywhere).reshape(n, m), values, atol=1e-6)
    assert np.abs(source.screen(np.arange(n)) - source.rows(0, n)).max() <= source.error
    got = assign(source, top=3)
    assert got.certified
    assert len(got.rows) == min(n, m)
    assert got.total == pytest.approx(values[linear_sum_assignment(values, maximize=True)].sum(), abs=1e-6)


def test_vectors_whose_products_round_coarsely_are_searched_in_double_precision():
    rng = np.random.default_rng(0)
    left, right = 1e4 * rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    assert InnerSource(left, right).error < 1e-8
    assert 1e-8 < InnerSource(left / 1e4, right).error < 1e-4


def test_a_measure_without_a_known_matrix_is_an_error_and_no_correlation():
    other = replace(MEASURES["jaccard"], name="dice")
    with pytest.raises(ValueError, match="no matrix is known of the measure 'dice'"):
        source_of_measure(other, (sp.csr_array((4, 2)), sp.csr_array((4, 2))))


@pytest.mark.parametrize("n_tokens", [0, 1, 2, 3])
def test_too_few_tokens_to_roll_are_an_error(n_tokens):
    none = sp.csr_array((n_tokens, 2))
    with pytest.raises(ValueError, match="at least 4 tokens"):
        unrelated(MEASURES["activation"], (none, none), 0)


def test_where_features_fire_is_what_is_stored_and_not_zero_and_the_input_stays():
    x = sp.csc_array((np.array([1.0, 0.0, 2.0, -1.0]), ([0, 1, 2, 2], [0, 0, 1, 1])), shape=(3, 2))
    y = sp.coo_array((np.array([1.0, 0.0, 2.0, -1.0]), ([0, 1, 2, 2], [0, 0, 1, 1])), shape=(3, 2))
    before = x.data.copy(), x.indices.copy(), x.indptr.copy()
    for side in (x, y):
        np.testing.assert_array_equal(fires(side).toarray(), [[True, False, False], [False, False, True]])
    for kept, now in zip(before, (x.data, x.indices, x.indptr), strict=True):
        np.testing.assert_array_equal(kept, now)
    ready = Standardised.of(sp.csr_array(np.eye(5)), name="x")
    np.testing.assert_array_equal(fires(ready).toarray(), np.eye(5, dtype=bool))
