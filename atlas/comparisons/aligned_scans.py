"""Two scans of two tokenizations of one text, read as if both had one row for each shared span; see `alignment`."""

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
from atlas.pairing.tokens.tokenized import TokenizedText


class SharedText:
    """The text of two scans, aligned when the alignment is first used and not while the atlas is open."""

    def __init__(self, a: ScanText, b: ScanText) -> None:
        self._a, self._b = a, b

    @cached_property
    def alignment(self) -> Alignment:
        """The spans that both scans have; AtlasError if there are none, as the texts are not the same."""
        a, b = self._a, self._b
        found = align(*(TokenizedText.of(text.token_ids, text.document, text.vocabulary) for text in (a, b)))
        if found.n_units:
            return found
        shown = found.difference or ("", "")
        parts = (f"{text.corpus} continues with {part!r}" for text, part in zip((a, b), shown, strict=True))
        raise AtlasError(
            f"{a.sae} and {b.sae} were not measured on the same text",
            why=f"{a.corpus} and {b.corpus} differ in all {found.n_left_out:,} documents compared, white space and "
            f"letter case aside; in the first, {', '.join(parts)}",
            hint="ingest both with the same --corpus",
        )


@dataclass(frozen=True, slots=True, eq=False)
class AlignedScan:
    """One of two scans, with the maximum activation in each span of the text that it shares with the other."""

    scan: Scan
    """The scan, by token."""
    text: SharedText
    """Text of both scans."""
    side: Literal["a", "b"]
    """Whether it is the scan of SAE A or of SAE B."""

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
        return self.scan.d_sae

    @property
    def _tokens(self) -> UnitTokens:
        return self.text.alignment.a if self.side == "a" else self.text.alignment.b

    def csr(self) -> sp.csr_array:
        """All activations: (spans, d_sae) float32."""
        return to_units(self.scan.csr(), self._tokens)

    def blocks(self) -> Iterator[sp.csr_array]:
        """All activations in blocks of consecutive spans: those that end in a shard."""
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
        """Approximate number of activations in the largest of `blocks`."""
        return self.scan.largest_shard()

    def n_fired(self) -> NDArray[np.int64]:
        """(d_sae,) spans on which each feature fires; reads the scan."""
        counts = np.zeros(self.d_sae, np.int64)
        for block in self.blocks():
            counts += np.bincount(block.indices[block.data > 0], minlength=self.d_sae)
        return counts


def aligned_scans(atlas: Atlas, saes: tuple[str, str], corpora: tuple[str, str]) -> tuple[AlignedScan, AlignedScan]:
    """Look up two scans and their texts, by full names of SAEs and corpora.

    Raises:
        AtlasError: A scan kept no activations, or a text is incomplete.
    """
    a, b = zip(saes, corpora, strict=True)
    text = SharedText(scan_text(atlas, *a), scan_text(atlas, *b))
    return AlignedScan(open_scan(atlas, *a), text, "a"), AlignedScan(open_scan(atlas, *b), text, "b")
