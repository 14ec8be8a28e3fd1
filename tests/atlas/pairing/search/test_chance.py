"""Claims about the chance level of correlations: rolling breaks the link and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from atlas.pairing import correlate_sparse
from atlas.pairing.search.chance import draw_shifts, roll_tokens, shift_null
from atlas.pairing.search.standardised import Standardised


@pytest.mark.parametrize("shift", [0, 1, -2, 7, 12])
@pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_array, sp.csr_matrix])
def test_rolling_is_numpys_roll_of_the_token_rows(shift, kind):
    b = sp.random_array((5, 4), density=0.5, rng=np.random.default_rng(0)).toarray()
    np.testing.assert_array_equal(roll_tokens(kind(b), shift).toarray(), np.roll(b, shift, axis=0))


def test_rolled_twins_fall_to_the_level_of_strangers():
    rng = np.random.default_rng(1)
    a, stranger = (sp.csr_array(sp.random_array((3000, 50), density=0.03, rng=rng)) for _ in range(2))
    null = shift_null(a, a, n=3, seed=4)
    assert correlate_sparse(a, a).median_best == pytest.approx((1.0, 1.0))
    assert null.best_ab == pytest.approx([correlate_sparse(a, stranger).median_best[0]] * 3, abs=0.02)
    assert null.best_ba.max() < 0.1


def test_shifts_are_seeded_and_far_from_no_shift():
    a = sp.csr_array(sp.random_array((400, 5), density=0.2, rng=np.random.default_rng(2)))
    null = shift_null(a, a, n=20, seed=3)
    np.testing.assert_array_equal(null.best_ab, shift_null(a, a, n=20, seed=3).best_ab)
    assert null.shifts.min() >= 100
    assert null.shifts.max() < 300


def test_a_corpus_too_short_to_roll_is_refused():
    a = sp.csr_array(np.eye(3))
    with pytest.raises(ValueError, match="at least 4 tokens"):
        shift_null(a, a)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_null_is_the_search_on_rolled_tokens(seed):
    rng = np.random.default_rng(seed)
    a, b = (sp.random_array((300, d), density=0.1, rng=rng).tocsr() for d in (30, 20))
    null = shift_null(a, b, n=3, seed=seed)
    for shift, *best in zip(null.shifts, null.best_ab, null.best_ba, strict=True):
        assert best == pytest.approx(correlate_sparse(a, roll_tokens(b, int(shift)), top_k=1).median_best, abs=1e-12)
    assert (null.n_a, null.n_b) == (30, 20)


def test_a_null_on_a_sample_says_how_many_and_takes_sides_that_are_ready():
    rng = np.random.default_rng(5)
    a, b = (sp.random_array((500, 200), density=0.05, rng=rng).tocsr() for _ in range(2))
    whole, part = shift_null(a, b, seed=1), shift_null(a, b, seed=1, n_features=50)
    assert (part.n_a, part.n_b, whole.n_a) == (50, 50, 200)
    assert part.shifts == whole.shifts
    assert part.best_ab == pytest.approx(whole.best_ab, abs=0.05)
    ready = shift_null(Standardised.of(a, name="a"), Standardised.of(b, name="b"), seed=1, n_features=50)
    np.testing.assert_array_equal(ready.best_ba, part.best_ba)


@pytest.mark.parametrize("n_tokens", [4, 5, 30])
def test_a_shift_is_never_the_corpus_itself(n_tokens):
    shifts = draw_shifts(np.random.default_rng(0), n_tokens, 200)
    assert set(shifts.tolist()) == set(range(n_tokens // 4, 3 * n_tokens // 4))
    assert 0 < shifts.min() <= shifts.max() < n_tokens
