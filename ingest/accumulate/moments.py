"""Counts, maxima and moments of every feature, centred so that no digit is lost where activations are nearly alike.

Source: Pébay 2008, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order statistical
moments", sec. 3. Departs from it in one point: the mean is the sum over the count, not a value of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from atlas.shapes import Float32, Float64, Int64
from ingest.accumulate.codes import Codes, TokenMap, blocks, run_starts


@dataclass(frozen=True, slots=True)
class Moments:
    """Sufficient statistics of each feature over the tokens seen so far.

    `a.merge(b)` equals having seen both pieces, in either order, up to the last bits.
    """

    n_tokens: int
    """Counted tokens seen."""
    n_fired: Int64[np.ndarray, " d_sae"]
    """Tokens with activation > 0."""
    total: Float64[np.ndarray, " d_sae"]
    """Sum of activations, in SAE activation units."""
    centred_2: Float64[np.ndarray, " d_sae"]
    """Sum of squared distances from the mean, over the tokens that fire."""
    centred_3: Float64[np.ndarray, " d_sae"]
    """Sum of cubed distances."""
    centred_4: Float64[np.ndarray, " d_sae"]
    """Sum of fourth powers of distances."""
    max: Float32[np.ndarray, " d_sae"]
    """Largest activation; 0 if none fired."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> Moments:
        """Moments of one piece."""
        n_fired, largest = np.zeros(codes.d_sae, np.int64), np.zeros(codes.d_sae, np.float32)
        total, *centred = (np.zeros(codes.d_sae) for _ in range(4))
        for block in blocks(codes.feature):
            feature, activation = codes.feature[block], codes.activation[block].astype(np.float64)
            starts = run_starts(feature)
            fired, n = feature[starts], np.diff(np.append(starts, len(feature)))
            n_fired[fired] = n
            largest[fired] = np.maximum.reduceat(codes.activation[block], starts)
            total[fired] = np.add.reduceat(activation, starts)
            distance = activation - np.repeat(total[fired] / n, n)
            power = distance.copy()
            for power_sum in centred:
                power *= distance
                power_sum[fired] = np.add.reduceat(power, starts)
        return cls(len(tokens), n_fired, total, *centred, max=largest)

    def merge(self, other: Moments) -> Moments:
        """Moments of both pieces."""
        n = self.n_fired + other.n_fired
        here, there = self.n_fired / np.maximum(n, 1), other.n_fired / np.maximum(n, 1)
        step = np.where((self.n_fired > 0) & (other.n_fired > 0), other.mean - self.mean, 0.0)
        apart = n * here * there * step**2
        return Moments(
            n_tokens=self.n_tokens + other.n_tokens,
            n_fired=n,
            total=self.total + other.total,
            centred_2=self.centred_2 + other.centred_2 + apart,
            centred_3=self.centred_3
            + other.centred_3
            + apart * step * (here - there)
            + 3 * step * (here * other.centred_2 - there * self.centred_2),
            centred_4=self.centred_4
            + other.centred_4
            + apart * step**2 * (1 - 3 * here * there)
            + 6 * step**2 * (here**2 * other.centred_2 + there**2 * self.centred_2)
            + 4 * step * (here * other.centred_3 - there * self.centred_3),
            max=np.maximum(self.max, other.max),
        )

    @property
    def mean(self) -> np.ndarray:
        """(d_sae,) float64: mean over the tokens that fire; 0 if none does."""
        return self.total / np.maximum(self.n_fired, 1)

    @property
    def total_2(self) -> np.ndarray:
        """(d_sae,) float64: sum of squares."""
        return self.centred_2 + self.total * self.mean

    @property
    def total_3(self) -> np.ndarray:
        """(d_sae,) float64: sum of cubes."""
        return self.centred_3 + 3 * self.mean * self.centred_2 + self.total * self.mean**2

    @property
    def total_4(self) -> np.ndarray:
        """(d_sae,) float64: sum of fourth powers."""
        return (
            self.centred_4 + 4 * self.mean * self.centred_3 + 6 * self.mean**2 * self.centred_2
        ) + self.total * self.mean**3
