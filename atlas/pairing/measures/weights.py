"""Similarities of features by their weights alone: cosine of encoders or decoders, pre-activations, logit weights.

The last two are Pearson correlations over tokens or over the vocabulary, and need neither: with the covariance S of
what the weights are multiplied with, the covariance of two features with weights p and q is exactly p' S q. So all
pairs cost as much as cosines do, and everything here is one inner product per pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.pairing.measures.measure import Measure
from atlas.pairing.search.inner import ScreenedProducts, best_inner, inner_at
from atlas.pairing.search.topk import Values
from atlas.pairing.search.toppairs import BestPartners

Vectors = tuple[Values, Values]
"""(d_a, d) and (d_b, d): the similarity of two features is the inner product of their vectors, NaN if it has none."""


def cosine(a: NDArray, b: NDArray, **options: Any) -> BestPartners:
    """Find the partners of highest cosine, in [-1, 1].

    A row without length, as of a dead feature, has no partner.

    Args:
        a: (d_a, d_model) decoder rows or encoder columns, one feature a row.
        b: (d_b, d_model) the same of the other SAE; both must read or write one space.
        **options: Those of `best_inner`.
    """
    return best_inner(*cosine_vectors(a, b), **options)


def preactivation(a: NDArray, b: NDArray, covariance: NDArray, **options: Any) -> BestPartners:
    """Find the partners whose encoder outputs, before the activation function, correlate most; in [-1, 1].

    This is the "feature correlation" of Abraham 2024: Pearson over tokens of x e_i and x e_j, biases drop out.

    Args:
        a: (d_a, d_model) encoder directions e_i, one feature a row: the transpose of W_enc.
        b: (d_b, d_model) those of the other SAE, which reads the same activations x.
        covariance: (d_model, d_model) population covariance of x over tokens.
        **options: Those of `best_inner`.
    """
    return best_inner(*preactivation_vectors(a, b, covariance), **options)


def logit(
    a: NDArray,
    b: NDArray,
    gram_a: NDArray,
    gram_b: NDArray | None = None,
    gram_ab: NDArray | None = None,
    **options: Any,
) -> BestPartners:
    """Find the partners whose logit weights correlate most over the vocabulary; in [-1, 1].

    Bricken et al. 2023, "Towards Monosemanticity", with the direct path of a residual SAE: v_i = U d_i. The Gram
    matrices replace the vocabulary; `gram` computes them.

    Args:
        a: (d_a, d_model_a) decoder rows.
        b: (d_b, d_model_b) decoder rows of the other SAE.
        gram_a: (d_model_a, d_model_a) `gram(u_a)`.
        gram_b: (d_model_b, d_model_b) `gram(u_b)`; None for one model.
        gram_ab: (d_model_a, d_model_b) `gram(u_a, u_b)`, over the same tokens in the same order; None for one model.
        **options: Those of `best_inner`.
    """
    return best_inner(*logit_vectors(a, b, gram_a, gram_b, gram_ab), **options)


def cosine_vectors(a: NDArray, b: NDArray) -> Vectors:
    """The vectors whose inner products `cosine` searches; arguments as there."""
    left, right = (_over(side, np.sqrt(np.vecdot(side, side))) for side in map(_matrix, (a, b)))
    return left, right


def preactivation_vectors(a: NDArray, b: NDArray, covariance: NDArray) -> Vectors:
    """The vectors whose inner products `preactivation` searches; arguments as there."""
    return _by_covariance(a, b, (covariance, covariance, covariance))


def logit_vectors(
    a: NDArray, b: NDArray, gram_a: NDArray, gram_b: NDArray | None = None, gram_ab: NDArray | None = None
) -> Vectors:
    """The vectors whose inner products `logit` searches; arguments as there."""
    return _by_covariance(a, b, (gram_a, gram_a if gram_b is None else gram_b, gram_a if gram_ab is None else gram_ab))


def cosine_chance(n: int, d: float) -> float:
    """About the best cosine of a vector with `n` random ones in `d` dimensions: sqrt(2 ln n / d), at most 1.

    The leading term of the largest of n normal values of variance 1 / d, and above it where n is not huge: 0.16 for
    32768 features in 768 dimensions, 0.42 for 256 in 64, where random vectors reach 0.34.

    Args:
        n: Possible partners.
        d: Dimensions.
    """
    if n < 1 or d <= 0:
        raise ValueError(f"a chance level needs at least 1 vector and 1 dimension, not {n} and {d}")
    return min(1.0, math.sqrt(2 * math.log(n) / d))


def gram(u: NDArray, v: NDArray | None = None, *, block_size: int = 8192) -> Values:
    """Centred products over the vocabulary, sum over tokens t of (u_t - mean u)' (v_t - mean v): (d_u, d_v) float64.

    Args:
        u: (vocabulary, d_u) unembedding with the scale of the final norm folded in, one token a row.
        v: (vocabulary, d_v) that of another model with the same tokenizer; None for `u` itself.
        block_size: Tokens at a time; changes memory only.
    """
    v = u if v is None else v
    if len(u) != len(v):
        raise ValueError(f"vocabularies of {len(u)} and {len(v)} tokens cannot be compared; both must be the same")
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
    """(n,) standard deviation of each row's product; 0 where it is no more than rounding."""
    variance = np.vecdot(p @ covariance, p)
    floor = 1e-13 * np.vecdot(p, p) * np.abs(covariance).max(initial=0.0) * len(covariance)
    return np.sqrt(np.where(variance > floor, variance, 0.0))


def _over(side: Values, length: Values) -> Values:
    return side / np.where(length > 0, length, np.nan)[:, None]


def _matrix(side: NDArray) -> Values:
    """Float64, or ValueError where values are not finite."""
    matrix = np.asarray(side, dtype=np.float64)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError(f"weights must be a finite matrix, one feature a row; this one has shape {matrix.shape}")
    return matrix


def _measure(
    name: str, meaning: str, search: Callable[..., BestPartners], vectors: Callable[..., Vectors], **more: Any
) -> Measure:
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
        preactivation_vectors,
        needs="encoders and covariance",
        space="hook",
    ),
    _measure(
        "decoder",
        "cosine of the decoder rows",
        cosine,
        cosine_vectors,
        needs="decoders",
        space="stream",
        formula=cosine_chance,
    ),
    _measure(
        "encoder",
        "cosine of the encoder columns",
        cosine,
        cosine_vectors,
        needs="encoders",
        space="hook",
        formula=cosine_chance,
    ),
    _measure(
        "logit",
        "Pearson correlation of the logit weights over the vocabulary",
        logit,
        logit_vectors,
        needs="decoders and grams",
    ),
)
