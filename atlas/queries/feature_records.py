"""What is stored of one feature beyond its pane in the table: every statistic, logits, neighbours, all matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ContextKind = Literal["top", "quantile", "interval", "random", "silent"]
"""How contexts were chosen, as in the view `contexts`."""

KINDS: tuple[ContextKind, ...] = ("top", "quantile", "interval", "random", "silent")


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number of a feature with what it means."""

    name: str
    """Column of the view `features` or `document_pooling`."""
    value: float | None
    """None where it is undefined."""
    meaning: str
    """Comment of the column in the database."""


@dataclass(frozen=True, slots=True)
class LogitToken:
    """A token whose logit a feature raises or lowers."""

    sign: int
    """1: raised; -1: lowered."""
    token: str
    logit: float
    """Weight for a decoder row of norm 1."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A feature of the same SAE whose decoder row points nearly the same way."""

    feature_id: int
    cosine: float
    top_tokens: list[str]


@dataclass(frozen=True, slots=True)
class Match:
    """The best partner of a feature in another SAE by one measure."""

    alias: str
    sae: str
    measure: str
    feature_id: int
    value: float
    mutual: bool | None
    """Each is the other's best; None if the stored partners of the other side do not say."""


@dataclass(frozen=True, slots=True)
class TokenStat:
    """A token on which a feature fires."""

    token: str
    n_fired: int
    n_tokens: int
    """Times that the token was measured."""
    mean: float
    """Over the times that the feature fires on it."""
    lift: float
    """Share of the token among those that fire, over its share among all."""


@dataclass(frozen=True, slots=True)
class PositionStat:
    """How often a feature fires at one place of a context."""

    position: int
    n_tokens: int
    n_fired: int


@dataclass(frozen=True, slots=True)
class FeatureMore:
    """What the whole screen shows of a feature, and its pane in the table does not."""

    statistics: list[Statistic]
    """Numbers of the view `features`."""
    pooled: list[Statistic]
    """Numbers of the view `document_pooling` over whole documents; empty where none are stored."""
    logits: list[LogitToken]
    """Raised tokens, then lowered ones, strongest first; empty where none are stored."""
    tokens: list[TokenStat]
    positions: list[PositionStat]
    matches: list[Match]
    """By SAE, then by measure."""
    neighbours: list[Neighbour] | None
    """By decoder cosine, nearest first; empty if no decoder is stored, None while they are not read."""
