"""All statistics of one SAE on one piece of a corpus, as one mergeable value that can be written as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

import numpy as np

from ingest.accumulate.codes import Codes, TokenMap
from ingest.accumulate.histograms import Histogram
from ingest.accumulate.moments import Moments
from ingest.accumulate.pooling import DocumentPools
from ingest.accumulate.positions import Positions
from ingest.accumulate.tokens import TokenSums
from ingest.accumulate.tops import TopPositions
from ingest.accumulate.windows import TopContexts


@dataclass(frozen=True, slots=True)
class Partial:
    """Statistics of one SAE on whole, consecutive contexts; `a.merge(b)` equals having seen both, in either order."""

    moments: Moments
    """Counts, power sums, maxima."""
    documents: DocumentPools
    """Documents in which each feature fired, and its activation pooled over them."""
    histogram: Histogram
    """Activations by strength."""
    positions: TopPositions
    """Strongest positions."""
    contexts: TopContexts
    """Strongest contexts."""
    by_position: Positions
    """Sums by position in the context."""
    by_token: TokenSums
    """Sums by token."""

    @classmethod
    def of(cls, codes: Codes, tokens: TokenMap) -> Partial:
        """Statistics of one piece."""
        return cls(
            moments=Moments.of(codes, tokens),
            documents=DocumentPools.of(codes, tokens),
            histogram=Histogram.of(codes, tokens),
            positions=TopPositions.of(codes, tokens),
            contexts=TopContexts.of(codes, tokens),
            by_position=Positions.of(codes, tokens),
            by_token=TokenSums.of(codes, tokens),
        )

    def merge(self, other: Partial) -> Partial:
        return Partial(
            **{part.name: getattr(self, part.name).merge(getattr(other, part.name)) for part in fields(self)}
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Every number in it, under the names `part.field`."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        return {
            f"{name}.{field.name}": np.asarray(getattr(value, field.name))
            for name, value in parts.items()
            for field in fields(value)
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Partial:
        """The value that `arrays` was made from."""

        def part(name: str, kind: Any) -> Any:
            values = {field.name: arrays[f"{name}.{field.name}"] for field in fields(kind)}
            return kind(**{key: value.item() if value.ndim == 0 else value for key, value in values.items()})

        return cls(**{name: part(name, kind) for name, kind in get_type_hints(cls).items()})
