"""What is stored of one pair of features beyond its value: every measure, every matching, activations in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeasureOfPair:
    """What one stored measure says of a pair."""

    measure: str
    value: float | None
    """None if the pair is not among the stored ones."""
    rank_ab: int | None
    """Place of B's feature among the partners of A's; None outside the stored ones."""
    rank_ba: int | None
    median_best: float | None
    """Median over live features of A of the best value in B."""
    chance: float | None
    """The same where nothing belongs together: tokens shifted, or random vectors."""
    top_k: int
    """Partners stored for each feature."""
    preferred: int | None
    """Best partner of A's feature by this measure."""
    preferred_value: float | None
    high: str | None
    """Where it disagrees with activation as the view `disagreements` says: the one of the two that is high."""


@dataclass(frozen=True, slots=True)
class MatchingOfPair:
    """The partner that a stored one-to-one matching gives the feature of A."""

    method: str
    """assignment or greedy."""
    measure: str
    partner: int


@dataclass(frozen=True, slots=True)
class Joint:
    """Activations of two features on the same tokens."""

    counts: list[list[int]]
    """Tokens by (B, A): row 0 has those on which B is silent, column 0 those on which A is; the others are equal parts
    of the way to the maximum, weakest first. Tokens on which both are silent are left out."""
    max_a: float
    max_b: float
    n_both: int
    """Tokens on which both fire."""
    n_only_a: int
    n_only_b: int
    n_tokens: int
    """Tokens that both scans measured."""


@dataclass(frozen=True, slots=True)
class PairMore:
    """What the pair view shows below the two features."""

    measures: list[MeasureOfPair]
    """Activation first."""
    matchings: list[MatchingOfPair]
    joint: Joint | None
    """None where the activations cannot be laid side by side."""
    joint_problem: str = ""
    """Why not, and what to type."""
