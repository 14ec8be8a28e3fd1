"""Where in a context features fire: how much the place explains, with the first places apart from the rest.

Sources: Cramér 1946, Mathematical Methods of Statistics, ch. 21 (V, here of firing in two classes); Fisher 1925 (eta
squared). What chance leaves of V squared is (n_places - 1) / (n_tokens - 1) on average; how far the luckiest of many
features gets is found by throwing the firings of each over the tokens at random (multivariate hypergeometric).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from atlas.catalog.scans import Scanned, sample_of
from atlas.db import Atlas
from atlas.studies.asked import Asked, study
from atlas.studies.findings import Findings, Table, frame, labelled, mean_of

if TYPE_CHECKING:
    import polars as pl

FEWEST_FIRED = 20
"""Firing tokens below which a feature's dependence on its place is not judged."""

DRAWS = 9
"""Times that firings are thrown over the places at random."""

MOST = 3
"""Features of an SAE whose firing is shown place by place."""


@study
def measure(asked: Asked, *, first: int = 1, seed: int = 0) -> Findings:
    """Dependence on the place in the context, of one SAE or of many.

    Args:
        asked: Which SAEs.
        first: Measured places from the start of a context on that are told apart from the rest.
        seed: Of the random places (PCG64).
    """
    read, parts = [], []
    with asked.open() as atlas:
        scans = asked.scans(atlas)
        for scan in scans:
            features = _features(atlas, scan, first)
            read.append((scan, features, _places(atlas, scan), _most(atlas, scan, features)))
    for scan, features, places, most in asked.each(read):
        parts.append((_summary(scan, features, places, first, seed), features, places, most))
    return _findings(scans, parts, first)


