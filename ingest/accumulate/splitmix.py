"""Numbers that look random and are a function of a seed and a value: the finish of SplitMix64.

Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", sec. 5. Good enough to draw
samples; not a cipher.
"""

from __future__ import annotations

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_BITS_64 = (1 << 64) - 1


def mixed(values: np.ndarray, seed: int, purpose: int) -> np.ndarray:
    """uint64 for each value; every seed and purpose makes another function, which never gives a number twice.

    Args:
        values: Distinct whole numbers >= 0.
        seed: Any whole number.
        purpose: What the numbers are for, so that two draws by one seed do not hang together.
    """
    salt = int(_finish(_finish(np.array([seed & _BITS_64], np.uint64)) + np.uint64(purpose))[0])
    return _finish(values.astype(np.uint64) ^ np.uint64(salt))


def _finish(x: np.ndarray) -> np.ndarray:
    """One step of SplitMix64 from each state."""
    x = x + np.uint64(_GOLDEN)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
