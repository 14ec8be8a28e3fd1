"""Similarities of features by their weights only: cosine of encoders or decoders, pre-activations, logit weights.

The last two are Pearson correlations over tokens or over the vocabulary, and need neither: with the covariance S of
the inputs of the weights, the covariance of two features with weights p and q is exactly p' S q. So all pairs cost as
much as cosines do: each measure is an inner product of vectors, which the functions here compute.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.measures.measure import Measure
from atlas.pairing.search.inner import ScreenedProducts, best_inner, inner_at
from atlas.pairing.search.topk import BestPartners, Values

Vectors = tuple[Values, Values]
"""(d_a, d) and (d_b, d): the similarity of two features is the inner product of their vectors, NaN if it has none."""


def cosine(a: NDArray, b: NDArray) -> Vectors:
    """Unit vectors, whose inner products are cosines, in [-1, 1]. Of a row of zeros, as of a dead feature, NaN.

    Args:
        a: (d_a, d_model) decoder rows or encoder columns, one feature a row.
        b: (d_b, d_model) those of the other SAE; both must have the same input or output space.
    """
    left, right = (_over(side, np.sqrt(np.vecdot(side, side))) for side in map(_matrix, (a, b)))
    return left, right


def preactivation(a: NDArray, b: NDArray, covariance: NDArray) -> Vectors:
    """Vectors for the correlation of encoder outputs before the activation function, in [-1, 1].

    This is the "feature correlation" of Abraham 2024: Pearson over tokens of x e_i and x e_j, biases drop out.

    Args:
        a: (d_a, d_model) encoder directions e_i, one feature a row: the transpose of W_enc.
        b: (d_b, d_model) those of the other SAE, which has the same input x.
        covariance: (d_model, d_model) population covariance of x over tokens.
    """
    return _by_covariance(a, b, (covariance, covariance, covariance))


def logit(
    a: NDArray, b: NDArray, gram_a: NDArray, gram_b: NDArray | None = None, gram_ab: NDArray | None = None
) -> Vectors:
    """Vectors for the correlation of logit weights over the vocabulary, in [-1, 1].

    Bricken et al. 2023, "Towards Monosemanticity", with the direct path of a residual SAE: v_i = U d_i. The Gram
    matrices replace the vocabulary; `gram` computes them.

    Args:
        a: (d_a, d_model_a) decoder rows.
        b: (d_b, d_model_b) decoder rows of the other SAE.
        gram_a: (d_model_a, d_model_a) `gram(u_a)`.
        gram_b: (d_model_b, d_model_b) `gram(u_b)`; None for one model.
        gram_ab: (d_model_a, d_model_b) `gram(u_a, u_b)`, over the same tokens in the same order; None for one model.
    """
    return _by_covariance(a, b, (gram_a, gram_a if gram_b is None else gram_b, gram_a if gram_ab is None else gram_ab))


def cosine_chance(n: int, d: float) -> float:
    """Approximate best cosine of a vector with `n` random ones in `d` dimensions: sqrt(2 ln n / d), at most 1.

    The leading term of the maximum of n normal values of variance 1 / d, and above it where n is not very large: 0.16
    for 32768 features in 768 dimensions, 0.42 for 256 in 64, where random vectors reach 0.34.
    """
    if n < 1 or d <= 0:
        raise ValueError(f"a chance level needs at least 1 vector and 1 dimension, not {n} and {d}")
    return min(1.0, math.sqrt(2 * math.log(n) / d))


def gram(u: NDArray, v: NDArray | None = None, *, block_size: int = 8192) -> Values:
    """Centred products over the vocabulary, sum over tokens t of (u_t - mean u)' (v_t - mean v): (d_u, d_v) float64.

    Args:
        u: (vocabulary, d_u) unembedding with the scale of the final norm folded in, one token a row.
        v: (vocabulary, d_v) unembedding of another model with the same tokenizer; None for `u` itself.
        block_size: Tokens at a time; changes memory only.
    """
    v = u if v is None else v
    if len(u) != len(v):
        raise ValueError(f"vocabularies of {len(u)} and {len(v)} tokens cannot be compared; they must be the same")
    mean_u, mean_v = (side.mean(axis=0, dtype=np.float64) for side in (u, v))
    products = np.zeros((u.shape[1], v.shape[1]))
    for start in range(0, len(u), block_size):
        here = slice(start, start + block_size)
        products += (u[here] - mean_u).T @ (v[here] - mean_v)
    return products


def _by_covariance(a: NDArray, b: NDArray, covariances: tuple[NDArray, NDArray, NDArray]) -> Vectors:
    """Pearson by p' S_ab q / sqrt(p' S_a p q' S_b q)."""
    (p, q), (s_a, s_b, s_ab) = map(_matrix, (a, b)), map(_matrix, covariances)
    if s_a.shape != (p.shape[1],) * 2 or s_b.shape != (q.shape[1],) * 2 or s_ab.shape != (p.shape[1], q.shape[1]):
        raise ValueError(f"covariances of {s_a.shape}, {s_b.shape} and {s_ab.shape} do not fit {p.shape} and {q.shape}")
    left, right = _over(p, _spread(p, s_a)), _over(q, _spread(q, s_b))
    return left @ s_ab, right


def _spread(p: Values, covariance: Values) -> Values:
    """(n,) standard deviation of the product of each row; 0 where it is only rounding."""
    variance = np.vecdot(p @ covariance, p)
    floor = 1e-13 * np.vecdot(p, p) * np.abs(covariance).max(initial=0.0) * len(covariance)
    return np.sqrt(np.where(variance > floor, variance, 0.0))


def _over(side: Values, length: Values) -> Values:
    return side / np.where(length > 0, length, np.nan)[:, None]


def _matrix(side: NDArray) -> Values:
    matrix = np.asarray(side, dtype=np.float64)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError(f"weights must be a finite matrix, one feature a row; this one has shape {matrix.shape}")
    return matrix


def _measure(name: str, meaning: str, vectors: Callable[..., Vectors], **more: Any) -> Measure:
    def search(*weights: Any, **options: Any) -> BestPartners:
        return best_inner(*vectors(*weights), **options)

    def at(*arguments: Any) -> Values:
        *weights, features_a, features_b = arguments
        return inner_at(*vectors(*weights), features_a, features_b)

    def rows(*weights: Any) -> ScreenedProducts:
        return ScreenedProducts(*vectors(*weights))

    return Measure(name=name, meaning=meaning, search=search, at=at, rows=rows, **more)


WEIGHTS = (
    _measure(
        "preactivation",
        "Pearson correlation over tokens of the encoder outputs before the activation function",
        preactivation,
        needs="encoders and covariance",
        space="hook",
    ),
    _measure("decoder", "cosine of the decoder rows", cosine, needs="decoders", space="stream", formula=cosine_chance),
    _measure("encoder", "cosine of the encoder columns", cosine, needs="encoders", space="hook", formula=cosine_chance),
    _measure(
        "logit", "Pearson correlation of the logit weights over the vocabulary", logit, needs="decoders and grams"
    ),
)
