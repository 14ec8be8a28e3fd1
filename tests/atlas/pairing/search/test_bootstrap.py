"""Intervals of correlations: what they are, and that they hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from atlas.pairing.search.bootstrap import bootstrap_documents


def sample(rng: np.random.Generator, n_documents: int, pairs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sparse codes whose level differs from document to document."""
    lengths = rng.integers(5, 30, n_documents)
    document = np.repeat(np.arange(n_documents), lengths)
    level = rng.exponential(size=(n_documents, pairs))[document]
    fires = rng.random((len(document), pairs)) < 0.3
    a = fires * level * rng.exponential(size=fires.shape)
    return a, np.where(rng.random(fires.shape) < 0.6, a, 0.0) + 0.2 * fires * rng.random(fires.shape), document


def test_a_draw_is_the_correlation_of_the_drawn_documents():
    rng = np.random.default_rng(0)
    a, b, document = sample(rng, 12, 3)
    found = bootstrap_documents(sp.csr_array(a), sp.csr_array(b), document, [0, 1, 2], [2, 1, 0], n=50, seed=4)
    again = np.random.default_rng(np.random.PCG64(4))
    draws = []
    for _ in range(50):
        rows = np.concatenate([np.flatnonzero(document == d) for d in again.integers(0, 12, 12)])
        draws.append([np.corrcoef(a[rows, i], b[rows, j])[0, 1] for i, j in ((0, 2), (1, 1), (2, 0))])
    expected = np.quantile(draws, [0.025, 0.975], axis=0)
    np.testing.assert_allclose([found.low, found.high], expected, atol=1e-9)
    assert found.n_documents == 12


def test_intervals_hold_the_true_correlation_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    many = sample(rng, 4000, 1)
    truth = np.corrcoef(many[0][:, 0], many[1][:, 0])[0, 1]
    held = 0
    for _ in range(120):
        a, b, document = sample(rng, 60, 1)
        found = bootstrap_documents(sp.csr_array(a), sp.csr_array(b), document, [0], [0], n=200, level=0.9)
        held += bool(found.low[0] <= truth <= found.high[0])
    assert 0.75 < held / 120 < 0.99


def test_equal_seeds_give_equal_intervals_and_blocks_change_nothing(monkeypatch):
    a, b, document = sample(np.random.default_rng(2), 20, 6)
    sides = sp.csr_array(a), sp.csr_array(b), document, range(6), range(6)
    first = bootstrap_documents(*sides, seed=1)
    monkeypatch.setattr("atlas.pairing.search.bootstrap.PAIRS_AT_ONCE", 2)
    again, other = bootstrap_documents(*sides, seed=1), bootstrap_documents(*sides, seed=2)
    np.testing.assert_allclose(first.low, again.low, rtol=1e-12)
    assert not np.array_equal(first.low, other.low)


def test_a_feature_that_never_fires_has_no_interval():
    a, b, document = sample(np.random.default_rng(3), 20, 2)
    a[:, 1] = 0
    found = bootstrap_documents(sp.csr_array(a), sp.csr_array(b), document, [0, 1], [0, 1])
    assert np.isfinite(found.low[0])
    assert np.isnan(found.low[1])


@pytest.mark.parametrize(
    ("document", "options", "message"),
    [
        ([0, 0, 0, 0], {}, "one document"),
        ([0, 1, 1], {}, "one row per token"),
        ([0, 0, 1, 1], {"n": 1}, "at least 2 draws"),
        ([0, 0, 1, 1], {"level": 1.0}, "level"),
    ],
)
def test_what_cannot_be_drawn_is_refused(document, options, message):
    x = sp.csr_array(np.ones((4, 1)))
    with pytest.raises(ValueError, match=message):
        bootstrap_documents(x, x, document, [0], [0], **options)
