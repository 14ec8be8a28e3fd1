"""Summaries of a pairing and of a one-to-one matching: sample, values and chance level."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.choices import Unit
from atlas.comparisons.stored import TwoScans
from atlas.pairing.tokens.alignment import SharedSample


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summary(TwoScans):
    """Fields of both summaries."""

    measure: str
    """A name of `MEASURES`."""
    n_tokens: int
    """Number of `unit` compared."""
    unit: Unit = "tokens"
    """Unit of `n_tokens` and of the counts of the pairs: tokens, documents, or spans of text."""
    n_alive_a: int
    """Features of A that fire on the sample."""
    n_alive_b: int
    """Features of B that fire on the sample."""
    new: bool
    """False if the atlas already held it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingSummary(_Summary):
    """Result of a pairing, with its chance level."""

    n_mutual: int
    """Pairs of features that are each other's best partner; within one SAE each is counted from A and from B."""
    median_best: float
    """Median over features of A of their best value in B."""
    chance: float
    """That median with the rows of B rolled by `chance_shift`, or with random vectors in the place of the weights."""
    median_best_ba: float
    """Median over features of B of their best value in A."""
    chance_ba: float
    """The chance level of `median_best_ba`."""
    chance_shift: int | None
    """Tokens, spans or documents by which B was rolled; None where weights were compared."""
    null_n_a: int | None
    """Features of A sampled for the chance level; None in pairings stored by versions that drew no random vectors."""
    null_n_b: int | None
    """Features of B sampled."""
    shared: SharedSample | None = None
    """How much of two texts was compared; None for one corpus, or where the atlas held this pairing and the
    activations are gone: then all features that fire on their corpus count as alive."""
    by_formula: tuple[float, float] | None = None
    """`formula` of the measure for A and for B, an approximation of the chance level; None where there is none."""
    n_filled: int = 0
    """Values of stored pairings, this one or others, that were missing at each other's best pairs and were added."""
    replaced: tuple[str, ...] = ()
    """Pairs on other corpora that this pairing replaced, such as `words (4,000 tokens)`."""
    problems: tuple[str, ...] = ()
    """Stored measures whose values at the best pairs found now could not be added, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingSummary(_Summary):
    """Result of a matching, with its chance level."""

    method: str
    """`assignment` or `greedy`."""
    n_pairs: int
    """Pairs matched."""
    total: float
    """Sum of their values."""
    gap: float | None
    """No matching has a sum above `total + gap`; None if that is not known."""
    certified: bool
    """Whether the sum of the matching is proved to be the maximum."""
    chance: float | None
    """Mean value of the matching where nothing belongs together; None if nothing is matched there."""

    @property
    def mean(self) -> float:
        """Mean value of the pairs; compare with `chance`."""
        return self.total / self.n_pairs
