"""The input of an SAE, by mean and covariance, and how much of it the SAE leaves unexplained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from atlas.shapes import Float64


@dataclass(frozen=True, slots=True)
class Inputs:
    """First and second moments of the input of SAEs, over the counted tokens seen so far."""

    n_tokens: int
    """Tokens seen."""
    mean: Float64[np.ndarray, " d_in"]
    """Mean activation."""
    comoment: Float64[np.ndarray, "d_in d_in"]
    """Sum over tokens of the outer product of the distance to the mean with itself."""

    @classmethod
    def of(cls, x: np.ndarray) -> Inputs:
        """Moments of one batch, (tokens, d_in)."""
        mean = x.mean(axis=0, dtype=np.float64)
        away = x - mean
        return cls(len(x), mean, away.T @ away)

    @classmethod
    def none(cls, d_in: int) -> Inputs:
        return cls(0, np.zeros(d_in), np.zeros((d_in, d_in)))

    def merge(self, other: Inputs) -> Inputs:
        """Moments of both: those about two means become one about the common mean (Chan et al. 1979)."""
        n = self.n_tokens + other.n_tokens
        if n == 0:
            return self
        apart = other.mean - self.mean
        between = np.outer(apart, apart) * (self.n_tokens * other.n_tokens / n)
        mean = self.mean + apart * (other.n_tokens / n)
        return Inputs(n, mean, self.comoment + other.comoment + between)


@dataclass(frozen=True, slots=True)
class Residuals:
    """Sums for the fraction of variance unexplained, over the counted tokens seen so far."""

    inputs: Inputs
    """The input of the SAE."""
    error: float
    """Sum of squared distances of the activations to their reconstructions."""

    @classmethod
    def of(cls, x: np.ndarray, reconstruction: np.ndarray, inputs: Inputs | None = None) -> Residuals:
        """Sums of one batch, both (tokens, d_in); `inputs` are those of `x`, if somebody has them."""
        error = reconstruction - x.astype(np.float64)
        return cls(Inputs.of(x) if inputs is None else inputs, float(np.vdot(error, error)))

    @classmethod
    def none(cls, d_in: int) -> Residuals:
        return cls(Inputs.none(d_in), 0.0)

    def merge(self, other: Residuals) -> Residuals:
        return Residuals(self.inputs.merge(other.inputs), self.error + other.error)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every number in it, by the name of its field."""
        moments = {field.name: np.asarray(getattr(self.inputs, field.name)) for field in fields(Inputs)}
        return {**moments, "error": np.asarray(self.error)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Residuals:
        """The value that `arrays` was made from."""
        inputs = Inputs(int(arrays["n_tokens"]), arrays["mean"], arrays["comoment"])
        return cls(inputs, float(arrays["error"]))

    @property
    def fvu(self) -> float | None:
        """Fraction of variance unexplained, 0 is perfect; None if the activations were constant."""
        spread = float(np.trace(self.inputs.comoment))
        return self.error / spread if spread > 0 else None