def random_v(n_tokens: np.ndarray, n_fired: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """Cramér's V of features whose firings lie on tokens drawn at random: (draws, n_features) float64.

    Args:
        n_tokens: (n_places,) tokens at each place.
        n_fired: (n_features,) tokens on which each fires, all of these tokens at most.
        draws: How often.
        seed: Of the draws (PCG64).
    """
    rng = np.random.default_rng(np.random.PCG64(seed))
    left = np.tile(np.asarray(n_fired, np.int64), (draws, 1))
    n, after, squares = int(n_tokens.sum()), int(n_tokens.sum()), np.zeros(left.shape)
    for here in n_tokens.tolist():
        after -= here
        fired = rng.hypergeometric(here, after, left)
        squares += fired.astype(np.float64) ** 2 / here
        left -= fired
    mean = np.asarray(n_fired, np.float64) ** 2 / n
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(np.maximum(squares - mean, 0) / (np.asarray(n_fired) - mean))


def _features(atlas: Atlas, scan: Scanned, first: int) -> pl.DataFrame:
    return atlas.frame("studies/position_dependence", first=first, **scan.key)


def _places(atlas: Atlas, scan: Scanned) -> pl.DataFrame:
    """One row a place: features that fire on a token there, and the sum of their activations."""
    import polars as pl

    rows = atlas.frame("studies/place_totals", scan_id=scan.scan_id)
    per_token = rows.select(
        "position",
        "n_tokens",
        (pl.col("n_fired") / pl.col("n_tokens")).alias("l0"),
        (pl.col("total") / pl.col("n_tokens")).alias("activation"),
        ((pl.col("n_fired") / pl.col("n_tokens")) / (pl.col("n_fired").sum() / pl.col("n_tokens").sum())).alias(
            "relative_l0"
        ),
    )
    return labelled(per_token, **scan.key)


def _most(atlas: Atlas, scan: Scanned, features: pl.DataFrame) -> pl.DataFrame:
    ids = features.filter(features["n_fired"] >= FEWEST_FIRED)["feature_id"].head(MOST).to_list()
    return atlas.frame("studies/place_by_place", ids=ids, **scan.key)


def _summary(scan: Scanned, features: pl.DataFrame, places: pl.DataFrame, first: int, seed: int) -> dict[str, object]:
    """One row of numbers for one SAE."""
    judged = features.filter((features["n_fired"] >= FEWEST_FIRED) & features["cramers_v"].is_not_null())
    tokens, fired = places["n_tokens"].to_numpy(), judged["n_fired"].to_numpy()
    rest = (judged["density_rest"].fill_null(0).to_numpy() * tokens[first:].sum()).round().astype(np.int64)
    best, best_rest = _luckiest(tokens, fired, seed), _luckiest(tokens[first:], rest, seed)
    l0 = places["l0"].to_numpy()
    return {
        "sae": scan.sae,
        "alias": scan.alias,
        "layer": scan.layer,
        "corpus": scan.corpus,
        "n_tokens": int(tokens.sum()),
        "n_places": len(tokens),
        "n_first": int(tokens[:first].sum()),
        "n_judged": len(judged),
        "v_median": judged["cramers_v"].median(),
        "v_chance": judged["v_chance"].max(),
        "v_best": judged["cramers_v"].max(),
        "v_best_chance": best,
        "above_best_chance": _share_above(judged["cramers_v"].to_numpy(), best),
        "v_rest_median": judged["v_rest"].median(),
        "v_rest_chance": judged["v_rest_chance"].max(),
        "v_rest_best_chance": best_rest,
        "rest_above_best_chance": _share_above(judged["v_rest"].drop_nulls().to_numpy(), best_rest),
        "eta_squared_best": judged["eta_squared"].max(),
        "most_dependent": judged["feature_id"].head(1).to_list()[0] if len(judged) else None,
        "l0_first": mean_of(l0[:first], tokens[:first]),
        "l0_rest": mean_of(l0[first:], tokens[first:]),
    }


def _luckiest(n_tokens: np.ndarray, n_fired: np.ndarray, seed: int) -> float | None:
    if not len(n_fired) or not len(n_tokens):
        return None
    return float(np.nanmax(random_v(n_tokens, n_fired, draws=DRAWS, seed=seed), axis=1).mean())


def _share_above(values: np.ndarray, limit: float | None) -> float | None:
    return None if limit is None else mean_of(values > limit)


def _findings(scans: Sequence[Scanned], parts: Sequence[tuple], first: int) -> Findings:
    """Tables and sentences from what was read."""
    import polars as pl

    rows, features, places, most = zip(*parts, strict=True)
    summary = frame(rows)
    tables = (
        Table("saes", "One SAE: how much the place in the context explains of its features' firing.", summary),
        Table("features", "One feature that fires, as in position_dependence(…).", pl.concat(features)),
        Table("places", "One place: features that fire on a token there, and their activations.", pl.concat(places)),
        Table("most", "The features that depend most on the place, place by place; silent places left out.",
              pl.concat(most)),
    )  # fmt: skip
    return Findings(
        "positions", sample_of(scans), tuple(_line(row, first) for row in summary.iter_rows(named=True)), tables
    )


def _line(row: dict, first: int) -> str:
    """What stands out in one SAE."""
    name = f"{row['alias']} {row['sae']}"
    if not row["n_judged"] or row["v_rest_median"] is None or row["rest_above_best_chance"] is None:
        return f"{name}: {row['n_places']} places and {row['n_judged']} features to judge, too few to compare."
    places = "first place" if first == 1 else f"first {first} places"
    return (
        f"{name}: of {row['n_judged']:,} features that fire on {FEWEST_FIRED} tokens or more, "
        f"{row['above_best_chance']:.1%} depend on the place more than the luckiest of as many would by chance "
        f"(Cramér's V {row['v_best_chance']:.3f}); without the {places} {row['rest_above_best_chance']:.1%}. "
        f"Median V {row['v_median']:.3f}, chance {row['v_chance']:.3f}; maximum {row['v_best']:.2f}, feature "
        f"{row['most_dependent']}. Features on a token: {row['l0_first']:.1f} at the {places} "
        f"(n {row['n_first']:,}), {row['l0_rest']:.1f} elsewhere."
    )
