"""Memory that a comparison over tokens needs, and memory that is available."""

from __future__ import annotations

import math
import os
from pathlib import Path

FIXED_BYTES = 200_000_000
"""Memory of a command without any scan: libraries, DuckDB; up to 185 MB, as measured."""

_BYTES_PER_PAIR, _MOST_BYTES = 100, 200_000_000


def search_bytes(n_nonzero: int, d_a: int, d_b: int, *, per_activation: int) -> int:
    """Approximate memory of a comparison over tokens and its chance level, with both scans in memory.

    40 to 72 bytes for each of the activations of both scans (of one, if it is compared with itself), for each thread
    100 bytes per pair of features, 200 MB at most, and 200 MB for the program.
    """
    return FIXED_BYTES + per_activation * n_nonzero + thread_bytes(d_a, d_b)


def assignment_bytes(n_nonzero: int, d_a: int, d_b: int, *, per_activation: int, width: int | None = None) -> int:
    """Approximate memory of an assignment and its chance level.

    That of a search, or 24 bytes per weight where `width` weights of each feature are compared; and 24 kB per feature
    of the larger SAE, for the pairs that the solver sees, but at most 100 bytes per pair of features.
    """
    inputs = 24 * width * (d_a + d_b) if width else search_bytes(n_nonzero, d_a, d_b, per_activation=per_activation)
    return inputs + min(24_000 * max(d_a, d_b), _BYTES_PER_PAIR * d_a * d_b)


def family_bytes(n_nonzero: int, n_tokens: int, d_sae: int, threshold: float) -> int:
    """Maximum memory of a search for families.

    48 bytes for each activation, 80 for each pair of features that may co-occur by the threshold, and the products of
    all threads.
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
    """Half of the available memory, in bytes; of the total where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text(encoding="ascii").splitlines())
        available = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return available // 2
