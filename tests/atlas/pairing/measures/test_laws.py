"""One law for every measure of the registry: search, values at pairs and rows for an assignment are its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlas.pairing import MEASURES, TopPairs
from atlas.pairing.assignment.assign import assign
from tests.support.dense_measures import best_total, case
from tests.support.pairing_laws import assert_best_of, assert_counts, same

cases = {
    "seed": st.integers(0, 2**32 - 1),
    "n": st.integers(2, 30),
    "d_a": st.integers(1, 25),
    "d_b": st.integers(1, 25),
    "density": st.sampled_from([0.02, 0.1, 0.5, 0.95]),
}


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=40, deadline=None)
@given(**cases, top_k=st.integers(1, 12), block_size=st.integers(1, 30), workers=st.integers(1, 3))
def test_the_search_the_value_at_a_pair_and_the_row_for_an_assignment_are_the_definition(
    name, seed, n, d_a, d_b, density, top_k, block_size, workers
):
    of = case(name, seed, n, d_a, d_b, density)
    operands, measure = of.operands, MEASURES[name]
    top = measure.search(*operands.arguments, top_k=top_k, block_size=block_size, workers=workers)
    assert_best_of(top, of.searched, top_k)
    assert same(top, measure.search(*operands.arguments, top_k=top_k, block_size=1000, workers=1))
    everywhere = tuple(grid.ravel() for grid in np.indices(of.values.shape))
    at = operands.values_at(*everywhere).reshape(of.values.shape)
    np.testing.assert_allclose(at, of.values, atol=1e-6)
    feature, rank = np.nonzero(top.index_ab >= 0)
    np.testing.assert_allclose(at[feature, top.index_ab[feature, rank]], top.value_ab[feature, rank], atol=1e-13)
    rows = operands.rows()
    np.testing.assert_allclose(rows.rows(0, d_a), np.nan_to_num(at), atol=1e-12)
    np.testing.assert_allclose(rows.at(*everywhere), np.nan_to_num(at).ravel(), atol=1e-12)
    assert np.abs(rows.screen(np.arange(d_a)) - rows.rows(0, d_a)).max() <= rows.error
    known = at[~np.isnan(at)]
    assert ((measure.low <= known) & (known <= measure.high)).all()
    if isinstance(top, TopPairs):
        assert_counts(top, *(side.toarray() for side in operands.arguments))
        joint = operands.joint_at(feature, top.index_ab[feature, rank])
        np.testing.assert_array_equal(joint, top.joint_ab[feature, rank])
    else:
        assert operands.joint_at(*everywhere) is None


@pytest.mark.parametrize("name", MEASURES)
@settings(max_examples=15, deadline=None)
@given(**cases)
def test_the_assignment_of_the_rows_of_a_measure_is_that_of_its_matrix(name, seed, n, d_a, d_b, density):
    of = case(name, seed, n, d_a, d_b, density)
    unmatched = of.operands.measure.of_activations
    got = assign(of.operands.rows(), alone=unmatched, top=3, block_size=4)
    assert got.certified
    assert got.total == pytest.approx(best_total(np.nan_to_num(of.values), unmatched=unmatched), abs=1e-5)


@pytest.mark.parametrize("name", MEASURES)
def test_swapping_the_two_saes_changes_the_values_only_of_a_measure_with_a_direction(name):
    operands = case(name, 0, 30, 20, 15, 0.2).operands
    a, b, *more = operands.arguments
    there, back = (MEASURES[name].search(*sides, *more, top_k=5) for sides in ((a, b), (b, a)))
    alike = np.allclose(there.value_ab, back.value_ba, atol=1e-13, equal_nan=True)
    assert alike == MEASURES[name].symmetric


def test_every_measure_is_listed_once_with_its_meaning_and_names_of_its_own():
    assert set(MEASURES) == {
        *("activation", "phi", "jaccard", "lift", "conditional", "masked_cosine", "attribution"),
        *("activation_document_max", "activation_document_mean"),
        *("preactivation", "decoder", "encoder", "logit"),
    }
    names = [name for measure in MEASURES.values() for name in (measure.name, *measure.aliases)]
    assert len(names) == len(set(names))
    for name, measure in MEASURES.items():
        assert measure.name == name
        assert measure.meaning
        assert measure.low < measure.high
        assert bool(measure.pool) == (measure.needs == "documents")
