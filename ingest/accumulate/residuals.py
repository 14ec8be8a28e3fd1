"""How much of what it reads an SAE leaves unexplained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, slots=True)
class Residuals:
    """Sums for the fraction of variance unexplained, over the counted tokens seen so far."""

    n_tokens: int
    """Tokens seen."""

    mean: np.ndarray
    """(d_in,) float64: mean of the activations that the SAE reads."""

    spread: float
    """Sum of squared distances of the activations to their mean."""

    error: float
    """Sum of squared distances of the activations to their reconstructions."""

    @classmethod
    def of(cls, x: np.ndarray, reconstruction: np.ndarray) -> Residuals:
        """Sums of one batch, both (tokens, d_in)."""
        exact = x.astype(np.float64)
        mean = exact.mean(axis=0)
        error = exact - reconstruction
        return cls(len(x), mean, float(np.sum((exact - mean) ** 2)), float(np.sum(error * error)))

    @classmethod
    def none(cls, d_in: int) -> Residuals:
        """Sums of nothing."""
        return cls(0, np.zeros(d_in), 0.0, 0.0)

    def merge(self, other: Residuals) -> Residuals:
        """Sums of both: the spreads about two means become one about the common mean (Chan et al. 1979)."""
        n = self.n_tokens + other.n_tokens
        if n == 0:
            return self
        apart = other.mean - self.mean
        between = float(apart @ apart) * self.n_tokens * other.n_tokens / n
        return Residuals(
            n_tokens=n,
            mean=self.mean + apart * (other.n_tokens / n),
            spread=self.spread + other.spread + between,
            error=self.error + other.error,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Every number in it, by the name of its field."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Residuals:
        """The value that `arrays` was made from."""
        return cls(int(arrays["n_tokens"]), arrays["mean"], float(arrays["spread"]), float(arrays["error"]))

    @property
    def fvu(self) -> float | None:
        """Fraction of variance unexplained, 0 is perfect; None if the activations were constant."""
        return self.error / self.spread if self.spread > 0 else None
