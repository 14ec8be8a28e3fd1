"""Activations pooled over documents against a number of the document, at several truncations.

Sources: max pooling over tokens and its correlation with an outcome, Cho et al. 2025 (CorrSteer), arXiv:2508.12535;
partial correlation, Yule 1907; shuffled residuals as its null, Freedman & Lane 1983,
doi:10.1080/07350015.1983.10509354.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.pairing.measures.pooled import Pool, pool_documents

TRUNCATIONS = (16, 32, 64, 128, 256, 512)
"""Leading tokens of a document that are pooled, besides all of them."""

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Correlations:
    """Of every feature with a label, for each of several weightings of the documents."""

    plain: NDArray[np.float64]
    """(m, d_sae) Pearson correlation; NaN where one of the two is constant."""
    given_length: NDArray[np.float64]
    """(m, d_sae) with the length held fixed; the plain one where all lengths are equal."""


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Documents pooled one way, up to one truncation."""

    how: Pool
    """max or mean."""
    truncation: int | None
    """Leading tokens that were pooled; None: all."""
    values: Any
    """(n_documents, d_sae) float64 CSR."""
    length: NDArray[np.float64]
    """(n_documents,) tokens that were there to pool."""

    @classmethod
    def of(cls, codes: sp.csr_array, document: NDArray, truncation: int | None, how: Pool) -> Pooled:
        """Pool.

        Args:
            codes: (n_tokens, d_sae) activations >= 0.
            document: (n_tokens,) document of each token, ascending, from 0 without gaps.
            truncation: Leading tokens of each document; None takes all.
            how: max or mean.
        """
        sizes = np.bincount(document)
        if truncation is None:
            return cls(how, None, pool_documents(codes, document, how=how), sizes.astype(np.float64))
        place = np.arange(len(document)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        here = np.flatnonzero(place < truncation)
        values = pool_documents(codes[here], document[here], how=how, n_documents=len(sizes))
        return cls(how, truncation, values, np.minimum(sizes, truncation).astype(np.float64))

    def with_label(self, label: NDArray, weights: NDArray | None = None, features: Any = None) -> Correlations:
        """Correlate.

        Args:
            label: (n_documents,) float64; NaN for none.
            weights: (m, n_documents) times that each document counts; None counts each once.
            features: Only these; None takes all.
        """
        known = np.flatnonzero(~np.isnan(label))
        x = self.values[known] if features is None else self.values[known][:, features].toarray()
        w = np.ones((1, len(known))) if weights is None else weights[:, known]
        return _correlations(x, label[known], self.length[known], w)

    def shuffled(self, label: NDArray, *, draws: int, seed: int) -> Correlations:
        """The correlations with shuffled labels: each draw permutes them among the documents that have one."""
        rng = np.random.default_rng(np.random.PCG64(seed))
        known = np.flatnonzero(~np.isnan(label))
        x, n = self.values[known], len(known)
        y, length = (_centred(side[known]) for side in (label, self.length))
        order = np.stack([rng.permutation(n) for _ in range(draws)], axis=1)
        mean, squares = (np.asarray(part.sum(axis=0)).ravel() for part in (x, x * x))
        centred = squares - mean**2 / n
        spread = np.where(centred > _ROUNDING * squares, centred, np.nan)
        with_length = np.asarray(x.T @ length) / np.sqrt(spread * np.sum(length**2)) if length.any() else 0.0
        dealt, rest = y[order], _without(y, length)[order]
        rest = rest - np.outer(length, length @ rest / max(np.sum(length**2), _ROUNDING))
        with np.errstate(invalid="ignore", divide="ignore"):
            plain = (x.T @ dealt) / np.sqrt(spread[:, None] * np.sum(dealt**2, axis=0))
            left = spread * (1 - with_length**2)
            given = (x.T @ rest) / np.sqrt(left[:, None] * np.sum(rest**2, axis=0))
        return Correlations(plain.T, given.T)

    def with_length(self) -> NDArray[np.float64]:
        """(d_sae,) correlation with the length over all documents; NaN where one of the two is constant."""
        return _correlations(
            self.values, self.length, np.zeros(len(self.length)), np.ones((1, len(self.length)))
        ).plain[0]


def drawn_documents(n: int, *, draws: int, seed: int) -> NDArray[np.float64]:
    """(draws, n) times that each of n documents is drawn, n at a time with replacement."""
    rng = np.random.default_rng(np.random.PCG64(seed))
    return np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(draws)]).astype(np.float64)


def _correlations(x: Any, label: NDArray, length: NDArray, w: NDArray) -> Correlations:
    """From weighted sums; label and length are centred first, which keeps their digits."""
    y, z, n = _centred(label), _centred(length), w.sum(axis=1, keepdims=True)
    s_x, s_xx, s_xy, s_xz = (np.asarray(side) for side in (w @ x, w @ (x * x), (w * y) @ x, (w * z) @ x))
    s_y, s_z, s_yy, s_zz, s_yz = ((w @ side)[:, None] for side in (y, z, y * y, z * z, y * z))
    r_xy = _r(n, s_x, s_y, s_xx, s_yy, s_xy)
    r_xz, r_yz = _r(n, s_x, s_z, s_xx, s_zz, s_xz), _r(n, s_y, s_z, s_yy, s_zz, s_yz)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = (1 - r_xz**2) * (1 - r_yz**2)
        given = np.where(left > _ROUNDING, (r_xy - r_xz * r_yz) / np.sqrt(left), np.nan)
    return Correlations(r_xy, np.where(s_zz - s_z**2 / n > _ROUNDING * s_zz, given, r_xy))


def _r(n: Any, x: Any, y: Any, xx: Any, yy: Any, xy: Any) -> NDArray[np.float64]:
    """Pearson correlation from sums; NaN where one of the two is constant up to rounding."""
    v_x, v_y = xx - x * x / n, yy - y * y / n
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.clip((xy - x * y / n) / np.sqrt(v_x * v_y), -1, 1)
    return np.where((v_x > _ROUNDING * xx) & (v_y > _ROUNDING * yy), r, np.nan)


def _centred(side: NDArray) -> NDArray[np.float64]:
    return side - (side.mean() if len(side) else 0.0)


def _without(y: NDArray, length: NDArray) -> NDArray[np.float64]:
    return y - length * (length @ y) / max(np.sum(length**2), _ROUNDING)
