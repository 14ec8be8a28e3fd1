"""What one scan, feature, context, partner or pair is, as the browser and `featlas show` read them."""

from __future__ import annotations

from dataclasses import dataclass

from atlas.choices import DEFAULT_MEASURE
from atlas.references import FeatureRef, PairRef


@dataclass(frozen=True, slots=True)
class Scan:
    """One SAE measured on one corpus."""

    scan_id: int
    alias: str
    sae: str
    model: str
    hook_name: str
    layer: int | None
    architecture: str
    d_in: int
    d_sae: int
    corpus: str
    n_tokens: int
    l0: float
    """Mean number of features that fire on a token."""
    n_alive: int
    n_dead: int
    n_dense: int
    """Features that fired on more than 10 % of the tokens."""
    fvu: float | None
    """Unexplained share of the variance; None if the activations were constant."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """A stored comparison of two SAEs, with what judges it."""

    pairing_id: int
    measure: str
    alias_a: str
    sae_a: str
    alias_b: str
    sae_b: str
    corpus: str
    n_tokens: int
    top_k: int
    """Partners stored for each feature."""
    median_best: float | None
    """Median over live features of A of the best value in B."""
    chance: float | None
    """The same with the token rows of B shifted."""
    run_id: int
    corpus_b: str
    """Corpus of B; another than `corpus` where the features were aligned on the text."""
    median_best_ba: float | None
    """Median over live features of B of the best value in A."""
    chance_ba: float | None
    """The same with the token rows of B shifted."""
    has_direction: bool
    """Values go from A to B, and are others from B to A."""
    is_bounded: bool
    """Values have an upper end, so that a threshold means something."""

    def judged_from(self, sae: str) -> tuple[float | None, float | None]:
        """Median of the best values of the features of one side in the other, and the same by chance."""
        return (self.median_best, self.chance) if sae == self.sae_a else (self.median_best_ba, self.chance_ba)

    def corpus_of(self, sae: str) -> str:
        """Corpus on which one of the two was measured."""
        return self.corpus if sae == self.sae_a else self.corpus_b

    def between(self, one: str, other: str, measure: str = DEFAULT_MEASURE) -> bool:
        """Whether it compares these two SAEs by a measure, in either order, or in its own if that has a direction."""
        ordered = not self.has_direction or self.sae_a == one
        return self.measure == measure and ordered and {self.sae_a, self.sae_b} == {one, other}


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One line of the feature table."""

    scan_id: int
    feature_id: int
    alias: str
    n_fired: int
    density: float
    mean_active: float | None
    """None, as is `max`, if it never fired."""
    max: float | None
    top_tokens: list[str]
    label: str | None
    other: str | None
    """Alias of the SAE of its best partner; None, as the next two, if nothing was compared."""
    partner: int | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Feature:
    """Statistics of one feature on one corpus; units as in the view `features`."""

    feature_id: int
    n_tokens: int
    n_fired: int
    density: float
    mean_active: float | None
    std_active: float | None
    median_active: float | None
    max: float | None
    doc_density: float
    top_tokens: list[str]
    is_dead: bool
    is_concept: bool
    label: str | None


@dataclass(frozen=True, slots=True)
class Context:
    """A window of the corpus in which a feature fires, or never does."""

    bin: int
    """Tenth of the way to the maximum, or equal group by strength, from 0, weakest first; 0 for other kinds."""
    rank: int
    """Within the bin, from 1."""
    activation: float
    context_id: int
    document: int
    position: int
    """Of the peak in the context, from 0."""
    peak: int
    """Index of the peak in `tokens`."""
    tokens: list[str]
    activations: list[float]
    effects: list[float | None] | None = None
    """Change of each token's log probability without the feature, in nats; None if it was not measured."""

    @property
    def place(self) -> tuple[int, int]:
        """Where in the corpus the peak is: equal places are the same token."""
        return self.context_id, self.position


@dataclass(frozen=True, slots=True)
class Partner:
    """The best partner of a feature in another SAE."""

    alias: str
    sae: str
    feature_id: int
    value: float
    mutual: bool | None
    """Each is the other's best; None if the stored partners of the other side do not say."""
    corpus: str
    """On which that SAE was measured; another than that of the feature where two cuts of a text were aligned."""


@dataclass(frozen=True, slots=True)
class FeatureDetail:
    """All about one feature of one scan."""

    scan: Scan
    feature: Feature
    bins: list[tuple[float, float, int]]
    """Histogram of its activations: (lo, hi, n), ascending."""
    contexts: list[Context]
    partners: list[Partner]

    @property
    def reference(self) -> str:
        """Short reference, by alias."""
        return str(FeatureRef(self.scan.alias, self.feature.feature_id))

    @property
    def full_reference(self) -> str:
        """Reference that stays right in another atlas, by name."""
        return str(FeatureRef(self.scan.sae, self.feature.feature_id))


@dataclass(frozen=True, slots=True)
class PairRow:
    """One line of the pair list."""

    feature_a: int
    feature_b: int
    value: float
    margin: float | None
    """Value less that of the second-best partner; None if there is none, and for a stored matching."""
    n_a: int
    n_b: int
    n_ab: int | None
    """Tokens on which both fire; None for measures of weights."""
    mutual: bool | None
    """Each is the other's best; None for a stored matching."""
    tokens_a: list[str]
    tokens_b: list[str]
    dropped_because: str
    """Reasons joined by commas; empty if the pair passes the filters."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored partner of a feature in one other SAE."""

    feature_id: int
    value: float
    rank_ab: int | None
    """Its place among the feature's partners; None outside the stored ones."""
    rank_ba: int | None
    """The feature's place among its partners."""
    n_a: int
    n_b: int
    n_ab: int | None
    """Tokens on which both fire; None for measures of weights."""
    top_tokens: list[str]


@dataclass(frozen=True, slots=True)
class PairDetail:
    """Two features of different SAEs side by side."""

    a: FeatureDetail
    b: FeatureDetail
    candidates: list[Candidate]
    """Stored partners of `a` in the SAE of `b` by the measure of `pairing`, best first."""
    cosine: float | None
    """Of the decoder rows; None where it would mean nothing: other model, hook or width."""
    pairing: Pairing | None
    """None if the two SAEs were never compared by that measure."""
    measure: str = DEFAULT_MEASURE
    """By which the candidates were ranked."""

    @property
    def full_reference(self) -> str:
        return str(PairRef(*(FeatureRef(one.scan.sae, one.feature.feature_id) for one in (self.a, self.b))))

    @property
    def link(self) -> Candidate | None:
        """What is stored about this very pair; None if neither is among the other's stored partners."""
        return next((c for c in self.candidates if c.feature_id == self.b.feature.feature_id), None)

    @property
    def mutual(self) -> bool:
        link = self.link
        return link is not None and link.rank_ab == 1 and link.rank_ba == 1

    @property
    def margin(self) -> float | None:
        """Value of the best candidate less that of the second; None without a second."""
        ranked = sorted((c for c in self.candidates if c.rank_ab), key=lambda c: c.rank_ab or 0)
        return ranked[0].value - ranked[1].value if len(ranked) > 1 else None

    @property
    def shared(self) -> set[tuple[int, int]]:
        """Places of the corpus that are among the stored contexts of both."""
        return {c.place for c in self.a.contexts} & {c.place for c in self.b.contexts}
