"""What is known of one measure of similarity between features; `atlas.pairing.measures.registry` holds them all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from atlas.choices import Unit
from atlas.pairing.search.source import Source
from atlas.pairing.search.streamed import Blocks
from atlas.pairing.search.topk import BestPartners, Values

Needs = Literal[
    "activations", "documents", "attributions", "decoders", "encoders", "encoders and covariance", "decoders and grams"
]
"""What a measure takes of each SAE. `documents`: activations pooled over each document."""

Pool = Literal["max", "mean"]
"""How the activations of a document become one number."""

Chance = Literal["shifted tokens", "random vectors"]
"""A second search, with the tokens of b rolled, or with Gaussian random vectors in the place of the weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure, with everything that other code needs to know about it."""

    name: str
    """As in table `pairs` and on the command line."""
    meaning: str
    """For people, one line."""
    needs: Needs
    """What it is computed from."""
    search: Callable[..., BestPartners]
    """`search(a, b, …, *, top_k, block_size, workers, on_progress, same)`; gives `TopPairs` where tokens count."""
    at: Callable[..., Values]
    """`at(a, b, …, features_a, features_b)`: the values of given pairs, NaN where undefined."""
    rows: Callable[..., Source]
    """`rows(a, b, …)`: the matrix of all values for an assignment, 0 where undefined; `defined` says so for weights."""
    aliases: tuple[str, ...] = ()
    """Other names on the command line."""
    label: str = ""
    """Short label of a value, such as `r`; empty for the name."""
    symmetric: bool = True
    """Whether swapping the two SAEs leaves every value as it is; else it has a direction, from A to B."""
    low: float = -1.0
    """Minimum value possible."""
    high: float = 1.0
    """Maximum value possible; infinity where there is none."""
    space: Literal["hook", "stream"] | None = None
    """What both SAEs must have in common for their weights to be comparable: one hook of one model, or at least one
    residual stream; None where nothing."""
    pool: Pool | None = None
    """How the activations of a document become one; None where documents do not count."""
    prepare: Callable[..., Any] = lambda activations, *, name: activations
    """`prepare(activations, name=…)`: done once to the activations of each SAE, for the search and its chance level."""
    in_blocks: Callable[[Blocks], Blocks] | None = None
    """Turns a scan in the store into blocks whose Pearson correlation is the measure; None where the scans must be
    held in memory."""
    bytes_per_activation: int = 56
    """Measured peak memory of a search and its chance level, per stored activation of both scans."""
    formula: Callable[[int, int], float] | None = None
    """`formula(n, d)`: approximate chance level of the best of n vectors in d dimensions; None where not known."""

    @property
    def of_activations(self) -> bool:
        """Whether it compares what features do on tokens, rather than their weights."""
        return self.needs in ("activations", "documents", "attributions")

    @property
    def same_tokens(self) -> bool:
        """Whether both SAEs must have the same tokens; else two tokenizations of one text can be aligned for it."""
        return self.needs not in ("activations", "documents")

    @property
    def chance(self) -> Chance:
        return "shifted tokens" if self.of_activations else "random vectors"

    @property
    def bounded(self) -> bool:
        """Whether values have a maximum, so that one threshold means the same for all pairs."""
        return math.isfinite(self.high)

    def unit(self, *, aligned: bool = False) -> Unit:
        """Unit of its counts; `aligned` where two tokenizations of one text are compared."""
        if self.needs == "documents":
            return "documents"
        return "spans" if aligned else "tokens"
