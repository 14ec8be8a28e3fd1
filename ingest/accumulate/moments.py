"""Counts, power sums and maxima of every feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.accumulate.codes import Codes, TokenMap, run_starts


@dataclass(frozen=True, slots=True)
class Moments:
    """Sufficient statistics of each feature over the tokens seen so far.

    `a.merge(b)` equals having seen both pieces, in either order. Sums are float64: sums of fourth powers lose every
    digit in single precision within one corpus.
    """

    n_tokens: int
    """Counted tokens seen."""

    n_fired: np.ndarray
    """(d_sae,) int64: tokens with activation > 0."""

    total: np.ndarray
    """(d_sae,) float64: sum of activations, in SAE activation units."""

    total_2: np.ndarray
    """(d_sae,) float64: sum of squares."""

    total_3: np.ndarray
    """(d_sae,) float64: sum of cubes."""

    total_4: np.ndarray
    """(d_sae,) float64: sum of fourth powers."""

    max: np.ndarray
    """(d_sae,) float32: largest activation; 0 if none fired."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> Moments:
        """Moments of one piece."""
        starts = run_starts(codes.feature)
        fired = codes.feature[starts]
        n_fired = np.zeros(codes.d_sae, np.int64)
        n_fired[fired] = np.diff(np.append(starts, len(codes)))
        largest = np.zeros(codes.d_sae, np.float32)
        total, total_2, total_3, total_4 = sums = [np.zeros(codes.d_sae) for _ in range(4)]
        if len(codes):
            largest[fired] = np.maximum.reduceat(codes.activation, starts)
            activation = codes.activation.astype(np.float64)
            power = np.ones_like(activation)
            for power_sum in sums:
                power *= activation
                power_sum[fired] = np.add.reduceat(power, starts)
        return cls(len(tokens), n_fired, total, total_2, total_3, total_4, largest)

    def merge(self, other: Moments) -> Moments:
        """Moments of both pieces."""
        return Moments(
            n_tokens=self.n_tokens + other.n_tokens,
            n_fired=self.n_fired + other.n_fired,
            total=self.total + other.total,
            total_2=self.total_2 + other.total_2,
            total_3=self.total_3 + other.total_3,
            total_4=self.total_4 + other.total_4,
            max=np.maximum(self.max, other.max),
        )
