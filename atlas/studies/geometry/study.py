"""Do features that fire together, or that lead to the same next tokens, point the same way? Cosine over both.

Sources: Abraham 2024 ("Feature superposition, co-occurrence and output influence",
armaanabraham.com/2024/10/20/sae.html), whose co-occurrence is the Pearson correlation of encoder outputs before the
activation function, whose output similarity is 1 - JSD of activation-weighted next-token distributions, and whose claim
is a 2 x 2 table of cosines; Bricken et al. 2023 ("Towards Monosemanticity") for logit weights and attributions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from atlas.activations import open_scan
from atlas.catalog.scans import Scanned, sample_of
from atlas.comparisons.reading import operands_of
from atlas.comparisons.stored import TwoScans
from atlas.errors import AtlasError, AtlasUnavailable
from atlas.pairing.measures.registry import MEASURES
from atlas.pairing.search.chance import draw_shifts
from atlas.queries.weights import next_tokens
from atlas.studies.asked import Asked, study
from atlas.studies.findings import Findings, Table, frame, median_of
from atlas.studies.geometry.across import across
from atlas.studies.geometry.lines import across_line, sae_line
from atlas.studies.geometry.output_similarity import next_token_distributions, similarities
from atlas.studies.geometry.quadrants import Drawn, corners, correlations

if TYPE_CHECKING:
    pass

FEWEST_FIRED = 20
"""Firing tokens below which neither a correlation nor a distribution of next tokens is looked at."""

TOGETHER = ("preactivation", "activation", "phi")
"""What co-occurrence may be, the one of the source first."""

OUTPUT = ("next_token", "logit")
"""What output similarity may be."""

WEIGHTS = ("decoder", "preactivation", "logit")
"""Measures of weights."""

TOKENS = ("activation", "phi")
"""Measures of activations."""

SHIFTED_PAIRS = 5000
"""Pairs on which the chance level of next-token similarity is measured."""


@study
def measure(
    asked: Asked,
    *,
    features: int = 2000,
    pairs: int = 50_000,
    quantile: float = 0.5,
    draws: int = 200,
    seed: int = 0,
) -> Findings:
    """Cosine, co-occurrence and output similarity of sampled pairs of features of one SAE, for one SAE or for many.

    Args:
        asked: Which SAEs; the first is also compared with each of the others.
        features: Most features of an SAE to sample, among those that fire on `FEWEST_FIRED` tokens.
        pairs: Most pairs of these to sample.
        quantile: Cuts of the 2 x 2 table: high is above this quantile, low at most the opposite one; in [0.5, 1).
        draws: Of the bootstrap over features.
        seed: Of samples, draws and shifts (PCG64).

    Raises:
        AtlasError: An SAE kept no activations.
    """
    with asked.open() as atlas:
        scans = asked.scans(atlas)
    n, steps = len(scans), 2 * len(scans) - 1
    of_saes = [_of_one(asked, scan, features, pairs, quantile, draws, seed) for scan in asked.each(scans, steps=steps)]
    others = asked.each(scans[1:], done=n, steps=steps)
    of_two = [across(asked.db, scans[0], other, wait=asked.wait, draws=draws, seed=seed) for other in others]
    return _findings(scans, of_saes, [found for found in of_two if found])


def _of_one(
    asked: Asked, scan: Scanned, features: int, pairs: int, quantile: float, draws: int, seed: int
) -> dict[str, Any]:
    """All tables of one SAE."""
    two = TwoScans(scan.sae, scan.sae, scan.corpus, scan.corpus)
    readers, missing = {}, []
    with asked.open() as atlas:
        n_fired = np.asarray(atlas.arrays("catalog/firing_counts", **scan.key)["n_fired"])
        followed, codes = next_tokens(atlas, scan.corpus, scan.n_tokens), open_scan(atlas, scan.sae, scan.corpus)
        for name in WEIGHTS:
            try:
                readers[name] = operands_of(atlas, MEASURES[name], two)
            except AtlasUnavailable:
                raise
            except AtlasError:
                if name == "decoder":
                    raise
                missing.append(name)
    of, first, second = _sampled(n_fired, scan.n_tokens, features, pairs, seed)
    a, b = of[first], of[second]
    values = {name: read().values_at(a, b) for name, read in readers.items()}
    sampled = codes.csr()[:, of]
    values |= _over_tokens(sampled, followed, first, second)
    by_chance = _shifted(sampled, followed, first, second, seed)
    known = np.isfinite(np.stack(list(values.values()))).all(axis=0)
    values = {name: column[known] for name, column in values.items()}
    first, second = first[known], second[known]
    drawn = Drawn(first, second, len(of), draws, seed)
    head = scan.head
    return {
        "sae": head | _summary(scan, n_fired, len(of), values, by_chance, missing),
        "relations": [head | row for row in correlations(values, _relations(values), drawn)],
        "corners": [head | row for row in _corners(values, quantile, drawn)],
        "pairs": head | {"feature_a": of[first], "feature_b": of[second], **values},
    }


def _sampled(n_fired: NDArray, n_tokens: int, features: int, pairs: int, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """Features that fire often enough, and the places among them of both features of every sampled pair."""
    rng = np.random.default_rng(np.random.PCG64(seed))
    of = np.flatnonzero((n_fired >= FEWEST_FIRED) & (n_fired < n_tokens))
    of = np.sort(rng.choice(of, min(len(of), features), replace=False))
    before = np.concatenate([[0], np.cumsum(np.arange(len(of) - 1, 0, -1))])  # pairs of features of a lower place
    taken = np.sort(rng.choice(before[-1], min(int(before[-1]), pairs), replace=False))
    first = np.searchsorted(before, taken, side="right") - 1
    second = taken - before[first] + first + 1
    return of, first, second


def _over_tokens(sampled: Any, followed: NDArray, first: NDArray, second: NDArray) -> dict[str, NDArray[np.float64]]:
    values = {name: MEASURES[name].rows(sampled, sampled).at(first, second) for name in TOKENS}
    return values | {"next_token": similarities(next_token_distributions(sampled, followed), first, second)}


def _shifted(sampled: Any, followed: NDArray, first: NDArray, second: NDArray, seed: int) -> float | None:
    """Median similarity where the next tokens are those of other places: only their overall frequency is left."""
    if not len(first):
        return None
    rng = np.random.default_rng(np.random.PCG64(seed))
    shift = int(draw_shifts(rng, len(followed))[0])
    some = rng.integers(0, len(first), size=min(len(first), SHIFTED_PAIRS))
    p = next_token_distributions(sampled, np.roll(followed, shift))
    return float(np.nanmedian(similarities(p, first[some], second[some])))


def _relations(values: dict[str, Any]) -> list[tuple[str, str]]:
    order = [name for name in ("decoder", *TOGETHER, *OUTPUT) if name in values]
    return [(x, y) for i, x in enumerate(order) for y in order[i + 1 :]]


def _corners(values: dict[str, Any], quantile: float, drawn: Drawn) -> list[dict[str, Any]]:
    """The 2 x 2 table for each kind of co-occurrence and of output similarity."""
    if not len(values["decoder"]):
        return []
    planes = [(x, y) for x in TOGETHER for y in OUTPUT if x in values and y in values]
    found = corners([(values[x], values[y]) for x, y in planes], values["decoder"], quantile, drawn)
    whole = {"quantile": quantile, "mean_all": float(values["decoder"].mean())}
    return [
        {"together": x, "output": y, **whole, **row} for (x, y), rows in zip(planes, found, strict=True) for row in rows
    ]


def _summary(
    scan: Scanned, n_fired: NDArray, n_sampled: int, values: dict[str, Any], by_chance: float | None, missing: list[str]
) -> dict[str, Any]:
    """One row for one SAE."""
    mid = {f"{name}_median": median_of(values.get(name)) for name in (*TOGETHER, *OUTPUT)}
    return {
        "layer": scan.layer,
        "d_in": scan.d_in,
        "d_sae": scan.d_sae,
        "n_tokens": scan.n_tokens,
        "n_fire": int((n_fired > 0).sum()),
        "n_features": n_sampled,
        "n_pairs": len(values["decoder"]),
        "cosine_mean": float(values["decoder"].mean()) if len(values["decoder"]) else None,
        "cosine_std": float(values["decoder"].std()) if len(values["decoder"]) else None,
        "cosine_std_random": float(scan.d_in**-0.5),
        **mid,
        "next_token_by_chance": by_chance,
        "missing": ", ".join(missing) or None,
    }


def _findings(scans: Sequence[Scanned], of_saes: list[dict[str, Any]], of_two: list[dict[str, Any]]) -> Findings:
    """Tables and sentences."""
    import polars as pl

    named: dict[str, Any] = dict.fromkeys(("sae", "alias", "corpus"), pl.String)
    frames = [pl.DataFrame(one["pairs"], schema_overrides=named) for one in of_saes]
    relations = [row for one in of_saes for row in one["relations"]]
    table = [row for one in of_saes for row in one["corners"]]
    lines = [sae_line(one["sae"], one["relations"], one["corners"]) for one in of_saes]
    both = [row for found in of_two for row in found["relations"]]
    tables = (
        Table("corners", "Mean cosine of the pairs in one corner: low or high co-occurrence and output.", frame(table)),
        Table("saes", "One SAE: its sample, and medians over pairs.", frame([one["sae"] for one in of_saes])),
        Table(
            "relations", "Pearson correlation over pairs of two quantities, with its 95 % interval.", frame(relations)
        ),
        Table("pairs", "One sampled pair of features of one SAE.", pl.concat(frames, how="diagonal")),
        Table("across", "Measures of the matched pairs of two SAEs: how they go with activation.", frame(both)),
        Table("matched", "One matched pair of two SAEs.", pl.concat([f["pairs"] for f in of_two] or [pl.DataFrame()])),
    )
    lines += [across_line(found) for found in of_two]
    return Findings("geometry", sample_of(scans), tuple(lines), tables)
