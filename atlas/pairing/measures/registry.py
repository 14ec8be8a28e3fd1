"""What is known of each measure of similarity between features: its meaning, its range, and what it is judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from atlas.pairing.measures.activation import correlate_sparse, correlations_at
from atlas.pairing.measures.attribution import correlate_attributions
from atlas.pairing.measures.coactivation import Kind, coactivation, coactivations_at
from atlas.pairing.measures.masked import masked_cosine, masked_cosines_at
from atlas.pairing.measures.pooled import Pool
from atlas.pairing.measures.weights import (
    Vectors,
    cosine,
    cosine_vectors,
    logit,
    logit_vectors,
    preactivation,
    preactivation_vectors,
)
from atlas.pairing.search.inner import inner_at
from atlas.pairing.search.topk import Values
from atlas.pairing.search.toppairs import BestPartners, TopPairs

Chance = Literal["shifted tokens", "random vectors"]
"""The search once more, with the tokens of b rolled, or with Gaussian random vectors in the place of the weights."""

Needs = Literal[
    "activations", "documents", "attributions", "decoders", "encoders", "encoders and covariance", "decoders and grams"
]
"""What the two sides are, in the order of the arguments of the function."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One entry of `MEASURES`."""

    name: str
    """As in table `pairs` and on the command line."""

    meaning: str
    """For people, one line."""

    needs: Needs
    """What the function takes."""

    low: float
    """Smallest value possible."""

    high: float
    """Largest value possible."""

    chance: Chance
    """How its chance level is found."""

    symmetric: bool
    """Whether swapping the two SAEs leaves every value as it is."""

    function: Callable[..., BestPartners]
    """`function(a, b, …, *, top_k, block_size, workers, on_progress, same)`; gives `TopPairs` where tokens count."""

    at: Callable[..., Values]
    """`at(a, b, …, features_a, features_b)`: the values of given pairs, NaN where undefined."""

    pool: Pool | None = None
    """How the activations of a document become one; None where tokens or weights are compared."""


def _over_tokens(
    name: str,
    meaning: str,
    function: Callable[..., TopPairs],
    at: Callable[..., Values],
    *,
    needs: Needs = "activations",
    low: float = -1.0,
) -> Measure:
    return Measure(name, meaning, needs, low, 1.0, "shifted tokens", True, function, at)


def _of_counts(kind: Kind, meaning: str, *, low: float = 0.0, high: float = 1.0, symmetric: bool = True) -> Measure:
    function, at = partial(coactivation, kind=kind), partial(coactivations_at, kind=kind)
    return Measure(kind, meaning, "activations", low, high, "shifted tokens", symmetric, function, at)


def _of_documents(pool: Pool, meaning: str) -> Measure:
    name = f"activation_document_{pool}"
    return Measure(
        name, meaning, "documents", -1.0, 1.0, "shifted tokens", True, correlate_sparse, correlations_at, pool
    )


def _of_weights(
    name: str,
    meaning: str,
    function: Callable[..., BestPartners],
    vectors: Callable[..., Vectors],
    *,
    needs: Needs,
) -> Measure:
    def at(*arguments: Any) -> Values:
        *sides, features_a, features_b = arguments
        return inner_at(*vectors(*sides), features_a, features_b)

    return Measure(name, meaning, needs, -1.0, 1.0, "random vectors", True, function, at)


_ALL = (
    _over_tokens("activation", "Pearson correlation of the activations over tokens", correlate_sparse, correlations_at),
    _of_documents("max", "Pearson correlation, over documents, of the largest activation in each"),
    _of_documents("mean", "Pearson correlation, over documents, of the mean activation over all tokens of each"),
    _of_counts("phi", "Pearson correlation, over tokens, of whether the features fire", low=-1.0),
    _of_counts("jaccard", "tokens on which both fire, over tokens on which either fires"),
    _of_counts("lift", "how many times as often both fire as they would if independent", high=float("inf")),
    _of_counts(
        "conditional",
        "share of the tokens of the feature of A on which that of B fires too: P(b | a), for both ranks of a pair",
        symmetric=False,
    ),
    _over_tokens(
        "masked_cosine",
        "cosine of the activations where one of the two fires; 1 where a feature is a part of another",
        masked_cosine,
        masked_cosines_at,
        low=0.0,
    ),
    _over_tokens(
        "attribution",
        "Pearson correlation over tokens of activation times the logit weight of the next token",
        correlate_attributions,
        partial(correlations_at, signed=True),
        needs="attributions",
    ),
    _of_weights(
        "preactivation",
        "Pearson correlation over tokens of the encoder outputs before the activation function",
        preactivation,
        preactivation_vectors,
        needs="encoders and covariance",
    ),
    _of_weights("decoder", "cosine of the decoder rows", cosine, cosine_vectors, needs="decoders"),
    _of_weights("encoder", "cosine of the encoder columns", cosine, cosine_vectors, needs="encoders"),
    _of_weights(
        "logit",
        "Pearson correlation of the logit weights over the vocabulary",
        logit,
        logit_vectors,
        needs="decoders and grams",
    ),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
"""Every measure by name."""
