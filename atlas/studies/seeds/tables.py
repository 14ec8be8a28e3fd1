"""Tables of study seeds, from the comparisons as they were read."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from atlas.studies.seeds.pairs import RANKS, RULES, Compared

if TYPE_CHECKING:
    import polars as pl

THRESHOLDS = np.arange(101) / 100
"""As in the macro `sharing_sweep`."""

STRICT = RULES[0]
"""The rule that orphans are counted by."""


def shared(one: Compared, rule: tuple[str, str], threshold: float) -> NDArray[np.bool_] | None:
    """(d_sae,) which features pass a rule; None where it was not judged."""
    if rule not in one.judged:
        return None
    of = one.judged[rule]
    return (of["passes"] & (of["least_value"] >= threshold)).fill_null(value=False).to_numpy()


def head(one: Compared) -> dict[str, Any]:
    sae, other = one.sae, one.other
    names = {"sae": sae.sae, "alias": sae.alias, "other": other.sae, "alias_other": other.alias}
    return names | {"corpus": sae.corpus, "differ": one.differ}


def of_pair(one: Compared, threshold: float) -> dict[str, Any]:
    """One row for one comparison."""
    strict = one.judged[STRICT]
    live = strict["n_fired"].to_numpy() > 0
    row: dict[str, Any] = head(one) | {
        "model": one.sae.model,
        "hook_name": one.sae.hook_name,
        "layer": one.sae.layer,
        "d_in": one.sae.d_in,
        "d_sae": one.sae.d_sae,
        "d_other": one.other.d_sae,
        "n_tokens": one.sae.n_tokens,
        "n_live": int(live.sum()),
        "threshold": threshold,
    }
    for measure in ("decoder", "encoder"):
        best = one.ranks.filter((one.ranks["measure"] == measure) & (one.ranks["rank"] == 1))
        row[f"{measure}_best"] = best["mean"].item() if len(best) else None
    row["chance_best"] = float(np.nanmean(one.random[:, 0]))
    decoder, both = one.judged["assignment", "decoder"]["value"], strict["passes"]
    row |= {"decoder_assigned": decoder.mean(), "decoder_assigned_chance": one.matchings["decoder"]["chance"]}
    row |= {"encoder_assigned_chance": one.matchings["encoder"]["chance"], "same_counterpart": both.mean()}
    for name, rule in zip(("paulo_belrose", "assignment", "top_1", "activation"), RULES, strict=True):
        flags = shared(one, rule, threshold)
        row[f"shared_{name}"] = None if flags is None else float(flags.mean())
    row["chance_shared"] = float((one.random[:, 0] >= threshold).mean())
    activation = one.pairings.get("activation", {})
    row |= {"activation_median": activation.get("median"), "activation_chance": activation.get("chance")}
    known = one.judged["assignment", "decoder"].drop_nulls("value")
    row["density_rank_r"] = rank_correlation(known["n_fired"].to_numpy(), known["value"].to_numpy())
    return row


def rank_correlation(x: NDArray, y: NDArray) -> float | None:
    """Spearman's correlation; None where one of the two is constant."""
    from scipy.stats import rankdata  # 0.3 s to import, for one function

    if len(x) < 3 or not np.ptp(x) or not np.ptp(y):
        return None
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def kinds(pairs: pl.DataFrame) -> pl.DataFrame:
    """Means over comparisons that differ in the same, in their order."""
    import polars as pl

    numbers = [name for name in pairs.columns if name.startswith(("decoder", "encoder", "shared", "chance"))]
    numbers += ["same_counterpart", "activation_median", "activation_chance", "density_rank_r"]
    grouped = pairs.group_by("differ", maintain_order=True)
    return grouped.agg(pl.len().alias("n"), *(pl.col(name).mean() for name in numbers))


def ranks(one: Compared) -> pl.DataFrame:
    """Means by measure and rank, beside those of random vectors."""
    import polars as pl

    by_chance = np.nanmean(one.random, axis=0)
    of = one.ranks.with_columns(**{name: pl.lit(value) for name, value in head(one).items()})
    chance = pl.DataFrame({"rank": np.arange(1, RANKS + 1), "random_mean": by_chance})
    joined = of.join(chance.cast({"rank": of["rank"].dtype}), on="rank", how="left")
    weights = pl.col("measure") != "activation"
    return joined.with_columns(random_mean=pl.when(weights).then(pl.col("random_mean"))).select(
        *head(one), "measure", "rank", "n", "mean", "median", "share_70", "random_mean"
    )


