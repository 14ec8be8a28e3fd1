"""What every measure of similarity must satisfy, checked against the full matrix of its values."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from atlas.pairing import BestPartners, TopPairs


def activations(rng: np.random.Generator, n_tokens: int, d_sae: int, density: float) -> np.ndarray:
    """Sparse-looking activations; where there is room, also a dead, two constant, a twin and two always-on features."""
    x = rng.exponential(size=(n_tokens, d_sae)) * (rng.random((n_tokens, d_sae)) < density)
    if d_sae >= 8:
        x[:, 1] = 0.0
        x[:, 2], x[:, 3] = 0.1, 7.0
        x[:, 4] = x[:, 0]
        x[:, 5] = rng.random(n_tokens) + 1000.0
        x[:, 6] = rng.random(n_tokens) + 0.5
    return x


def signed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of all values below zero."""
    return x * rng.choice([-1.0, 1.0], size=x.shape)


scans = st.builds(
    lambda seed, n, d_a, d_b, density: tuple(
        activations(np.random.default_rng([seed, side]), n, d, density) for side, d in enumerate((d_a, d_b))
    ),
    st.integers(0, 2**32 - 1),
    st.integers(2, 40),
    st.integers(1, 25),
    st.integers(1, 25),
    st.sampled_from([0.02, 0.1, 0.5, 0.95]),
)
"""Two sides with the same tokens."""


def pearson(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The slow way: corrcoef of everything; NaN where a side is constant."""
    with np.errstate(all="ignore"):
        r = np.corrcoef(a, b, rowvar=False)[: a.shape[1], a.shape[1] :]
    r[np.ptp(a, axis=0) == 0] = np.nan
    r[:, np.ptp(b, axis=0) == 0] = np.nan
    return r


def assert_best_of(top: BestPartners, values: np.ndarray, k: int, atol: float = 1e-6) -> None:
    """The stored pairs are the k largest of (d_a, d_b) values both ways, NaN left out, ties by the lower id.

    Values that differ by less than `atol` count as one for the order.
    """
    for index, value, row_values in ((top.index_ab, top.value_ab, values), (top.index_ba, top.value_ba, values.T)):
        assert index.shape == value.shape == (len(row_values), k)
        for stored, held, row in zip(index, value, row_values, strict=True):
            known = np.flatnonzero(~np.isnan(row))
            n = min(k, len(known))
            assert (stored[:n] >= 0).all()
            assert (stored[n:] == -1).all()
            assert np.isnan(held[n:]).all()
            assert len(set(stored[:n])) == n
            np.testing.assert_allclose(held[:n], np.sort(row[known])[::-1][:n], atol=atol)
            np.testing.assert_allclose(held[:n], row[stored[:n]], atol=atol)
            assert all(
                x > y or (x == y and i < j)
                for (x, i), (y, j) in zip(
                    list(zip(held[:n], stored[:n], strict=True))[:-1],
                    list(zip(held[:n], stored[:n], strict=True))[1:],
                    strict=True,
                )
            )


def assert_counts(top: TopPairs, a: np.ndarray, b: np.ndarray) -> None:
    """Joint and single counts are those of the tokens on which features are not zero."""
    both = (a != 0).T.astype(int) @ (b != 0).astype(int)
    for index, joint, n_ab in ((top.index_ab, top.joint_ab, both), (top.index_ba, top.joint_ba, both.T)):
        expected = np.where(index >= 0, np.take_along_axis(n_ab, np.maximum(index, 0), axis=1), 0)
        np.testing.assert_array_equal(joint, expected)
    np.testing.assert_array_equal(top.n_a, (a != 0).sum(axis=0))
    np.testing.assert_array_equal(top.n_b, (b != 0).sum(axis=0))
    assert top.n_tokens == len(a)


def same(left: BestPartners, right: BestPartners) -> bool:
    """Equal to the last bit, in every array of the best partners, and in the counts where there are any."""
    names = ["index_ab", "value_ab", "index_ba", "value_ba"]
    names += ["joint_ab", "joint_ba", "n_a", "n_b"] if isinstance(left, TopPairs) else []
    return all(np.array_equal(getattr(left, n), getattr(right, n), equal_nan=True) for n in names)


def without_itself(values: np.ndarray) -> np.ndarray:
    """The same with the diagonal undefined."""
    values = values.copy()
    np.fill_diagonal(values, np.nan)
    return values
