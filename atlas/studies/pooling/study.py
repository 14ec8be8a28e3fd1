"""Does the correlation of a feature with a property of the document grow with the tokens that are pooled, and why?

The maximum of more activations is larger even of noise, so max pooling follows the length of a document; where length
correlates with the label, that is enough for the correlation to grow. Beside it are mean pooling, which does not,
and max pooling with the length held fixed. See `atlas.studies.pooling.pooled` for the sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from atlas.activations import Scan, open_scan
from atlas.catalog.scans import Scanned, sample_of
from atlas.errors import AtlasError
from atlas.studies.asked import Asked, study
from atlas.studies.findings import Findings, finite, shown, tables_of
from atlas.studies.pooling.labelled import Documents
from atlas.studies.pooling.pooled import TRUNCATIONS, Correlations, Pooled, drawn_documents

BAND = (0.025, 0.975)
"""Quantiles over the draws of the bootstrap."""

SHUFFLES = 99
"""Times that the labels are shuffled."""

MOST = 3
"""Features of an SAE that are shown if none are named."""

Band = tuple[Correlations, Correlations]
"""Correlations of some features as they are, and over the draws of the bootstrap."""


@study
def measure(
    asked: Asked,
    *,
    matching: str | None = None,
    max_tokens: Sequence[int] = (),
    feature: Sequence[int] = (),
    draws: int = 200,
    seed: int = 0,
) -> Findings:
    """Correlations of pooled activations with a label, by truncation.

    Args:
        asked: Which SAEs.
        matching: Label a document 1 if this regular expression is found in it, else 0; None takes the label that the
            corpus gives.
        max_tokens: Truncations besides the whole document; none takes powers of two up to the longest.
        feature: Features to draw with a band; none takes those that correlate most over whole documents.
        draws: Of the bootstrap over documents, at least 2.
        seed: Of the draws (PCG64).

    Raises:
        AtlasError: A scan kept no activations.
        UsageError: `matching` is not a valid regular expression.
    """
    parts: list[dict[str, list[dict[str, Any]]]] = []
    texts: dict[int, Documents] = {}
    with asked.open() as atlas:
        scans = asked.scans(atlas)
        opened = [open_scan(atlas, scan.sae, scan.corpus) for scan in scans]
        for scan in scans:
            if scan.n_tokens not in texts:
                texts[scan.n_tokens] = Documents.read(atlas, scan, matching)
    for scan, store in asked.each(list(zip(scans, opened, strict=True))):
        documents = texts[scan.n_tokens]
        longest = int(np.bincount(documents.index).max())
        upto = [t for t in sorted(set(max_tokens or TRUNCATIONS)) if t < longest]
        parts.append(_of_scan(store, scan, documents, [*upto, None], feature, draws, seed))
    return _findings(scans, parts, next(iter(texts.values())))


def _of_scan(
    store: Scan,
    scan: Scanned,
    documents: Documents,
    truncations: Sequence[int | None],
    wanted: Sequence[int],
    draws: int,
    seed: int,
) -> dict[str, list[dict[str, Any]]]:
    """Rows of all tables about one SAE."""
    codes = store.csr()
    if any(not 0 <= f < scan.d_sae for f in wanted):
        raise AtlasError(f"{scan.sae} has features 0 to {scan.d_sae - 1}", why=f"asked for {list(wanted)}")
    of = scan.head
    shown = np.array(wanted or _top(codes, documents), np.int64)
    weights = drawn_documents(len(documents.label), draws=draws, seed=seed)
    rows, bands = [], []
    for how in ("max", "mean"):
        for truncation in truncations:
            pool = Pooled.of(codes, documents.index, truncation, how)  # one at a time: they may be large
            rows.append(of | _row(pool, documents, seed))
            if documents.varies:
                bands.append((how, truncation, _banded(pool, documents, shown, weights)))
    features = [of | row for how, truncation, band in bands for row in _feature_rows(how, truncation, shown, band)]
    growth = [of | row for row in _growth(bands, shown)] if len(truncations) > 1 else []
    return {"truncations": rows, "features": features, "growth": growth}


def _top(codes: sp.csr_array, documents: Documents) -> list[int]:
    """Features with the largest |r| of max pooling over whole documents."""
    if not documents.varies:
        return []
    r = Pooled.of(codes, documents.index, None, "max").with_label(documents.label).plain[0]
    order = np.argsort(-np.abs(np.nan_to_num(r)), kind="stable")[:MOST]
    return order[np.isfinite(r[order])].tolist()


def _row(pool: Pooled, documents: Documents, seed: int) -> dict[str, Any]:
    """All features of one SAE together, pooled one way up to one truncation."""
    y, n = documents.label, documents.n_labelled
    row: dict[str, Any] = {
        "pooling": pool.how,
        "truncation": pool.truncation,
        "n_documents": len(y),
        "n_labelled": n,
        "mean_length": float(pool.length.mean()),
        "rms_r_length": _rms(pool.with_length()),
        "length_r_label": None,
    }
    names = ("rms_r", "rms_r_given_length", "best_r", "best_r_given_length")
    keys = [key for name in names for key in (name, f"{name}_chance")]
    row |= dict.fromkeys([*keys, "best_feature"])
    if not documents.varies:
        return row
    known = ~np.isnan(y)
    if np.ptp(pool.length[known]):
        row["length_r_label"] = float(np.corrcoef(pool.length[known], y[known])[0, 1])
    there, chance = pool.with_label(y), pool.shuffled(y, draws=SHUFFLES, seed=seed)
    for kind, dealt, suffix in (
        (there.plain[0], chance.plain, ""),
        (there.given_length[0], chance.given_length, "_given_length"),
    ):
        live = np.isfinite(dealt).all(axis=0)
        if not live.any():
            continue
        row[f"rms_r{suffix}"], row[f"rms_r{suffix}_chance"] = _rms(kind), _rms(dealt[:, live])
        row[f"best_r{suffix}"] = float(np.nanmax(np.abs(kind)))
        row[f"best_r{suffix}_chance"] = float(np.abs(dealt[:, live]).max(axis=1).mean())
    row["best_feature"] = int(np.nanargmax(np.abs(there.plain[0]))) if row["rms_r"] is not None else None
    return row


def _banded(pool: Pooled, documents: Documents, shown: NDArray, weights: NDArray) -> Band:
    """Correlations of some features: as they are, and over the draws of the bootstrap."""
    return (
        pool.with_label(documents.label, features=shown),
        pool.with_label(documents.label, weights=weights, features=shown),
    )


def _feature_rows(how: str, truncation: int | None, shown: NDArray, band: Band) -> Iterator[dict[str, Any]]:
    """One row a feature."""
    there, drawn = band
    for i, feature in enumerate(shown.tolist()):
        row: dict[str, Any] = {"feature_id": feature, "pooling": how, "truncation": truncation}
        for name, r, of_draws in (
            ("r", there.plain, drawn.plain),
            ("r_given_length", there.given_length, drawn.given_length),
        ):
            low, high = _interval(of_draws[:, i])
            row |= {name: finite(r[0, i]), f"{name}_low": low, f"{name}_high": high}
        yield row


def _growth(bands: Sequence[tuple[str, int | None, Band]], shown: NDArray) -> Iterator[dict[str, Any]]:
    """How much larger |r| is over whole documents than over their first tokens, in the same draws of documents."""
    for how in ("max", "mean"):
        of_how = [(truncation, band) for pooling, truncation, band in bands if pooling == how]
        if not of_how:
            continue
        (first, begin), (_, end) = of_how[0], of_how[-1]
        for given in (False, True):
            (r_0, drawn_0), (r_1, drawn_1) = [
                [c.given_length if given else c.plain for c in band] for band in (begin, end)
            ]
            for i, feature in enumerate(shown.tolist()):
                low, high = _interval(np.abs(drawn_1[:, i]) - np.abs(drawn_0[:, i]))
                yield {
                    "feature_id": feature,
                    "pooling": how,
                    "given_length": given,
                    "from_tokens": first,
                    "r_from": finite(r_0[0, i]),
                    "r_whole": finite(r_1[0, i]),
                    "growth": finite(abs(r_1[0, i]) - abs(r_0[0, i])),
                    "low": low,
                    "high": high,
                }


def _interval(drawn: NDArray) -> tuple[float | None, float | None]:
    """The band over the draws; none where r is undefined in one of them."""
    if not len(drawn) or not np.isfinite(drawn).all():
        return None, None
    low, high = np.quantile(drawn, BAND)
    return float(low), float(high)


def _rms(r: NDArray) -> float | None:
    known = r[np.isfinite(r)]
    return float(np.sqrt(np.mean(known**2))) if known.size else None


def _findings(scans: Sequence[Scanned], parts: Sequence[dict[str, list]], documents: Documents) -> Findings:
    """Tables and sentences from what was computed."""
    about = {
        "truncations": "All features of one SAE, pooled one way up to one truncation (null: whole documents).",
        "features": "One feature, pooled one way up to one truncation, with the band of a bootstrap over documents.",
        "growth": "One feature: |r| over whole documents less |r| over their first tokens.",
    }
    tables = tables_of(about, parts)
    label = f"{documents.what}, on {documents.n_labelled:,} of {len(documents.label):,} documents"
    if documents.n_labelled and np.isin(documents.label[~np.isnan(documents.label)], (0, 1)).all():
        label += f", 1 on {np.count_nonzero(documents.label == 1):,}"
    lines = [line for scan, part in zip(scans, parts, strict=True) for line in _lines(scan, part, documents)]
    return Findings("pooling", f"{sample_of(scans)}; label: {label}", tuple(lines), tables)


def _lines(scan: Scanned, part: dict[str, list], documents: Documents) -> Iterator[str]:
    """What stands out in one SAE."""
    name = f"{scan.alias} {scan.sae}"
    by = {how: [row for row in part["truncations"] if row["pooling"] == how] for how in ("max", "mean")}
    first, last = by["max"][0], by["max"][-1]
    begin = f"{first['truncation']} tokens" if first["truncation"] else "whole documents"
    if not documents.varies or last["rms_r"] is None or first["rms_r"] is None:
        yield (
            f"{name}: no label varies over the documents, so only the length is there to correlate with: rms r over "
            f"features of max pooling over whole documents {shown(last['rms_r_length'])}, of mean pooling "
            f"{shown(by['mean'][-1]['rms_r_length'])} (n {last['n_documents']:,}). --matching REGEX makes a label."
        )
        return
    length = "the same for all" if last["length_r_label"] is None else f"r {last['length_r_label']:+.2f} with the label"
    yield (
        f"{name}: from {begin} to whole documents rms r with the label goes from {first['rms_r']:.3f} to "
        f"{last['rms_r']:.3f} for max pooling, from {shown(first['rms_r_given_length'])} to "
        f"{shown(last['rms_r_given_length'])} for max pooling given length, from {shown(by['mean'][0]['rms_r'])} to "
        f"{shown(by['mean'][-1]['rms_r'])} for mean pooling; chance {last['rms_r_chance']:.3f} "
        f"(n {last['n_labelled']:,}; length is {length}). Best of all features: {last['best_r']:.2f}, feature "
        f"{last['best_feature']}; best by chance {last['best_r_chance']:.2f}."
    )
    for row in part["growth"]:
        if row["pooling"] == "max" and row["growth"] is not None and row["low"] is not None:
            given = " given length" if row["given_length"] else ""
            yield (
                f"{scan.alias}/{row['feature_id']}: |r| of max pooling{given} grows by {row['growth']:+.3f} "
                f"(95 % {row['low']:+.3f} to {row['high']:+.3f}) to {abs(row['r_whole']):.3f}."
            )
