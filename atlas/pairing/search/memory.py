"""How much memory a comparison over tokens takes, and how much there is."""

from __future__ import annotations

import math
import os
from pathlib import Path

FIXED_BYTES = 200_000_000
"""What a command takes whatever the scans: libraries, DuckDB's reading and writing; up to 185 MB, as measured."""

_BYTES_PER_PAIR, _MOST_BYTES = 100, 200_000_000


def search_bytes(n_nonzero: int, d_a: int, d_b: int, *, per_activation: int) -> int:
    """About the memory that a comparison over tokens and its chance level take with both scans in memory.

    40 to 72 bytes for each activation, for each thread 100 bytes for each pair of features, 200 MB at most, and 200 MB
    whatever is compared.

    Args:
        n_nonzero: Activations of both scans; of one, if a scan is compared with itself.
        d_a: Features of a.
        d_b: Features of b.
        per_activation: `bytes_per_activation` of the measure.
    """
    return FIXED_BYTES + per_activation * n_nonzero + thread_bytes(d_a, d_b)


def assignment_bytes(n_nonzero: int, d_a: int, d_b: int, *, per_activation: int, width: int | None = None) -> int:
    """About the memory that an assignment and its chance level take.

    As a search, or where weights are compared 24 bytes for each of them; and 24 kB for each feature of the larger side,
    for the pairs that the solver looks at, but no more than 100 bytes for each pair there is.

    Args:
        n_nonzero: Activations of both scans.
        d_a: Features of a.
        d_b: Features of b.
        per_activation: `bytes_per_activation` of the measure.
        width: Weights of a feature; None where activations are compared.
    """
    inputs = (
        search_bytes(n_nonzero, d_a, d_b, per_activation=per_activation) if width is None else 24 * width * (d_a + d_b)
    )
    return inputs + min(24_000 * max(d_a, d_b), _BYTES_PER_PAIR * d_a * d_b)


def family_bytes(n_nonzero: int, n_tokens: int, d_sae: int, threshold: float) -> int:
    """The memory that a search for families takes at most.

    48 bytes for each activation, 80 for each pair of features that may co-occur by the threshold, and what the products
    of all threads take.

    Args:
        n_nonzero: Activations of the scan.
        n_tokens: Its tokens.
        d_sae: Its features.
        threshold: Minimum co-occurrence of a pair.
    """
    n_pairs = min(n_nonzero / max(n_tokens, 1) / threshold * d_sae, d_sae * (d_sae - 1) / 2)
    return 48 * n_nonzero + int(80 * n_pairs) + thread_bytes(d_sae, d_sae)


def thread_bytes(d_a: int, d_b: int) -> int:
    return min(8, os.cpu_count() or 1) * min(_MOST_BYTES, _BYTES_PER_PAIR * d_a * d_b)


def fewest_sums(d_a: int, d_b: int) -> int:
    """Minimum bytes of sums that a search in blocks should hold: those of 256 features of a with all of b."""
    return 8 * d_b * min(d_a, 256)


def size(n_bytes: int) -> str:
    """A size as `--memory` takes it, rounded up."""
    for unit, one in (("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= one:
            return f"{math.ceil(n_bytes / one * 10) / 10:g}{unit}"
    return f"{math.ceil(n_bytes / 1e5) / 10:g}MB"


def half_of_available(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Half of the memory that programs can still take, in bytes; of all there is where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines())
        available = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return available // 2
