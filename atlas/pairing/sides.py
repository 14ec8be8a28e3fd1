"""What a measure compares: activations from the store, weights from the atlas, or both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas.activations import open_scan
from atlas.db import Atlas
from atlas.errors import UsageError
from atlas.pairing.attribution import attributions
from atlas.pairing.chance import effective_dimension
from atlas.pairing.measures import Measure
from atlas.pairing.standardised import Standardised
from atlas.pairing.weights import gram
from atlas.queries.weights import next_tokens, unembedding_of, weight_rows

IN_THE_STREAM = ("_resid_pre", "_resid_mid", "_resid_post", "hook_attn_out", "hook_mlp_out")


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a comparison, ready for the function of a measure."""

    arguments: tuple[Any, ...]
    """What the function takes, before its options."""

    n_tokens: int
    """Tokens of the scans."""

    n_a: np.ndarray
    """(d_a,) int64: tokens on which each feature of a fires."""

    n_b: np.ndarray
    """(d_b,) int64: the same of b."""

    dimension: float | None
    """Dimensions in which the vectors point, for the chance level of cosines; None where tokens are compared."""


def sides_of(atlas: Atlas, measure: Measure, sae_a: str, sae_b: str, corpus: str) -> Callable[[], Sides]:
    """Look up what a measure needs; the function that comes back reads the activations, without the database.

    Raises:
        UsageError: The SAEs live in different spaces, where the measure means nothing.
        AtlasError: Something that the measure needs is missing.
    """
    names = (sae_a, sae_b)
    n_a, n_b = (np.asarray(atlas.arrays("firing_counts", sae=name, corpus=corpus)["n_fired"]) for name in names)
    n_tokens = int(atlas.fetch("scan_tokens", sae=sae_a, corpus=corpus).rows[0][0])

    def sides(arguments: tuple[Any, ...], dimension: float | None = None) -> Sides:
        return Sides(arguments, n_tokens, n_a, n_b, dimension)

    if measure.needs in ("activations", "attributions"):
        scans = [open_scan(atlas, name, corpus) for name in names]
        if measure.name == "activation":  # scaled once, for the search and for its chance level
            return lambda: sides(
                tuple(Standardised.of(scan.csr(), name=side) for side, scan in zip("ab", scans, strict=True))
            )
        if measure.needs == "activations":
            return lambda: sides((scans[0].csr(), scans[1].csr()))
        followed = next_tokens(atlas, corpus, n_tokens)
        weights = [(weight_rows(atlas, name, "w_dec"), unembedding_of(atlas, name)) for name in names]
        return lambda: sides(
            tuple(attributions(scan.csr(), *of, followed) for scan, of in zip(scans, weights, strict=True))
        )
    column = "w_enc" if measure.needs.startswith("encoders") else "w_dec"
    rows = [weight_rows(atlas, name, column) for name in names]
    if measure.needs == "decoders and grams":
        grams = _grams(atlas, sae_a, sae_b)
        return lambda: sides((*rows, *grams), effective_dimension(*grams))
    _one_space(atlas, measure, sae_a, sae_b)
    if measure.needs == "encoders and covariance":
        covariance = open_scan(atlas, sae_a, corpus).input_covariance()
        return lambda: sides((*rows, covariance), effective_dimension(covariance))
    return lambda: sides(tuple(rows), float(rows[0].shape[1]))


def _grams(atlas: Atlas, sae_a: str, sae_b: str) -> tuple[np.ndarray, ...]:
    """Products over the vocabulary: of one model, or of two that share a tokenizer and between them."""
    u, v = unembedding_of(atlas, sae_a), unembedding_of(atlas, sae_b)
    if u is v:
        return (gram(u),)
    n = min(len(u), len(v))
    return gram(u[:n]), gram(v[:n]), gram(u[:n], v[:n])


def _one_space(atlas: Atlas, measure: Measure, sae_a: str, sae_b: str) -> None:
    """Raise where the weights of two SAEs do not point into one space."""
    known = {row["sae"]: row for row in atlas.fetch("list_saes").dicts()}
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
