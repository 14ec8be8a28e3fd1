"""How strongly a feature fires, split by the evidence for a property of the text: is it that, and nothing else?

Source: Bricken et al. 2023 ("Towards Monosemanticity"): histogram of activations by log-likelihood ratio of a proxy,
the same weighted by activation, sensitivity by activation level, Pearson's r of activation and proxy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atlas.activations import open_scan
from atlas.activations.store import Scan
from atlas.catalog.concepts import concept_named
from atlas.catalog.scans import Scanned, sample_of
from atlas.db import Atlas
from atlas.errors import UsageError
from atlas.studies.asked import Asked, study
from atlas.studies.findings import Findings, finite, mean_of, tables_of
from atlas.studies.proxies import Proxy, default_edges, evidence, log_ratios, segments
from atlas.studies.texts import Text

BINS = 50
"""Equal bins from 0 to a feature's maximum activation."""

LEVELS = 10
"""Activation levels at which sensitivity is read."""

MOST = 3
"""Features of an SAE that are shown if none are named."""

MOVES = 20
"""Times that the evidence is moved along the text for the chance level."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A proxy on a text."""

    proxy: str
    """In words."""
    inside: NDArray[np.bool_]
    """(n_tokens,) whether a token is what is looked for."""
    value: NDArray[np.float64]
    """(n_tokens,) log-likelihood ratio of the best run of tokens that ends here, nats."""
    edges: tuple[float, ...]
    """Ascending; band i is of values above edge i - 1, up to edge i."""

    @property
    def there(self) -> NDArray[np.bool_]:
        """(n_tokens,) whether there is any evidence."""
        return self.value > 0

    @property
    def band(self) -> NDArray[np.int64]:
        """(n_tokens,) band, from 0."""
        return np.searchsorted(np.array(self.edges), self.value, side="left")


@study
def measure(
    asked: Asked,
    *,
    token: Sequence[str] = (),
    regex: str | None = None,
    script: str | None = None,
    concept: str | None = None,
    feature: Sequence[int] = (),
    edge: Sequence[float] = (),
    seed: int = 0,
) -> Findings:
    """Activations of features by the evidence for a property of the text.

    Args:
        asked: Which SAEs.
        token: Texts of tokens that are the property.
        regex: Pattern that is the property.
        script: Unicode script that is the property.
        concept: Concept that is the property.
        feature: Features; none takes those that correlate most with the evidence.
        edge: Upper edges of the bands but the last, in nats; none takes 0, half of, and what one certain token gives.
        seed: Of the moves of the chance level (PCG64).

    Raises:
        AtlasError: A scan kept no activations.
        UsageError: No property, or one that no token has.
    """
    parts: list[dict[str, list[dict[str, Any]]]] = []
    known: dict[int, Evidence] = {}
    with asked.open() as atlas:
        scans = asked.scans(atlas)
        proxy = Proxy(tuple(token), regex, script, concept and concept_named(atlas, concept))
        for scan in asked.each(scans):
            if scan.n_tokens not in known:
                known[scan.n_tokens] = _evidence(atlas, scan, proxy, edge)
            parts.append(_of_scan(atlas, scan, known[scan.n_tokens], feature, seed))
    return _findings(scans, parts, next(iter(known.values())))


def _evidence(atlas: Atlas, scan: Scanned, proxy: Proxy, edges: Sequence[float]) -> Evidence:
    """The proxy on the text of a scan."""
    text = Text.read(atlas, scan.corpus, scan.n_tokens)
    inside = proxy.inside(atlas, text)
    value = evidence(log_ratios(text.token_ids, inside), segments(text))
    return Evidence(str(proxy), inside, value, tuple(sorted(set(edges))) or default_edges(inside))


