"""The documents of a scan with a number for each: the label that the corpus gives, or whether a pattern is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from atlas.catalog.scans import Scanned
from atlas.db import Atlas
from atlas.studies.texts import Text, pattern_of


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """The documents of a scan."""

    index: NDArray[np.int64]
    """(n_tokens,) document of each token, from 0 without gaps."""
    label: NDArray[np.float64]
    """(n_documents,) NaN for none."""
    what: str
    """The label in words."""

    @classmethod
    def read(cls, atlas: Atlas, scan: Scanned, matching: str | None) -> Self:
        """Which document every token is of, and the labels.

        Args:
            atlas: Open for reading.
            scan: Its tokens.
            matching: Label 1 where this regular expression is found, else 0; None takes the label of the corpus.

        Raises:
            UsageError: `matching` is not a valid regular expression.
            AtlasError: The atlas does not hold the text.
        """
        text = Text.read(atlas, scan.corpus, scan.n_tokens)
        numbers, index = np.unique(text.document, return_inverse=True)
        if matching is not None:
            found = text.found_in(pattern_of(matching))
            return cls(index, np.array([float(found[n]) for n in numbers.tolist()]), f"/{matching}/ is found")
        rows = atlas.rows("select document, label from documents where corpus = $corpus", corpus=scan.corpus)
        labels = {number: label for number, label in rows if label is not None}
        return cls(index, np.array([labels.get(n, np.nan) for n in numbers.tolist()], float), "that of the corpus")

    @property
    def n_labelled(self) -> int:
        return int(np.count_nonzero(~np.isnan(self.label)))

    @property
    def varies(self) -> bool:
        return self.n_labelled > 2 and bool(np.nanmin(self.label) < np.nanmax(self.label))
