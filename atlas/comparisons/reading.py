"""The data of a measure: activations from the store, weights from the atlas, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from atlas.activations import Scan, open_scan
from atlas.choices import DEFAULT_MEASURE
from atlas.comparisons.aligned_scans import AlignedScan, aligned_scans
from atlas.comparisons.stored import TwoScans, fired, sizes
from atlas.db import Atlas
from atlas.errors import AtlasError, UsageError
from atlas.pairing.measures.attribution import attributions
from atlas.pairing.measures.measure import Measure
from atlas.pairing.measures.operands import Operands
from atlas.pairing.measures.pooled import pool_documents
from atlas.pairing.measures.registry import MEASURES
from atlas.pairing.measures.weights import gram
from atlas.pairing.search.memory import fewest_sums, search_bytes, size
from atlas.pairing.search.standardised import Standardised
from atlas.queries.weights import next_tokens, token_documents, unembedding_of, weight_rows

IN_THE_STREAM = ("_resid_pre", "_resid_mid", "_resid_post", "hook_attn_out", "hook_mlp_out")

_Read = Callable[[], Operands]
_Scans = Sequence[Scan] | Sequence[AlignedScan]


def operands_of(atlas: Atlas, measure: Measure, two: TwoScans, *, memory: int | None = None) -> _Read:
    """Look up the data of a measure; the returned function reads the activations, without the database.

    Args:
        atlas: Open for reading.
        measure: The measure.
        two: Both SAEs on their corpora; one SAE on one corpus twice compares it with itself.
        memory: Bytes that the search may take; scans that do not fit are read in blocks if the measure allows. None
            holds them in memory.

    Raises:
        UsageError: The SAEs have different spaces or different tokens, and the measure is not defined there.
        AtlasError: Data that the measure needs are missing, or there is too little memory.
    """
    scans: _Scans
    if two.aligned:
        _refuse_aligned(measure, two)
        scans = aligned_scans(atlas, two.saes, two.corpora)
        build = partial(_counted_on_spans, measure, scans)
    else:
        n_tokens = int(atlas.fetch("catalog/scan_sizes", sae=two.sae_a, corpus=two.corpus).rows[0][0])
        n_a, n_b = fired(atlas, two)
        build = partial(Operands, measure, n_tokens=n_tokens, n_a=n_a, n_b=n_b, same=two.sae_a == two.sae_b)
        if not measure.of_activations:
            return _of_weights(atlas, measure, two, build)
        scans = [open_scan(atlas, name, two.corpus) for name in dict.fromkeys(two.saes)]
    if memory is not None and (in_blocks := _in_blocks(atlas, measure, scans, memory, build)):
        return in_blocks
    return _of_activations(atlas, measure, scans, build)


def _refuse_aligned(measure: Measure, two: TwoScans) -> None:
    if measure.same_tokens:
        possible = [name for name, known in MEASURES.items() if not known.same_tokens]
        raise UsageError(
            f"{measure.name} needs the same tokens for both SAEs, and {' and '.join(two.saes)} have different ones",
            why=f"{two.corpus} and {two.corpus_b} can be aligned as texts, for {', '.join(possible)}",
            hint=f"--measure {DEFAULT_MEASURE}",
        )


def _counted_on_spans(
    measure: Measure, scans: Sequence[AlignedScan], arguments: tuple[Any, ...], **more: Any
) -> Operands:
    """Operands whose counts are of spans unless they are given."""
    known = {"n_tokens": scans[0].n_tokens, "unit": "spans", "shared": scans[0].text.alignment.sample, **more}
    if "n_a" not in more:
        known["n_a"], known["n_b"] = (
            side.n_fired if isinstance(side, Standardised) else scan.n_fired()
            for side, scan in zip(arguments, scans, strict=True)
        )
    return Operands(measure, arguments, **known)


def _both(sides: Sequence[Any]) -> tuple[Any, Any]:
    return sides[0], sides[-1]


def _of_activations(atlas: Atlas, measure: Measure, scans: _Scans, build: Callable[..., Operands]) -> _Read:
    """Measures over tokens, with the scans in memory; scaled once, for the search and its chance level."""
    first = scans[0]
    if measure.needs == "activations":
        return lambda: build(_both([measure.prepare(scan.csr(), name=scan.sae) for scan in scans]))
    if measure.needs == "documents":
        if isinstance(first, AlignedScan):
            return lambda: _of_documents(measure, scans, first.text.alignment.document, build)
        documents = token_documents(atlas, first.corpus, first.n_tokens)
        return lambda: _of_documents(measure, scans, documents, build)
    followed = next_tokens(atlas, first.corpus, first.n_tokens)
    weights = [(weight_rows(atlas, scan.sae, "w_dec"), unembedding_of(atlas, scan.sae)) for scan in scans]
    return lambda: _of_attributions(scans, weights, followed, build)


def _of_attributions(
    scans: _Scans, weights: list[tuple[np.ndarray, np.ndarray]], followed: np.ndarray, build: Callable[..., Operands]
) -> Operands:
    """Attributions to the logit of the next token; counts are of tokens that have one."""
    x, y = _both([attributions(scan.csr(), *of, followed) for scan, of in zip(scans, weights, strict=True)])
    n_a, n_b = (np.bincount(side.indices, minlength=side.shape[1]) for side in (x, y))
    return build((x, y), n_a=n_a, n_b=n_b)


def _of_documents(measure: Measure, scans: _Scans, documents: np.ndarray, build: Callable[..., Operands]) -> Operands:
    """Activations pooled over the documents that have a measured token; counts are of documents."""
    known, document = np.unique(documents, return_inverse=True)
    pooled = [pool_documents(scan.csr(), document, how=measure.pool or "max") for scan in scans]
    x, y = _both([measure.prepare(side, name=scan.sae) for side, scan in zip(pooled, scans, strict=True)])
    return build((x, y), n_tokens=len(known), n_a=x.n_fired, n_b=y.n_fired, unit=measure.unit())


def _in_blocks(
    atlas: Atlas, measure: Measure, scans: _Scans, memory: int, build: Callable[..., Operands]
) -> _Read | None:
    """Block by block, if the scans do not fit into memory; None if they do."""
    n_nonzero = sum(int(atlas.fetch("catalog/scan_sizes", sae=s.sae, corpus=s.corpus).rows[0][1]) for s in scans)
    d_a, d_b = _both([scan.d_sae for scan in scans])
    bytes_of = partial(search_bytes, d_a=d_a, d_b=d_b, per_activation=measure.bytes_per_activation)
    needed = bytes_of(n_nonzero)
    if needed <= memory:
        return None
    if measure.in_blocks is None:
        possible = [name for name, known in MEASURES.items() if known.in_blocks]
        raise AtlasError(
            f"{measure.name} needs about {size(needed)} of memory and may take {size(memory)}",
            why=f"it holds all {n_nonzero:,} activations; only {' and '.join(possible)} are computed block by block",
            hint=f"--memory {size(needed)}",
        )
    at_once = bytes_of(sum(scan.largest_shard() for scan in scans))
    if memory < at_once + fewest_sums(d_a, d_b):
        raise AtlasError(
            f"{size(memory)} of memory is too little to compare {scans[0].sae} and {scans[-1].sae}",
            why="a shard of each, the products of some features and their sums must fit",
            hint=f"--memory {size(at_once + fewest_sums(d_a, d_b))}",
        )
    blocks = _both([measure.in_blocks(scan) for scan in scans])
    return lambda: build(blocks, sums=memory - at_once)


def _of_weights(atlas: Atlas, measure: Measure, two: TwoScans, build: Callable[..., Operands]) -> _Read:
    column = "w_enc" if measure.needs.startswith("encoders") else "w_dec"
    rows = _both([weight_rows(atlas, name, column) for name in dict.fromkeys(two.saes)])
    if measure.needs == "decoders and grams":
        one_model = len({atlas.fetch("catalog/model_of", sae=name).rows[0][0] for name in two.saes}) == 1
        unembeddings = [unembedding_of(atlas, name) for name in (two.saes[:1] if one_model else two.saes)]
        return lambda: build((*rows, *_grams(unembeddings)))
    _refuse_other_space(atlas, measure, two)
    if measure.needs == "encoders and covariance":
        covariance = open_scan(atlas, two.sae_a, two.corpus).input_covariance()
        return lambda: build((*rows, covariance))
    return lambda: build(rows)


def _grams(unembeddings: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Products over the vocabulary: of one model, or of two that share a tokenizer and between them."""
    u, v = _both(unembeddings)
    n = min(len(u), len(v))
    return (gram(u),) if u is v else (gram(u[:n]), gram(v[:n]), gram(u[:n], v[:n]))


def _refuse_other_space(atlas: Atlas, measure: Measure, two: TwoScans) -> None:
    a, b = sizes(atlas, two)
    in_stream = all(row["hook_name"].endswith(IN_THE_STREAM) for row in (a, b))
    one_place = a["hook_name"] == b["hook_name"] or (in_stream and measure.space == "stream")
    if measure.space is None or (a["model"] == b["model"] and one_place):
        return
    raise UsageError(
        f"{measure.name} compares directions, and those of {two.sae_a} and {two.sae_b} are in different spaces",
        why=f"{two.sae_a} reads {a['hook_name']} of {a['model']}, {two.sae_b} {b['hook_name']} of {b['model']}",
        hint=f"--measure {DEFAULT_MEASURE} compares their activations on the same tokens",
    )
