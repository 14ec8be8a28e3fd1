"""What a pairing and a one-to-one matching say of themselves: sample, values, and the level that judges them."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.choices import Unit
from atlas.comparisons.stored import TwoScans
from atlas.pairing.tokens.alignment import SharedSample


@dataclass(frozen=True, slots=True, kw_only=True)
class _Summary(TwoScans):
    """What both have."""

    measure: str
    """What was compared, a name of `MEASURES`."""
    n_tokens: int
    """What `unit` says, in all."""
    unit: Unit = "tokens"
    """What `n_tokens` and the counts of the pairs count: tokens, documents, or spans of text."""
    n_alive_a: int
    """Features of A that fire on what was compared."""
    n_alive_b: int
    """Features of B that do."""
    new: bool
    """False if the atlas already held it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingSummary(_Summary):
    """What a pairing found, with the chance level that judges it."""

    n_mutual: int
    """Pairs of features that are each other's best partner; within one SAE each is counted from A and from B."""
    median_best: float
    """Median over features of A of their best value in B."""
    chance: float
    """That median with the rows of B rolled by `chance_shift`, or with random vectors in the place of the weights."""
    median_best_ba: float
    """Median over features of B of their best value in A."""
    chance_ba: float
    """Its chance level."""
    chance_shift: int | None
    """Tokens, spans or documents by which B was rolled; None where weights were compared."""
    null_n_a: int | None
    """Features of A sampled for the chance level; None in pairings of before random vectors were drawn."""
    null_n_b: int | None
    """Features of B sampled."""
    shared: SharedSample | None = None
    """How much of two texts was compared; None where the corpora are one, or the atlas held this pairing and the
    activations are gone: then all features that fire on their corpus count as alive."""
    by_formula: tuple[float, float] | None = None
    """`formula` of the measure for A and for B, an approximation of the chance level; None where there is none."""
    n_filled: int = 0
    """Values of stored pairings, this one or others, that were missing at each other's best pairs and were added."""
    replaced: tuple[str, ...] = ()
    """Pairs on other corpora that this pairing took the place of, such as `words (4,000 tokens)`."""
    problems: tuple[str, ...] = ()
    """Stored measures whose values at the best pairs found now could not be added, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingSummary(_Summary):
    """What a matching found, with the chance level that judges it."""

    method: str
    """`assignment` or `greedy`."""
    n_pairs: int
    """Pairs matched."""
    total: float
    """Sum of their values."""
    gap: float | None
    """No matching has a sum above `total + gap`; None if that is not known."""
    certified: bool
    """Whether the matching is proved to be of the largest sum."""
    chance: float | None
    """Mean value of the matching where nothing belongs together; None if nothing is matched there."""

    @property
    def mean(self) -> float:
        """Mean value of the pairs; compare with `chance`."""
        return self.total / self.n_pairs
