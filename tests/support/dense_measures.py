"""Every measure as a dense matrix, from its definition, by NumPy and SciPy alone; and cases to try each measure on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment

from atlas.pairing import MEASURES
from atlas.pairing.measures.operands import Operands
from atlas.pairing.measures.pooled import pool_documents
from atlas.pairing.measures.weights import gram
from tests.support.pairing_laws import activations, pearson, signed

OVER_TOKENS = ["activation", "phi", "jaccard", "lift", "conditional", "masked_cosine"]
"""Measures that take activations as they are."""


def values_of(name: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """All values of a measure on (n_tokens, d) activations; 0 where two never fire together, NaN where undefined."""
    f, g = (a > 0).astype(float), (b > 0).astype(float)
    n_a, n_b, both = f.sum(axis=0)[:, None], g.sum(axis=0), f.T @ g
    with np.errstate(all="ignore"):
        if name == "jaccard":
            return both / (n_a + n_b - both)
        if name == "lift":
            return len(a) * both / (n_a * n_b)
        if name == "conditional":
            return both / n_a + 0 * n_b
        if name == "masked_cosine":
            one = a.T @ b / np.sqrt((a**2).sum(axis=0)[:, None] * (f.T @ b**2))
            other = a.T @ b / np.sqrt((b**2).sum(axis=0) * ((a**2).T @ g))
            return np.where((n_a > 0) & (n_b > 0), np.where(both > 0, np.fmax(one, other), 0.0), np.nan)
    return pearson(f, g) if name == "phi" else pearson(a, b)


def searched(name: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same for the search, which leaves out pairs that never fire together where their value is 0 by definition."""
    together = (a > 0).T.astype(int) @ (b > 0).astype(int) > 0
    return np.where(together | (MEASURES[name].low < 0), values_of(name, a, b), np.nan)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)


def directions(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Directions of all lengths; where there is room, a dead one, and twins of one and of opposite direction."""
    w = rng.normal(size=(n, d)) * 10 ** rng.uniform(-3, 3, size=(n, 1))
    if n >= 4:
        w[1] = 0.0
        w[2], w[3] = w[0], -w[0]
    return w


@dataclass(frozen=True)
class Case:
    """Two made-up SAEs as a measure takes them, and what it must say of all their pairs."""

    operands: Operands
    values: np.ndarray
    """(d_a, d_b), NaN where undefined."""
    searched: np.ndarray
    """(d_a, d_b), NaN also where the search leaves a pair out."""


def operands_of(name: str, a: Any, b: Any, *more: Any) -> Operands:
    """A measure on two arrays of activations or weights; activations become sparse."""
    measure = MEASURES[name]
    if not measure.of_activations:
        return Operands(measure, (a, b, *more), 1, np.ones(len(a), int), np.ones(len(b), int))
    x, y = sp.csr_array(a), sp.csc_array(b)
    n_a, n_b = (np.asarray((side != 0).sum(axis=0)).ravel() for side in (x, y))
    return Operands(measure, (x, y), x.shape[0], n_a, n_b)


def case(name: str, seed: int, n: int, d_a: int, d_b: int, density: float) -> Case:
    """A case for any measure of the registry, with dead, constant, duplicate and always-on features where it can."""
    measure, rng = MEASURES[name], np.random.default_rng([seed, 2])
    sides = [np.random.default_rng([seed, side]) for side in range(2)]
    if not measure.of_activations:
        a, b = (directions(side, d, n) for side, d in zip(sides, (d_a, d_b), strict=True))
        x = rng.normal(size=(3 * n + 2, n)) @ rng.normal(size=(n, n)) + 3.0
        more = {"preactivation": (np.cov(x, rowvar=False, bias=True).reshape(n, n),), "logit": (gram(x),)}.get(name, ())
        values = pearson(x @ a.T, x @ b.T) if more else cosines(a, b)
        values[~a.any(axis=1)], values[:, ~b.any(axis=1)] = np.nan, np.nan
        return Case(operands_of(name, a, b, *more), values, values)
    a, b = (activations(side, n, d, density) for side, d in zip(sides, (d_a, d_b), strict=True))
    if measure.pool:
        document = np.append(rng.integers(0, n, size=n - 2), [0, n - 1])
        a, b = (pool_documents(sp.csr_array(side), document, how=measure.pool).toarray() for side in (a, b))
    if name == "attribution":
        a, b = signed(a, rng), signed(b, rng)
    of_kind = name if name in OVER_TOKENS else "activation"
    kept = pearson(a, b) if name == "attribution" else searched(of_kind, a, b)
    return Case(operands_of(name, a, b), values_of(of_kind, a, b), kept)


def best_total(values: np.ndarray, *, unmatched: bool = True) -> float:
    """SciPy's total of the values; with `unmatched`, features may stay so rather than be worth less than 0."""
    allowed = np.maximum(values, 0) if unmatched else values
    return float(allowed[linear_sum_assignment(allowed, maximize=True)].sum())