def sweep(one: Compared) -> pl.DataFrame:
    """Share of the features shared by each rule at each threshold, and no less than what random vectors would give.

    Column `random` is the share of the best of random vectors, which no assignment exceeds. By paulo-belrose two
    assignments that have nothing to do with each other must agree besides: once in d_sae of the larger.
    """
    import polars as pl

    best = _at_least(one.random[:, 0], len(one.random))
    parts = []
    for rule, measure in one.judged:
        judged = one.judged[rule, measure]
        passing = judged.filter(judged["passes"].fill_null(value=False))["least_value"].drop_nulls().to_numpy()
        columns = {"rule": rule, "measure": measure, "threshold": THRESHOLDS, "share": _at_least(passing, len(judged))}
        agree = 1 / max(one.sae.d_sae, one.other.d_sae) if rule == "paulo-belrose" else 1.0
        random = best * agree if measure == "decoder" else np.full(len(THRESHOLDS), np.nan)
        parts.append(pl.DataFrame(head(one) | columns | {"n_features": len(judged), "random": random}))
    return pl.concat(parts).with_columns(pl.col("random").fill_nan(None))


def _at_least(values: NDArray, n: int) -> NDArray[np.float64]:
    """(101,) share of n that reach each threshold."""
    ordered = np.sort(values[np.isfinite(values)])
    return (len(ordered) - np.searchsorted(ordered, THRESHOLDS, side="left")) / max(n, 1)


def counterparts(group: Sequence[Compared], threshold: float) -> pl.DataFrame:
    """Every feature of a group: in how many of the other SAEs it is shared by the strict rule, and its best value."""
    import polars as pl

    parts = []
    for sae in {one.sae.sae: one.sae for one in group}.values():
        of = [one for one in group if one.sae.sae == sae.sae]
        judged = of[0].judged[STRICT]
        flags = np.stack([flags for one in of if (flags := shared(one, STRICT, threshold)) is not None])
        best = np.stack([one.judged[STRICT]["value"].fill_null(np.nan).to_numpy() for one in of])
        columns = {
            "sae": sae.sae,
            "alias": sae.alias,
            "corpus": sae.corpus,
            "feature_id": judged["feature"],
            "n_fired": judged["n_fired"],
            "density": judged["n_fired"].to_numpy() / sae.n_tokens,
            "n_others": len(of),
            "n_shared": flags.sum(axis=0),
            "labelled": judged["labelled"],
            "best_decoder": np.where(np.isnan(best), -np.inf, best).max(axis=0),
        }
        parts.append(pl.DataFrame(columns))
    found = pl.concat(parts)
    return found.with_columns(best_decoder=pl.when(pl.col("best_decoder") >= -1).then(pl.col("best_decoder")))


def orphans_among(group: Sequence[Compared], threshold: float) -> pl.DataFrame:
    """Expected share of the features of one SAE that are orphans in all of k others, drawn without replacement.

    A feature that m of n others lack is an orphan in all of k of them with probability C(m, k) / C(n, k).
    """
    import polars as pl

    rows = []
    for of in counterparts(group, threshold).partition_by("sae", maintain_order=True):
        n, lacking = int(of["n_others"][0]), (of["n_others"] - of["n_shared"]).to_numpy()
        for k in range(1, n + 1):
            share = float(np.mean([comb(int(m), k) / comb(n, k) for m in lacking]))
            names = {name: of[name][0] for name in ("sae", "alias", "corpus")}
            rows.append(names | {"k": k, "n_others": n, "n_features": len(of), "share_orphan": share})
    return pl.DataFrame(rows, infer_schema_length=None)


def by_density(features: pl.DataFrame) -> pl.DataFrame:
    """Share shared with each of the others, by density in half decades; features that never fire are left out."""
    import polars as pl

    edges = np.logspace(-8, 0, 17)
    rows = []
    for of in features.filter(features["n_fired"] > 0).partition_by("sae", maintain_order=True):
        place = np.searchsorted(edges, of["density"].to_numpy(), side="right") - 1
        for k in np.unique(place):
            here = of.filter(pl.Series(place == k))
            share = float((here["n_shared"] / here["n_others"]).mean() or 0.0)  # type: ignore[arg-type]
            names = {name: of[name][0] for name in ("sae", "alias", "corpus")}
            lo, hi = float(edges[k]), float(edges[min(k + 1, 16)])
            rows.append(names | {"lo": lo, "hi": hi, "n": len(here), "share": share})
    return pl.DataFrame(rows, infer_schema_length=None)


def by_label(features: pl.DataFrame) -> pl.DataFrame:
    """How many of the features that none of the others shares have a label, and of the rest; of those that fire."""
    import polars as pl

    live = features.filter(pl.col("n_fired") > 0).with_columns(orphan=pl.col("n_shared") == 0)
    counted = live.group_by("sae", "alias", "corpus", "orphan", maintain_order=True)
    return counted.agg(pl.len().alias("n"), pl.col("labelled").sum().alias("n_labelled")).sort("alias", "orphan")
