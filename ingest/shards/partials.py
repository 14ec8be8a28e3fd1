"""Statistics of one SAE in a file, by ranges of features, so that a scan is reduced without holding all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np

from atlas.errors import AtlasError
from ingest.accumulate.codes import Codes, TokenMap
from ingest.accumulate.partial import Partial
from ingest.accumulate.residuals import Residuals

FEATURES_A_RANGE = 4096
"""Features that are merged at a time."""


def ranges(d_sae: int) -> list[tuple[int, int]]:
    return [(low, min(low + FEATURES_A_RANGE, d_sae)) for low in range(0, d_sae, FEATURES_A_RANGE)]


def partials(codes: Codes, tokens: TokenMap) -> Iterator[Partial]:
    """Statistics of each range; features are counted from the first of their range."""
    return (Partial.of(codes.within(low, high), tokens) for low, high in ranges(codes.d_sae))


def write_partials(to: Any, by_range: Mapping[int, Partial], residuals: Residuals | None) -> None:
    """Write the statistics of ranges, by their number, and of the SAE's input into an open file; no pickle."""
    arrays = {f"{number}/{name}": array for number, part in by_range.items() for name, array in part.arrays().items()}
    if residuals is not None:
        arrays |= {f"residuals/{name}": array for name, array in residuals.arrays().items()}
    np.savez(to, **cast(dict[str, Any], arrays))


def read_partial(path: Path, number: int) -> Partial:
    """Statistics of one range; nothing else of the file is read."""
    return Partial.from_arrays(_read(path, f"{number}/"))


def read_residuals(path: Path) -> Residuals:
    return Residuals.from_arrays(_read(path, "residuals/"))


def _read(path: Path, prefix: str) -> dict[str, np.ndarray]:
    """Arrays whose names begin with `prefix`, without it."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise AtlasError(f"cannot read {path}", why=str(error), hint="run the same command again") from error
