"""Bootstrap intervals over documents for pairs of features that an atlas holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from atlas.activations import open_scan
from atlas.choices import DEFAULT_MEASURE
from atlas.comparisons.matched import Subset, stored_comparison
from atlas.db import Atlas
from atlas.errors import UsageError
from atlas.pairing.search.bootstrap import Intervals, bootstrap_documents
from atlas.queries.weights import token_documents


def pair_intervals(
    atlas: Atlas, sae_a: str, sae_b: str, subset: Subset, corpus: str | None
) -> Callable[[Sequence[int], Sequence[int], int, int], Intervals]:
    """Look up what two SAEs did on a corpus; what comes back reads it, without the atlas, and draws.

    Args:
        atlas: Open for reading.
        sae_a: Full name.
        sae_b: Full name.
        subset: Names the measure, which must be activation.
        corpus: Corpus of A; None takes the newest comparison.

    Returns:
        A function of features of A, their partners, the number of draws and the seed.

    Raises:
        UsageError: The pairs are by another measure, or the features were aligned on two cuts of a text.
    """
    stored = stored_comparison(atlas, sae_a, sae_b, subset, corpus)
    if subset.measure != DEFAULT_MEASURE or stored["corpus"] != stored["corpus_b"]:
        raise UsageError("intervals are of correlations by activation over the tokens of one corpus")
    scans = [open_scan(atlas, sae, stored["corpus"]) for sae in (sae_a, sae_b)]
    document = token_documents(atlas, stored["corpus"], scans[0].n_tokens)

    def intervals(features_a: Sequence[int], features_b: Sequence[int], n: int, seed: int) -> Intervals:
        x, y = (scan.csr() for scan in scans)
        return bootstrap_documents(x, y, document, features_a, features_b, n=n, seed=seed)

    return intervals
