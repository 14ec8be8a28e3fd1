"""Bits that a sparse code takes: support and magnitudes at a distortion, total information, and a Gaussian bound.

Sources: bits per feature, H(whether it fires) + p * H(binned magnitude | it fires), Ayonrinde, Pearce & Sharkey 2024,
arXiv:2410.11179; total information, a histogram of 100 bins over the entries of codes and dictionary, Circuits Updates
May 2023; the rate of a Gaussian source by reverse water-filling, Cover & Thomas 2006, theorem 10.3.3. Orientation:
tokens x features.

Features are coded one by one, so what they tell about each other is not used: these are upper bounds. Entropies are
those of the counts, which are too low where a bin holds few tokens. Departures: a bin stands for the mean of what
falls into it and not for its centre, and zeros do not count as magnitudes; SAEBench counts them in both parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.shapes import Float64, Real

Vector = NDArray[np.float64]

BINS = 100
"""Bins of the histogram of total information."""

_BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class CodeLength:
    """Bits of a sparse code whose magnitudes are rounded to bins of one width."""

    width: float
    """Width of the bins, in SAE activation units; infinite for one bin, which says only that a feature fires."""
    support: Float64[np.ndarray, " d_sae"]
    """(d_sae,) bits per token that say whether each feature fires, each in [0, 1]."""
    magnitude: Float64[np.ndarray, " d_sae"]
    """(d_sae,) bits per token that say how strongly."""
    distortion: float
    """Mean over tokens of the squared distance between the reconstructions from rounded and from exact codes."""
    n_tokens: int
    """Tokens counted."""

    @property
    def bits(self) -> float:
        """Bits per token, all features together."""
        return float(self.support.sum() + self.magnitude.sum())


def code_length(codes: Any, decoder: Real[np.ndarray, "d_sae d_in"], width: float) -> CodeLength:
    """Round the magnitudes of a code to bins [k * width, (k + 1) * width) and count its bits.

    Args:
        codes: (n_tokens, d_sae) activations >= 0, any SciPy sparse array; stored zeros count as silent.
        decoder: (d_sae, d_in) directions that the activations are lengths along.
        width: Width of the bins, above 0; infinite for one bin.

    Raises:
        ValueError: No token, shapes that do not fit, or a width that is not above 0.
    """
    codes = sp.csc_array(codes, copy=True)
    codes.eliminate_zeros()
    n_tokens, d_sae = codes.shape
    if not n_tokens or len(decoder) != d_sae or not width > 0:
        raise ValueError(f"codes of shape {codes.shape}, {len(decoder)} decoder rows and width {width} do not fit")
    values = codes.data.astype(np.float64)
    feature = np.repeat(np.arange(d_sae), np.diff(codes.indptr))
    bins = np.zeros(len(values), np.int64) if np.isinf(width) else np.floor(values / width).astype(np.int64)
    key = feature * (int(bins.max(initial=0)) + 1) + bins
    _, first, place, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    means = np.bincount(place, values, minlength=len(counts)) / counts
    n_fired = np.diff(codes.indptr).astype(np.float64)
    magnitude = np.bincount(feature[first], -_plogp(counts / n_fired[feature[first]]), minlength=d_sae)
    codes.data = values - means[place]
    share, rows, exact = n_fired / n_tokens, sp.csr_array(codes), np.asarray(decoder, np.float64)
    errors = (rows[start : start + _BLOCK] @ exact for start in range(0, n_tokens, _BLOCK))
    return CodeLength(
        width=float(width),
        support=binary_entropy(share),
        magnitude=share * magnitude,
        distortion=float(sum(np.square(block).sum() for block in errors) / n_tokens),
        n_tokens=n_tokens,
    )


def binary_entropy(share: Any) -> Vector:
    """Entropy in bits of an event of each of these probabilities, in [0, 1]."""
    p = np.asarray(share, np.float64)
    return np.asarray(-_plogp(p) - _plogp(np.asarray(1 - p)))


def total_information(values: Any, n_zeros: int, *, low: float, high: float, bins: int = BINS) -> float:
    """Bits of all entries of a matrix by their own histogram: the number of entries times its entropy.

    Args:
        values: The entries that are stored, of any shape.
        n_zeros: Entries that are zero and not stored.
        low: Lower edge of the first bin.
        high: Upper edge of the last one, equal for all matrices that are compared.
        bins: Number of bins, of equal width.

    Raises:
        ValueError: An entry lies outside the bins.
    """
    entries = np.ravel(np.asarray(values, np.float64))
    counts, edges = np.histogram(entries, bins, (low, high))
    if counts.sum() != len(entries) or (n_zeros and not low <= 0 <= high):
        raise ValueError(f"entries lie outside of {low:g} to {high:g}")
    counts[min(np.searchsorted(edges, 0, side="right") - 1, bins - 1)] += n_zeros
    return float(-_plogp(counts / max(counts.sum(), 1)).sum() * counts.sum())


def gaussian_bits(covariance: Real[np.ndarray, "d d"], distortion: float) -> float:
    """Bits per token that a Gaussian source needs for a mean squared error: no code of it can take fewer.

    A source of the same covariance that is not Gaussian needs no more, and may need far less.

    Args:
        covariance: (d, d), in squared units of the source.
        distortion: Mean squared distance that is allowed, summed over dimensions, above 0.
    """
    variances = np.linalg.eigvalsh(covariance).clip(0)
    if distortion >= variances.sum():
        return 0.0
    low, high = 0.0, float(variances.max())
    for _ in range(200):
        level = (low + high) / 2
        low, high = (low, level) if np.minimum(variances, level).sum() > distortion else (level, high)
    return float(0.5 * np.log2(variances[variances > high] / high).sum())


def _plogp(p: Vector) -> Vector:
    """p * log2(p), 0 where p is 0."""
    return np.asarray(p * np.log2(p, out=np.zeros_like(p), where=p > 0))
