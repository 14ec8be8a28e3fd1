"""Bootstrap intervals over documents for pairs of features that an atlas holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from atlas.activations import open_scan
from atlas.catalog.compared import Compared
from atlas.choices import DEFAULT_MEASURE
from atlas.db import Atlas
from atlas.errors import UsageError
from atlas.pairing.search.bootstrap import Intervals, bootstrap_documents
from atlas.queries.weights import token_documents


def pair_intervals(atlas: Atlas, compared: Compared) -> Callable[[Sequence[int], Sequence[int], int, int], Intervals]:
    """Look up the scans of two SAEs compared by activation on one corpus.

    Returns:
        A function of features of A, their partners, the number of draws and the seed; it does not need the atlas.

    Raises:
        UsageError: The pairs are by another measure, or the features were aligned on two tokenizations of a text.
    """
    if compared.subset.measure != DEFAULT_MEASURE or compared.corpus != compared.corpus_b:
        raise UsageError("intervals are of correlations by activation over the tokens of one corpus")
    scans = [open_scan(atlas, *side) for side in compared.sides]
    document = token_documents(atlas, compared.corpus, scans[0].n_tokens)

    def intervals(features_a: Sequence[int], features_b: Sequence[int], n: int, seed: int) -> Intervals:
        x, y = (scan.csr() for scan in scans)
        return bootstrap_documents(x, y, document, features_a, features_b, n=n, seed=seed)

    return intervals
