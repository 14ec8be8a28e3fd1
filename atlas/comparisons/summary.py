"""What a pairing says of itself: its sample, its best values and the level that judges them."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.choices import Unit
from atlas.pairing.tokens.alignment import SharedSample


@dataclass(frozen=True, slots=True)
class PairingSummary:
    """What a pairing found, with the chance level that judges it."""

    sae_a: str
    """Full name of the first SAE."""

    sae_b: str
    """Full name of the second SAE; the same where an SAE is compared with itself."""

    corpus: str
    """Corpus on which A was measured."""

    corpus_b: str
    """Corpus on which B was measured: the same, or another cut of the same text."""

    n_tokens: int
    """Tokens, spans of text or documents that the comparison is over."""

    n_alive_a: int
    """Features of A that fire on what was compared."""

    n_alive_b: int
    """Features of B that do."""

    measure: str
    """What was compared, a name of `MEASURES`."""

    n_mutual: int
    """Pairs of features that are each other's best partner; within one SAE each is counted from both sides."""

    median_best: float
    """Median over features of A of their best value in B."""

    chance: float
    """The same with the rows of B rolled by `chance_shift`, or with random vectors in the place of the weights."""

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

    new: bool
    """False if the atlas already held this pairing."""

    unit: Unit = "tokens"
    """What `n_tokens` counts."""

    shared: SharedSample | None = None
    """How much of two texts was compared; None where the corpora are one, or the atlas held this pairing and the
    activations are gone: then all features that fire on their corpus count as alive."""

    by_formula: tuple[float, float] | None = None
    """`cosine_chance` for A and for B, an approximation of the chance level of cosines; None for other measures."""

    n_filled: int = 0
    """Values of stored pairings, this one or others, that were missing at each other's best pairs and were added."""

    replaced: tuple[str, ...] = ()
    """Pairs on other corpora that this pairing took the place of, such as `words (4,000 tokens)`."""

    problems: tuple[str, ...] = ()
    """Stored measures whose values at the best pairs found now could not be added, and why."""
