"""A measure with its data: best partners, their chance level, values at given pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.choices import Unit
from atlas.pairing.measures.measure import Measure
from atlas.pairing.search.bothways import Progress
from atlas.pairing.search.chance import draw_shifts, roll_tokens, shift_null, shift_null_blocks
from atlas.pairing.search.products import joint_at, threads
from atlas.pairing.search.source import Source
from atlas.pairing.search.standardised import Standardised, fires
from atlas.pairing.search.streamed import correlate_blocks, correlations_of_blocks_at, joint_of_blocks_at
from atlas.pairing.search.topk import BestPartners, Values
from atlas.pairing.tokens.alignment import SharedSample

_SAMPLED = 4096
"""Features of each SAE on which a chance level is measured, as in `shift_null`."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Chance level: the median best value when nothing belongs together."""

    best_ab: float
    """Median over features of a of their best value in b."""
    best_ba: float
    """Median over features of b of their best value in a."""
    shift: int | None = None
    """Rows by which b was rolled; None where random vectors took the place of the weights."""
    n_a: int | None = None
    """Features of a sampled; None in pairings stored by versions that drew no random vectors."""
    n_b: int | None = None
    """Features of b sampled."""


@dataclass(frozen=True, slots=True, eq=False)
class Operands:
    """A measure and the two SAEs as it takes them."""

    measure: Measure
    """The measure."""
    arguments: tuple[Any, ...]
    """Arguments of its functions, before their options; two sources of blocks where `sums` is given."""
    n_tokens: int
    """Number of `unit`: rows of the activations, or tokens of the scan where weights are compared."""
    n_a: NDArray[np.int64]
    """(d_a,) number of `unit` on which each feature of a fires."""
    n_b: NDArray[np.int64]
    """(d_b,) number of `unit` on which each feature of b fires."""
    same: bool = False
    """A and B are one SAE: no feature is its own partner."""
    unit: Unit = "tokens"
    """Unit of `n_tokens`, `n_a` and `n_b`; spans of text where two tokenizations were aligned."""
    shared: SharedSample | None = None
    """How much of two texts is compared; None where the tokens are the same."""
    sums: int | None = None
    """Bytes of sums held at once where activations are read in blocks; None where they are in memory."""

    def best(self, *, top_k: int = 10, on_progress: Progress | None = None) -> BestPartners:
        """The best partners of every feature, in both directions."""
        options: dict[str, Any] = {"top_k": top_k, "on_progress": on_progress, "same": self.same}
        if self.sums is not None:
            return correlate_blocks(*self.arguments, memory=self.sums, **options)
        return self.measure.search(*self.arguments, **options)

    def chance(self, *, seed: int = 0) -> Chance:
        """Chance level of the best partners; within one SAE a feature may be paired with itself on rolled tokens."""
        if not self.measure.of_activations:
            return self._of_random_vectors(seed)
        a, b = self.arguments
        if self.sums is not None:
            null = shift_null_blocks(a, b, self.n_a, self.n_b, self.n_tokens, seed=seed, memory=self.sums)
        else:
            null = shift_null(a, b, seed=seed, measure=None if isinstance(a, Standardised) else self.measure.search)
        # A measure that leaves out pairs without a common token has the value 0 there.
        ab, ba = (np.nan_to_num(v[0]) if self.measure.low >= 0 else v[0] for v in (null.best_ab, null.best_ba))
        return Chance(float(ab), float(ba), int(null.shifts[0]), null.n_a, null.n_b)

    def values_at(self, features_a: NDArray, features_b: NDArray) -> Values:
        """(n,) values of the given pairs, NaN where undefined."""
        if self.sums is not None:
            return correlations_of_blocks_at(self.arguments[0], self.arguments[1], features_a, features_b)
        return self.measure.at(*self.arguments, features_a, features_b)

    def joint_at(self, features_a: NDArray, features_b: NDArray) -> NDArray[np.int64] | None:
        """(n,) rows on which both features of the given pairs fire; None where weights are compared."""
        if not self.measure.of_activations:
            return None
        if self.sums is not None:
            return joint_of_blocks_at(self.arguments[0], self.arguments[1], features_a, features_b)
        x, y = (fires(side) for side in self.arguments)
        with threads(None) as pool:
            return joint_at(x, y, features_a, features_b, pool)

    def rows(self) -> Source:
        return self.measure.rows(*self.arguments)

    def unrelated(self, seed: int) -> Operands:
        """Operands in which nothing belongs together, for a chance level.

        Tokens of b are rolled, by the first shift that `shift_null` draws from this seed; weights of both SAEs are
        replaced by Gaussian random vectors of their shapes, but for rows of zeros; covariances stay.
        """
        rng = np.random.default_rng(np.random.PCG64(seed))
        a, b, *others = self.arguments
        if self.measure.of_activations:
            shift = int(draw_shifts(rng, a.shape[0])[0])
            b = b.rolled(shift) if isinstance(b, Standardised) else roll_tokens(b, shift)
        else:
            a, b = (rng.standard_normal(w.shape, dtype=np.float32) * w.any(axis=1)[:, None] for w in (a, b))
        return replace(self, arguments=(a, b, *others))

    def _of_random_vectors(self, seed: int) -> Chance:
        """A search for a sample of each SAE, all weights replaced by Gaussian vectors."""
        a, b, *others = self.unrelated(seed).arguments
        rng = np.random.default_rng(np.random.PCG64(seed))
        of_a, of_b = (np.sort(rng.permutation(np.flatnonzero(w.any(axis=1)))[:_SAMPLED]) for w in (a, b))
        ab = self.measure.search(a[of_a], b, *others, top_k=1)
        ba = self.measure.search(a, b[of_b], *others, top_k=1)
        return Chance(ab.median_best[0], ba.median_best[1], None, len(of_a), len(of_b))
