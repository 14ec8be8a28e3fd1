"""Two scans of one text that two tokenizers cut, read as if both had one row for each span of it; see `alignment`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.activations import Scan, open_scan
from atlas.catalog.texts import ScanText, scan_text
from atlas.db import Atlas
from atlas.errors import AtlasError
from atlas.pairing.measures.pooled import largest_by_group
from atlas.pairing.tokens.alignment import Alignment, UnitTokens, align, to_units
from atlas.pairing.tokens.cuts import Cut


class SharedText:
    """What two scans were measured on, aligned when it is first asked for and not while the atlas is open."""

    def __init__(self, a: ScanText, b: ScanText) -> None:
        self._a, self._b = a, b

    @cached_property
    def alignment(self) -> Alignment:
        """The spans that both scans have.

        Raises:
            AtlasError: They have none: the texts are not the same.
        """
        cuts = [Cut.of(text.token_ids, text.document, text.vocabulary) for text in (self._a, self._b)]
        found = align(*cuts)
        if found.n_units:
            return found
        a, b, shown = self._a, self._b, found.difference or ("", "")
        parts = (f"{text.corpus} goes on with {part!r}" for text, part in zip((a, b), shown, strict=True))
        raise AtlasError(
            f"{a.sae} and {b.sae} were not measured on the same text",
            why=f"{a.corpus} and {b.corpus} differ in all {found.n_left_out:,} documents compared, white space and "
            f"letter case aside; in the first, {', '.join(parts)}",
            hint="ingest both with the same --corpus",
        )


@dataclass(frozen=True, slots=True, eq=False)
class AlignedScan:
    """One of two scans, with the largest activation in each span of the text that it shares with the other."""

    scan: Scan
    """The scan, by token."""
    text: SharedText
    """Text of both scans."""
    side: Literal["a", "b"]
    """Which of the two it is."""

    @property
    def sae(self) -> str:
        return self.scan.sae

    @property
    def corpus(self) -> str:
        return self.scan.corpus

    @property
    def n_tokens(self) -> int:
        """Spans; rows of the matrix."""
        return self.text.alignment.n_units

    @property
    def d_sae(self) -> int:
        """Features; columns of the matrix."""
        return self.scan.d_sae

    @property
    def _tokens(self) -> UnitTokens:
        return self.text.alignment.a if self.side == "a" else self.text.alignment.b

    def csr(self) -> sp.csr_array:
        """All activations: (spans, d_sae) float32."""
        return to_units(self.scan.csr(), self._tokens)

    def blocks(self) -> Iterator[sp.csr_array]:
        """The same in blocks of consecutive spans: those that end in a shard."""
        tokens, first, done = self._tokens, 0, 0
        held: Any = sp.csr_array((0, self.d_sae), dtype=np.float32)
        last = tokens.token[tokens.start[1:] - 1]
        for block in self.scan.blocks():
            held = sp.csr_array(sp.vstack([held, block]))
            end = first + held.shape[0]
            upto = int(np.searchsorted(last, end))
            if upto > done:
                here = slice(tokens.start[done], tokens.start[upto])
                start = tokens.start[done : upto + 1] - tokens.start[done]
                yield largest_by_group(held[tokens.token[here] - first], start)
                done = upto
            first_needed = min(end, int(tokens.token[tokens.start[done]]) if done < len(last) else end)
            held, first = held[first_needed - first :], first_needed

    def largest_shard(self) -> int:
        """About the activations of the largest of `blocks`."""
        return self.scan.largest_shard()

    def n_fired(self) -> NDArray[np.int64]:
        """(d_sae,) spans on which each feature fires; reads the scan."""
        counts = np.zeros(self.d_sae, np.int64)
        for block in self.blocks():
            counts += np.bincount(block.indices[block.data > 0], minlength=self.d_sae)
        return counts


def aligned_scans(atlas: Atlas, saes: tuple[str, str], corpora: tuple[str, str]) -> tuple[AlignedScan, AlignedScan]:
    """Look up two scans and the text of each.

    Args:
        atlas: Open for reading.
        saes: Full names.
        corpora: Name of the corpus of each.

    Raises:
        AtlasError: A scan kept no activations, or a text is not whole.
    """
    texts: Any = (scan_text(atlas, sae, corpus) for sae, corpus in zip(saes, corpora, strict=True))
    text = SharedText(*texts)
    a, b = (open_scan(atlas, sae, corpus) for sae, corpus in zip(saes, corpora, strict=True))
    return AlignedScan(a, text, "a"), AlignedScan(b, text, "b")