def correlations(scan: Scan, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson correlation of every feature with every column over all tokens: (d_sae, m); NaN if one is constant.

    Args:
        scan: Its activations are read shard after shard.
        columns: (n_tokens, m).
    """
    centred = columns - columns.mean(axis=0)
    products, total, squares, first = 0.0, 0.0, 0.0, 0
    for block in scan.blocks():
        wide, last = block.astype(np.float64), first + len(block.indptr) - 1
        products = products + wide.T @ centred[first:last]
        total, squares = total + wide.sum(axis=0), squares + (wide * wide).sum(axis=0)
        first = last
    spread = np.asarray(squares - np.square(total) / scan.n_tokens)
    spread = np.where(spread > 1e-12 * np.asarray(squares), spread, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(products) / np.sqrt(spread[:, None] * np.sum(centred**2, axis=0))


def _of_scan(
    atlas: Atlas, scan: Scanned, given: Evidence, wanted: Sequence[int], seed: int
) -> dict[str, list[dict[str, Any]]]:
    """Rows of all tables about one SAE."""
    if any(not 0 <= f < scan.d_sae for f in wanted):
        raise UsageError(f"{scan.sae} has features 0 to {scan.d_sae - 1}", why=f"asked for {list(wanted)}")
    stored = open_scan(atlas, scan.sae, scan.corpus)
    there = given.there.astype(np.float64)
    moves = np.random.default_rng(np.random.PCG64(seed)).integers(1, max(2, scan.n_tokens), MOVES)
    moved = [np.roll(there, move) for move in moves]
    r = correlations(stored, np.stack([there, given.inside.astype(np.float64), *moved], axis=1))
    live = np.isfinite(r[:, 0])
    chance = float(r[live, 2:].max(axis=0).mean()) if live.any() else None
    order = np.argsort(-np.where(live, r[:, 0], -np.inf), kind="stable")[:MOST]
    rows: dict[str, list[dict[str, Any]]] = {"features": [], "bins": [], "levels": []}
    for number in wanted or order[live[order]].tolist():
        parts = [(tokens, activations) for _, tokens, activations in stored.feature(number)]
        tokens = np.concatenate([part[0] for part in parts])
        values = np.concatenate([part[1] for part in parts]).astype(np.float64)
        of = scan.head | {"feature_id": number}
        summary = _summary(given, tokens, values)
        found = {"r": finite(r[number, 0]), "r_inside": finite(r[number, 1]), "r_best_chance": chance}
        rows["features"].append(of | {"proxy": given.proxy, "n_tokens": scan.n_tokens} | summary | found)
        rows["bins"] += [of | row for row in _bins(given, tokens, values)]
        rows["levels"] += [of | row for row in _levels(given, tokens, values)]
    return rows


def _summary(given: Evidence, tokens: NDArray, values: NDArray) -> dict[str, Any]:
    """How a feature and the evidence go together."""
    there = given.there
    hit, half = there[tokens], values >= values.max(initial=0) / 2
    return {
        "n_inside": int(given.inside.sum()),
        "n_evident": int(there.sum()),
        "base_rate": float(there.mean()),
        "n_fired": len(tokens),
        "n_both": int(hit.sum()),
        "precision": mean_of(hit),
        "precision_upper_half": mean_of(hit[half]),
        "precision_by_value": float(values[hit].sum() / values.sum()) if len(values) else None,
        "sensitivity": float(hit.sum() / there.sum()) if there.any() else None,
        "sensitivity_upper_half": float(hit[half].sum() / there.sum()) if there.any() else None,
    }


def _bins(given: Evidence, tokens: NDArray, values: NDArray) -> Iterator[dict[str, Any]]:
    """Firing tokens by activation and band, and the sum of their activations; empty bins left out."""
    n_bands, top = len(given.edges) + 1, values.max(initial=0)
    at = np.minimum((values * BINS / top).astype(np.int64), BINS - 1) if top else np.zeros(0, np.int64)
    cell = at * n_bands + given.band[tokens]
    n = np.bincount(cell, minlength=BINS * n_bands)
    total = np.bincount(cell, weights=values, minlength=BINS * n_bands)
    bounds = (None, *given.edges, None)
    for i in np.flatnonzero(n).tolist():
        step, band = divmod(i, n_bands)
        yield {
            "lo": step * top / BINS,
            "hi": (step + 1) * top / BINS,
            "band": band,
            "above": bounds[band],
            "up_to": bounds[band + 1],
            "n": int(n[i]),
            "sum": float(total[i]),
        }


def _levels(given: Evidence, tokens: NDArray, values: NDArray) -> Iterator[dict[str, Any]]:
    """Of the tokens with activation at a level or above: how many have evidence, and what they miss."""
    there, top = given.there, values.max(initial=0)
    hit, n_there = there[tokens], int(there.sum())
    for step in range(LEVELS):
        level = step * top / LEVELS
        above = values >= level
        yield {
            "level": float(level),
            "share_of_max": step / LEVELS,
            "n": int(above.sum()),
            "precision": mean_of(hit[above]),
            "precision_chance": float(there.mean()),
            "sensitivity": float(hit[above].sum() / n_there) if n_there else None,
            "sensitivity_chance": float(above.sum() / len(there)),
        }


def _findings(scans: Sequence[Scanned], parts: Sequence[dict[str, list]], given: Evidence) -> Findings:
    """Tables and sentences from what was computed."""
    about = {
        "features": "One feature against the evidence for the property.",
        "bins": "Firing tokens of one feature, activation in [lo, hi), evidence in one band (nats).",
        "levels": "Tokens on which one feature fires at a level or above, and the evidence among them.",
    }
    tables = tables_of(about, parts)
    n, n_inside, n_there = len(given.inside), int(given.inside.sum()), int(given.there.sum())
    sample = f"{sample_of(scans)}; {given.proxy}: {n_inside:,} tokens inside, {n_there:,} of {n:,} with evidence for it"
    lines = [_line(row) for part in parts for row in part["features"]]
    return Findings("conditional", sample, tuple(lines), tables)


def _line(row: dict[str, Any]) -> str:
    """What stands out in one feature."""
    name = f"{row['alias']}/{row['feature_id']}"
    if row["r"] is None:
        return f"{name}: fires on {row['n_fired']} tokens, nothing to correlate."
    return (
        f"{name}: r {row['r']:+.2f} with the evidence over {row['n_tokens']:,} tokens; with the evidence moved along "
        f"the text the best of all features has {row['r_best_chance']:.2f}. Of the {row['n_fired']:,} tokens on which "
        f"it fires {row['precision']:.1%} have evidence, {row['precision_upper_half']:.1%} from half of its maximum "
        f"on; of all tokens {row['base_rate']:.2%}. It fires on {row['sensitivity']:.1%} of the {row['n_evident']:,} "
        "tokens with evidence."
    )
