"""How many bits a token takes in the code of an SAE, at what distortion, and at which size the total is at its minimum.

Sources: `atlas.metrics.description_length` says how bits are counted; MMCS, Sharkey, Braun & Millidge 2022. On data
made of known features, total information turned back ("bounced") at the true number of features; nothing of the kind
is known of real activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from atlas.activations import Scan, open_scan
from atlas.catalog.scans import Scanned, sample_of
from atlas.db import Atlas
from atlas.errors import AtlasError, UnknownName
from atlas.metrics.description_length import (
    CodeLength,
    binary_entropy,
    code_length,
    gaussian_bits,
    total_information,
)
from atlas.queries.weights import weight_rows
from atlas.studies.asked import Asked, study
from atlas.studies.findings import Findings, Table, frame
from atlas.studies.reference import Reference, compared

if TYPE_CHECKING:
    import polars as pl

WIDTHS = (np.inf, 4, 2**1.5, 2, 2**0.5, 1, 2**-0.5, 0.5, 0.25, 0.125)
"""Widths of the bins over the root mean square of the activations that are not zero, coarsest first."""


@dataclass(frozen=True, slots=True, eq=False)
class _Coded:
    """One SAE with its codes priced."""

    scan: Scanned
    fvu: float | None
    variance: float | None
    """Total variance of the input of the SAE; None where the scan did not keep it."""
    covariance: np.ndarray | None
    codes: Any
    """(n_tokens, d_sae) SciPy CSR."""
    decoder: np.ndarray
    curve: tuple[CodeLength, ...]


@study
def measure(asked: Asked, *, added_fvu: float = 0.01, tokens: int = 200_000, reference: str | None = None) -> Findings:
    """Bits and distortion of one SAE or of a sweep of them.

    Args:
        asked: Which SAEs.
        added_fvu: Share of the variance that rounding may cost: the coarsest bins below it are chosen.
        tokens: Tokens to read of each scan, at most, from its first on.
        reference: SAE whose decoder the others are compared with; None takes the widest of the same hook.

    Raises:
        AtlasError: A scan kept no activations.
        UnknownName: The reference is none of the SAEs.
    """
    with asked.open() as atlas:
        scans = asked.scans(atlas)
        if reference and reference.upper() not in {s.alias for s in scans} and reference not in {s.sae for s in scans}:
            raise UnknownName("SAE of this study", reference, [scan.sae for scan in scans])
        read = [(scan, *_read(atlas, scan)) for scan in scans]
        features = atlas.sql("from description_lengths where corpus = $corpus", params={"corpus": scans[0].corpus}).pl()
    coded = [_coded(*parts, tokens) for parts in asked.each(read)]
    references = compared(scans, [part.decoder for part in coded], reference)
    return _findings(coded, references, features, added_fvu)


def _read(atlas: Atlas, scan: Scanned) -> tuple[Scan, float | None, np.ndarray]:
    opened = open_scan(atlas, scan.sae, scan.corpus)
    fvus = atlas.rows("select fvu from scans where sae = $sae and corpus = $corpus", **scan.key)
    return opened, fvus.rows[0][0], weight_rows(atlas, scan.sae, "w_dec").astype(np.float64)


def _coded(scan: Scanned, opened: Scan, fvu: float | None, decoder: np.ndarray, tokens: int) -> _Coded:
    """Read the activations of an SAE and price them at every width."""
    codes, covariance = first_tokens(opened, tokens), _covariance(opened)
    scale = float(np.sqrt(np.mean(np.square(codes.data.astype(np.float64))))) if codes.nnz else 1.0
    curve = tuple(code_length(codes, decoder, width * scale) for width in WIDTHS)
    variance = None if covariance is None else float(np.trace(covariance))
    return _Coded(scan, fvu, variance, covariance, codes, decoder, curve)


def first_tokens(scan: Scan, tokens: int) -> sp.csr_array:
    """Activations of the first tokens of a scan: (at most `tokens`, d_sae) float32."""
    blocks, n = [], 0
    for block in scan.blocks():
        blocks.append(block[: tokens - n])
        n += blocks[-1].shape[0]
        if n >= tokens:
            break
    return sp.csr_array(sp.vstack(blocks)) if blocks else sp.csr_array((0, scan.d_sae), dtype=np.float32)


def _covariance(scan: Scan) -> np.ndarray | None:
    """(d_in, d_in) of the input of the SAE; None where the scan did not keep it."""
    try:
        return scan.input_covariance()
    except AtlasError:
        return None


def _findings(
    coded: Sequence[_Coded], references: Sequence[Reference], features: pl.DataFrame, added_fvu: float
) -> Findings:
    """Tables and sentences from what was priced."""
    import polars as pl

    curves = [_curve(part) for part in coded]
    rows = [
        {**_summary(part, curve, added_fvu), **_information(part, coded), **beside.columns()}
        for part, curve, beside in zip(coded, curves, references, strict=True)
    ]
    summary, widths = frame(rows), frame(row for curve in curves for row in curve)
    features = features.filter(pl.col("sae").is_in([part.scan.sae for part in coded])).sort("bits", descending=True)
    tables = (
        Table("saes", "One SAE: its bits per token at the chosen width, its total information, its MMCS.", summary),
        Table("curve", "One SAE at one width of bins: bits per token, and variance unexplained.", widths),
        Table("features", "One feature, as in view description_lengths, dearest first.", features),
    )
    return Findings("description-length", sample_of([part.scan for part in coded]), _lines(summary, added_fvu), tables)


def _curve(part: _Coded) -> list[dict[str, Any]]:
    """One row a width."""
    return [
        {
            **part.scan.head,
            "n_tokens": length.n_tokens,
            "width": length.width,
            "support_bits": float(length.support.sum()),
            "magnitude_bits": float(length.magnitude.sum()),
            "bits": length.bits,
            "distortion": length.distortion,
            **_unexplained(part, length),
        }
        for length in part.curve
    ]


def _unexplained(part: _Coded, length: CodeLength) -> dict[str, float | None]:
    """Variance that rounding adds to what the SAE leaves, and the bits of a Gaussian at the sum of both."""
    if part.variance is None or part.covariance is None or not part.variance or part.fvu is None:
        return {"added_fvu": None, "fvu": None, "gaussian_bits": None}
    added = length.distortion / part.variance
    whole = part.fvu + added
    return {
        "added_fvu": added,
        "fvu": whole,
        "gaussian_bits": gaussian_bits(part.covariance, whole * part.variance) if whole > 0 else None,
    }


def _summary(part: _Coded, rows: list[dict[str, Any]], added_fvu: float) -> dict[str, Any]:
    """The coarsest bins that keep to the limit; the finest where none does or the variance is not known."""
    fitting = [row for row in rows if row["added_fvu"] is not None and row["added_fvu"] <= added_fvu]
    at, scan = (fitting or rows[-1:])[0], part.scan
    l0 = part.codes.nnz / max(part.codes.shape[0], 1)
    return {
        "sae": scan.sae,
        "alias": scan.alias,
        "model": scan.model,
        "hook_name": scan.hook_name,
        "architecture": scan.architecture,
        "corpus": scan.corpus,
        "n_tokens": part.codes.shape[0],
        "d_sae": scan.d_sae,
        "l0": l0,
        "sae_fvu": part.fvu,
        **{name: at[name] for name in ("width", "added_fvu", "fvu", "support_bits", "magnitude_bits", "bits")},
        "uniform_support_bits": scan.d_sae * float(binary_entropy(l0 / scan.d_sae)),
        "gaussian_bits": at["gaussian_bits"],
    }


def _information(part: _Coded, coded: Sequence[_Coded]) -> dict[str, Any]:
    """Total information of codes and dictionary, both by bins that all SAEs of this hook share."""
    here = [other for other in coded if other.scan.space == part.scan.space]
    highest = max(float(other.codes.data.max(initial=0)) for other in here) or 1.0
    longest = max(float(np.abs(other.decoder).max()) for other in here) or 1.0
    n_tokens, d_sae = part.codes.shape
    codes = total_information(part.codes.data, n_tokens * d_sae - part.codes.nnz, low=0, high=highest)
    dictionary = total_information(part.decoder, 0, low=-longest, high=longest)
    return {
        "codes_information": codes,
        "dictionary_information": dictionary,
        "total_bits_per_token": (codes + dictionary) / max(n_tokens, 1),
    }


def _lines(summary: pl.DataFrame, added_fvu: float) -> tuple[str, ...]:
    """What stands out: the price of each SAE, and at which size of one kind the total is at its minimum."""
    lines = []
    for row in summary.iter_rows(named=True):
        name, bits = f"{row['alias']} {row['sae']}", f"{row['bits']:.1f} bits a token"
        parts = f"{row['support_bits']:.1f} say which features fire, {row['magnitude_bits']:.1f} how strongly"
        even = f"features that fire equally often would take {row['uniform_support_bits']:.1f} for the first"
        if row["fvu"] is None:
            kept = "variance not known, so bins are the finest"
        elif row["added_fvu"] > added_fvu:
            kept = f"FVU {row['fvu']:.3f}, the finest bins add {row['added_fvu']:.3f}, more than {added_fvu:g}"
        else:
            kept = f"FVU {row['fvu']:.3f}; a Gaussian of the same covariance: {row['gaussian_bits']:.1f}"
        lines.append(f"{name}: {bits} ({kept}); {parts}; {even}.")
    return (*lines, *_least(summary))


def _least(summary: pl.DataFrame) -> list[str]:
    """The size of minimum total information in every sweep of three sizes or more."""
    lines = []
    for (model, hook, kind), rows in summary.group_by(["model", "hook_name", "architecture"], maintain_order=True):
        sizes = rows["d_sae"].n_unique()
        if sizes < 3:
            continue
        least = rows.sort("total_bits_per_token").row(0, named=True)
        inner = least["d_sae"] not in (rows["d_sae"].min(), rows["d_sae"].max())
        where = "inside the sweep" if inner else "at its edge, which shows no size"
        at = f"total information is at its minimum at {least['d_sae']:,} features, {where}"
        lines.append(f"{kind} at {model} {hook}, {sizes} sizes: {at}.")
    return lines
