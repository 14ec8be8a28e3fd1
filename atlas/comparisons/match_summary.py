"""What a one-to-one matching returns."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.choices import Unit


@dataclass(frozen=True, slots=True)
class MatchingSummary:
    """What a matching found, with the chance level that judges it."""

    method: str
    """`assignment` or `greedy`."""

    measure: str
    """What was compared, a name of `MEASURES`."""

    sae_a: str
    """Full name of the first SAE."""

    sae_b: str
    """Full name of the second SAE."""

    corpus: str
    """Corpus on which A was measured."""

    corpus_b: str
    """Corpus on which B was measured; another cut of the same text, or the same corpus."""

    n_tokens: int
    """Tokens that both were read on, or what `unit` says."""

    unit: Unit
    """What `n_tokens` and the counts of the pairs count: tokens, documents, or spans of text."""

    n_alive_a: int
    """Features of A that fire on its corpus."""

    n_alive_b: int
    """Features of B that fire on its corpus."""

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

    new: bool
    """False if the atlas already held this matching."""

    @property
    def mean(self) -> float:
        """Mean value of the pairs; compare with `chance`."""
        return self.total / self.n_pairs
