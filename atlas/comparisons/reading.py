"""What a measure compares: activations from the store, weights from the atlas, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from atlas.activations import Scan, open_scan
from atlas.comparisons.aligned_scans import AlignedScan, aligned_scans
from atlas.db import Atlas
from atlas.errors import AtlasError, UsageError
from atlas.pairing.measures.attribution import attributions
from atlas.pairing.measures.pooled import pool_documents
from atlas.pairing.measures.registry import MEASURES, Measure
from atlas.pairing.measures.weights import gram
from atlas.pairing.search.blocks import Firing
from atlas.pairing.search.memory import least_sums, search_bytes, size
from atlas.pairing.search.sides import Sides
from atlas.pairing.search.standardised import Standardised
from atlas.queries.weights import next_tokens, token_documents, unembedding_of, weight_rows

IN_THE_STREAM = ("_resid_pre", "_resid_mid", "_resid_post", "hook_attn_out", "hook_mlp_out")
IN_BLOCKS = ("activation", "phi")
"""Measures that can be computed without holding the scans in memory."""

_Read = Callable[[], Sides]
_Scans = Sequence[Scan] | Sequence[AlignedScan]


def sides_of(
    atlas: Atlas,
    measure: Measure,
    sae_a: str,
    sae_b: str,
    corpus: str,
    corpus_b: str | None = None,
    *,
    memory: int | None = None,
) -> Callable[[], Sides]:
    """Look up what a measure needs; the function that comes back reads the activations, without the database.

    Args:
        atlas: Open for reading.
        measure: What is compared.
        sae_a: Full name of one SAE.
        sae_b: Full name of the other; the same name compares an SAE with itself.
        corpus: Corpus on which both were measured, or A alone.
        corpus_b: Corpus on which B was measured, if another cut of the same text.
        memory: Bytes that the search may take; scans that do not fit are read in blocks where the measure can be
            computed so. None holds them in memory.

    Raises:
        UsageError: The SAEs live in different spaces, or have different tokens, where the measure means nothing.
        AtlasError: Something that the measure needs is missing, or the memory does not suffice.
    """
    names = (sae_a, sae_b)
    if corpus_b not in (None, corpus):
        return _of_spans(atlas, measure, names, (corpus, corpus_b), memory)
    n_a, n_b = (np.asarray(atlas.arrays("catalog/firing_counts", sae=name, corpus=corpus)["n_fired"]) for name in names)
    n_tokens = int(atlas.fetch("catalog/scan_sizes", sae=sae_a, corpus=corpus).rows[0][0])
    build = partial(Sides, n_tokens=n_tokens, n_a=n_a, n_b=n_b, same=sae_a == sae_b)
    if measure.chance == "random vectors":
        return _of_weights(atlas, measure, names, corpus, build)
    scans = [open_scan(atlas, name, corpus) for name in dict.fromkeys(names)]
    if memory is not None and (in_blocks := _in_blocks(atlas, measure, scans, memory, build)):
        return in_blocks
    return _of_activations(atlas, measure, scans, build)


def _of_spans(
    atlas: Atlas, measure: Measure, names: tuple[str, str], corpora: tuple[str, str], memory: int | None
) -> _Read:
    """Measures on activations, over the spans of a text that two tokenizers cut."""
    if measure.needs not in ("activations", "documents"):
        possible = [name for name, known in MEASURES.items() if known.needs in ("activations", "documents")]
        raise UsageError(
            f"{measure.name} needs the same tokens on both sides, and {' and '.join(names)} have different ones",
            why=f"{corpora[0]} and {corpora[1]} can be aligned as texts, for {', '.join(possible)}",
            hint=f"--measure {possible[0]}",
        )
    scans = aligned_scans(atlas, names, corpora)
    build = partial(_counted_on_spans, scans)
    if memory is not None and (in_blocks := _in_blocks(atlas, measure, scans, memory, build)):
        return in_blocks
    return _of_activations(atlas, measure, scans, build)


def _counted_on_spans(scans: tuple[AlignedScan, AlignedScan], arguments: tuple[Any, ...], **more: Any) -> Sides:
    """Both sides with their counts, which are of spans unless they are given."""
    known = {"n_tokens": scans[0].n_tokens, "unit": "spans", "shared": scans[0].text.alignment.sample, **more}
    if "n_a" not in more:
        known["n_a"], known["n_b"] = (
            side.n_fired if isinstance(side, Standardised) else scan.n_fired()
            for side, scan in zip(arguments, scans, strict=True)
        )
    return Sides(arguments, **known)


def _both(sides: Sequence[Any]) -> tuple[Any, Any]:
    """The two sides, which are one object for one SAE."""
    return sides[0], sides[-1]


def _of_activations(atlas: Atlas, measure: Measure, scans: _Scans, build: Callable[..., Sides]) -> _Read:
    """Measures over tokens, with the scans in memory; what is scaled is scaled once, for the search and its chance."""
    if measure.name == "activation":
        return lambda: build(_both([Standardised.of(scan.csr(), name=scan.sae) for scan in scans]))
    if measure.needs == "activations":
        return lambda: build(_both([scan.csr() for scan in scans]))
    if measure.needs == "documents":
        if isinstance(first := scans[0], AlignedScan):
            return lambda: _of_documents(measure, scans, first.text.alignment.document, build)
        documents = token_documents(atlas, first.corpus, first.n_tokens)
        return lambda: _of_documents(measure, scans, documents, build)
    followed = next_tokens(atlas, scans[0].corpus, scans[0].n_tokens)
    weights = [(weight_rows(atlas, scan.sae, "w_dec"), unembedding_of(atlas, scan.sae)) for scan in scans]
    return lambda: _of_attributions(scans, weights, followed, build)


def _of_attributions(
    scans: _Scans, weights: list[tuple[np.ndarray, np.ndarray]], followed: np.ndarray, build: Callable[..., Sides]
) -> Sides:
    """What each activation does to the logit of the next token; counts are of tokens that have one."""
    x, y = _both([attributions(scan.csr(), *of, followed) for scan, of in zip(scans, weights, strict=True)])
    n_a, n_b = (np.bincount(side.indices, minlength=side.shape[1]) for side in (x, y))
    return build((x, y), n_a=n_a, n_b=n_b)


def _of_documents(measure: Measure, scans: _Scans, documents: np.ndarray, build: Callable[..., Sides]) -> Sides:
    """Activations pooled over the documents that have a measured token; counts are of documents."""
    known, document = np.unique(documents, return_inverse=True)
    pooled = [pool_documents(scan.csr(), document, how=measure.pool or "max") for scan in scans]
    x, y = _both([Standardised.of(side, name=scan.sae) for side, scan in zip(pooled, scans, strict=True)])
    return build((x, y), n_tokens=len(known), n_a=x.n_fired, n_b=y.n_fired, unit="documents")


def _in_blocks(atlas: Atlas, measure: Measure, scans: _Scans, memory: int, build: Callable[..., Sides]) -> _Read | None:
    """Block by block, if the scans do not fit into memory; None if they do."""
    n_nonzero = sum(int(atlas.fetch("catalog/scan_sizes", sae=s.sae, corpus=s.corpus).rows[0][1]) for s in scans)
    d_a, d_b = _both([scan.d_sae for scan in scans])
    needed = search_bytes(n_nonzero, d_a, d_b, measure=measure.name)
    if needed <= memory:
        return None
    if measure.name not in IN_BLOCKS:
        raise AtlasError(
            f"{measure.name} needs about {size(needed)} of memory and may take {size(memory)}",
            why=f"it holds all {n_nonzero:,} activations; only {' and '.join(IN_BLOCKS)} are computed block by block",
            hint=f"--memory {size(needed)}",
        )
    at_once = search_bytes(sum(scan.largest_shard() for scan in scans), d_a, d_b, measure=measure.name)
    if memory < at_once + least_sums(d_a, d_b):
        raise AtlasError(
            f"{size(memory)} of memory is too little to compare {scans[0].sae} and {scans[-1].sae}",
            why="a shard of each, the products of a few features and their sums must fit",
            hint=f"--memory {size(at_once + least_sums(d_a, d_b))}",
        )
    sources: Any = scans if measure.name == "activation" else [Firing(scan) for scan in scans]
    return lambda: build(_both(sources), sums=memory - at_once)


def _of_weights(
    atlas: Atlas, measure: Measure, names: tuple[str, str], corpus: str, build: Callable[..., Sides]
) -> _Read:
    """Measures of weights, which read no token."""
    column = "w_enc" if measure.needs.startswith("encoders") else "w_dec"
    rows = _both([weight_rows(atlas, name, column) for name in dict.fromkeys(names)])
    if measure.needs == "decoders and grams":
        one_model = len({atlas.fetch("catalog/model_of", sae=name).rows[0][0] for name in names}) == 1
        unembeddings = [unembedding_of(atlas, name) for name in (names[:1] if one_model else names)]
        return lambda: _with_grams(rows, unembeddings, build)
    _one_space(atlas, measure, *names)
    if measure.needs == "encoders and covariance":
        covariance = open_scan(atlas, names[0], corpus).input_covariance()
        return lambda: build((*rows, covariance), dimension=rows[0].shape[1])
    return lambda: build(rows, dimension=rows[0].shape[1])


def _with_grams(rows: tuple[Any, Any], unembeddings: list[np.ndarray], build: Callable[..., Sides]) -> Sides:
    """Products over the vocabulary: of one model, or of two that share a tokenizer and between them."""
    u, v = _both(unembeddings)
    n = min(len(u), len(v))
    grams = (gram(u),) if u is v else (gram(u[:n]), gram(v[:n]), gram(u[:n], v[:n]))
    return build((*rows, *grams), dimension=rows[0].shape[1])


def _one_space(atlas: Atlas, measure: Measure, sae_a: str, sae_b: str) -> None:
    """Raise where the weights of two SAEs do not point into one space."""
    known = {row["sae"]: row for row in atlas.fetch("catalog/list_saes").dicts()}
    a, b = known[sae_a], known[sae_b]
    in_stream = all(row["hook_name"].endswith(IN_THE_STREAM) for row in (a, b))
    one_place = a["hook_name"] == b["hook_name"] or (in_stream and measure.name == "decoder")
    if a["model"] == b["model"] and one_place:
        return
    raise UsageError(
        f"{measure.name} compares directions, and those of {sae_a} and {sae_b} live in different spaces",
        why=f"{sae_a} reads {a['hook_name']} of {a['model']}, {sae_b} {b['hook_name']} of {b['model']}",
        hint="--measure activation compares them by what they do on the same tokens",
    )
