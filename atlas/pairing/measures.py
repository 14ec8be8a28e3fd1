"""What is known of each measure of similarity between features: its meaning, its range, and what it is judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from atlas.pairing.attribution import correlate_attributions
from atlas.pairing.coactivation import coactivation
from atlas.pairing.correlate import correlate_sparse
from atlas.pairing.masked import masked_cosine
from atlas.pairing.toppairs import BestPartners, TopPairs
from atlas.pairing.weights import cosine, logit, preactivation

Chance = Literal["shifted tokens", "random vectors"]
"""`shifted tokens`: `shift_null`, measured again out of step. `random vectors`: `cosine_chance`, sqrt(2 ln n / d)."""

Needs = Literal["activations", "attributions", "decoders", "encoders", "encoders and covariance", "decoders and grams"]
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


def _over_tokens(
    name: str,
    meaning: str,
    function: Callable[..., TopPairs],
    *,
    needs: Needs = "activations",
    low: float = 0.0,
    high: float = 1.0,
    symmetric: bool = True,
) -> Measure:
    return Measure(name, meaning, needs, low, high, "shifted tokens", symmetric, function)


def _of_weights(name: str, meaning: str, function: Callable[..., BestPartners], *, needs: Needs) -> Measure:
    return Measure(name, meaning, needs, -1.0, 1.0, "random vectors", True, function)


_ALL = (
    _over_tokens("activation", "Pearson correlation of the activations over tokens", correlate_sparse, low=-1.0),
    _over_tokens(
        "phi",
        "Pearson correlation, over tokens, of whether the features fire",
        partial(coactivation, kind="phi"),
        low=-1.0,
    ),
    _over_tokens(
        "jaccard",
        "tokens on which both fire, over tokens on which either fires",
        partial(coactivation, kind="jaccard"),
    ),
    _over_tokens(
        "lift",
        "how many times as often both fire as they would if independent",
        partial(coactivation, kind="lift"),
        high=float("inf"),
    ),
    _over_tokens(
        "conditional",
        "share of the tokens of the feature of A on which that of B fires too",
        partial(coactivation, kind="conditional"),
        symmetric=False,
    ),
    _over_tokens(
        "masked_cosine",
        "cosine of the activations where one of the two fires; 1 where a feature is a part of another",
        masked_cosine,
    ),
    _over_tokens(
        "attribution",
        "Pearson correlation over tokens of activation times the logit weight of the next token",
        correlate_attributions,
        needs="attributions",
        low=-1.0,
    ),
    _of_weights(
        "preactivation",
        "Pearson correlation over tokens of the encoder outputs before the activation function",
        preactivation,
        needs="encoders and covariance",
    ),
    _of_weights("decoder", "cosine of the decoder rows", cosine, needs="decoders"),
    _of_weights("encoder", "cosine of the encoder columns", cosine, needs="encoders"),
    _of_weights(
        "logit",
        "Pearson correlation of the logit weights over the vocabulary",
        logit,
        needs="decoders and grams",
    ),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}
"""Every measure by name. Activations may be by token or pooled by document (`pool_documents`)."""
