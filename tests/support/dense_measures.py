"""Every measure over tokens as a dense matrix, and the largest sum of a matching, by NumPy and SciPy alone."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from tests.support.pairing_laws import pearson


def dense(measure: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """All values of a measure over tokens from its definition; 0 where it is undefined."""
    x, y = (a > 0).astype(float), (b > 0).astype(float)
    n_a, n_b, both = x.sum(axis=0)[:, None], y.sum(axis=0), x.T @ y
    with np.errstate(all="ignore"):
        if measure == "jaccard":
            values = both / (n_a + n_b - both)
        elif measure == "lift":
            values = len(a) * both / (n_a * n_b)
        elif measure == "conditional":
            values = both / n_a
        elif measure == "masked_cosine":
            one = a.T @ b / np.sqrt((a**2).sum(axis=0)[:, None] * (x.T @ b**2))
            other = a.T @ b / np.sqrt((b**2).sum(axis=0) * ((a**2).T @ y))
            values = np.fmax(one, other)
        else:
            values = pearson(x, y) if measure == "phi" else pearson(a, b)
    return np.nan_to_num(values)


def best_total(values: np.ndarray) -> float:
    """SciPy's total, with features free to stay alone."""
    above = np.maximum(values, 0)
    return float(above[linear_sum_assignment(above, maximize=True)].sum())
