"""Families of features: trees of what fires together in one SAE, and features that split in a wider one.

Sources: trees of co-occurrence, O'Neill et al. 2024, arXiv:2408.00657 (`atlas.pairing.families.trees`); splitting and
masked cosine, Bricken et al. 2023. Two chance levels: the same search for trees with the tokens of every feature rolled
by a shift of its own, which keeps how often and in what runs each fires; and children dealt to the features at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from atlas.activations import open_scan
from atlas.catalog.scans import Scanned, sample_of
from atlas.comparisons.families import find_families
from atlas.pairing.families.trees import Families, feature_families
from atlas.studies.asked import Asked, study
from atlas.studies.findings import Findings, Table, frame, labelled, mean_of, median_of

if TYPE_CHECKING:
    import polars as pl

    from atlas.db import Atlas

_SPLITS = ("sae", "other", "corpus", "feature", "n_children", "children", "values", "n_fired")

MOST_CHILDREN = 3
"""Features with this number of children or more are counted together."""


@study
def measure(asked: Asked, *, threshold: float = 0.1, min_value: float = 0.5, seed: int = 0) -> Findings:
    """Families of one SAE or of many; trees that the atlas does not hold yet are found and stored.

    Args:
        asked: Which SAEs.
        threshold: Minimum co-occurrence of two features of a tree, in (0, 1].
        min_value: Minimum masked cosine of a child with the feature that split, in [0, 1].
        seed: Of the shifts of the chance level (PCG64).

    Raises:
        AtlasError: A scan kept no activations.
    """
    with asked.open() as atlas:
        scans = asked.scans(atlas)
    rows, trees = [], []
    for scan in asked.each(scans):
        find_families(asked.db, scan.sae, corpus=scan.corpus, threshold=threshold, wait=asked.wait)
        with asked.open() as atlas:
            tree = atlas.frame("comparisons/family_trees", **scan.key)
            held = atlas.fetch("comparisons/family_sizes", **scan.key).dicts()
            codes = open_scan(atlas, scan.sae, scan.corpus).csr()
        by_chance = feature_families(rolled(codes, seed), threshold=threshold)
        rows.append(_summary(scan, held, by_chance))
        trees.append(labelled(tree, sae=scan.sae))
    with asked.open() as atlas:
        splits = _splits(atlas, scans, min_value)
    return _findings(scans, rows, trees, splits, min_value)


def rolled(codes: Any, seed: int) -> sp.csr_array:
    """The codes with the tokens of every feature rolled by a shift of its own: (n_tokens, d_sae)."""
    by_feature = sp.csc_array(codes)
    n_tokens, d_sae = codes.shape
    shift = np.random.Generator(np.random.PCG64(seed)).integers(0, max(n_tokens, 1), d_sae)
    moved = (by_feature.indices + np.repeat(shift, np.diff(by_feature.indptr))) % max(n_tokens, 1)
    return sp.csr_array(sp.csc_array((by_feature.data, moved, by_feature.indptr), shape=(n_tokens, d_sae)))


def _summary(scan: Scanned, held: Sequence[dict[str, Any]], by_chance: Families) -> dict[str, Any]:
    """One row of numbers for one SAE."""
    sizes, quality = [row["n_members"] for row in held], [row["quality"] for row in held]
    return {
        **scan.head,
        "n_tokens": scan.n_tokens,
        "d_sae": scan.d_sae,
        "n_families": len(held),
        "n_families_by_chance": int(by_chance.family.max(initial=0)),
        "n_members": held[0]["n_distinct"] if held else 0,
        "n_members_by_chance": len(np.unique(by_chance.feature)),
        "median_size": median_of(sizes),
        "largest": max(sizes, default=0),
        "deepest": max((row["depth"] for row in held), default=0),
        "median_quality": median_of(quality),
        "quality_above_1": mean_of(np.array(quality) > 1),
    }


def _splits(atlas: Atlas, scans: Sequence[Scanned], min_value: float) -> pl.DataFrame:
    """Features of narrower SAEs and who chose them in wider ones of the same model and hook."""
    import polars as pl

    if not atlas.rows("select 1 from pairing where measure = $by limit 1", by="masked_cosine").rows:
        return pl.DataFrame(schema=list(_SPLITS))
    query = "from feature_splits(min_value := $least) where corpus = $corpus"
    rows = atlas.sql(query, params={"least": min_value, "corpus": scans[0].corpus}).pl()
    wider = [(a.sae, b.sae) for a in scans for b in scans if a.d_sae < b.d_sae and a.space == b.space]
    pairs = pl.DataFrame(wider, schema={"sae": pl.String, "other": pl.String}, orient="row")
    return rows.join(pairs, on=["sae", "other"], how="inner", maintain_order="left")


def _findings(
    scans: Sequence[Scanned],
    rows: Sequence[dict[str, Any]],
    trees: Sequence[pl.DataFrame],
    splits: pl.DataFrame,
    min_value: float,
) -> Findings:
    """Tables and sentences from what was found."""
    import polars as pl

    summary, counts = frame(rows), _counts(splits)
    sizes = pl.concat([tree.filter(tree["parent"].is_null()) for tree in trees])
    tables = (
        Table("saes", "One SAE: its families of co-occurrence, and those found by chance.", summary),
        Table("trees", "One member of a family, as in view cooccurrence_families.", pl.concat(trees)),
        Table("heads", "One family by its head, largest first.", sizes.drop("parent", "depth", "weight")),
        Table("splits", "One feature of a narrower SAE and its children in a wider one.", splits),
        Table("children", "Features of a narrower SAE by number of children, and as many as dealt at random.", counts),
    )
    return Findings("families", sample_of(scans), (*_lines(summary), *_split_lines(counts, min_value)), tables)


def _counts(splits: pl.DataFrame) -> pl.DataFrame:
    """How many features have 0, 1, 2, … children, and how many would if each child took one at random."""
    import polars as pl

    rows = []
    for (sae, other, corpus), of in splits.group_by(["sae", "other", "corpus"], maintain_order=True):
        n, children = len(of), of["n_children"].to_numpy()
        expected = _dealt(n, int(children.sum()))
        for k in range(MOST_CHILDREN + 1):
            found = np.sum(children >= k) if k == MOST_CHILDREN else np.sum(children == k)
            rows.append((sae, other, corpus, n, int(children.sum()), k, int(found), expected[k]))
    columns = {"sae": pl.String, "other": pl.String, "corpus": pl.String, "n": pl.Int64, "n_chose": pl.Int64}
    schema = {**columns, "n_children": pl.Int64, "found": pl.Int64, "by_chance": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _dealt(n: int, children: int) -> list[float]:
    """Expected features with 0, 1, 2 and at least `MOST_CHILDREN` of the children, each dealt to one of n at random."""
    from scipy.stats import binom  # 0.3 s to import, for one function

    chance = [float(n * binom.pmf(k, children, 1 / n)) for k in range(MOST_CHILDREN)]
    return [*chance, n - sum(chance)]


def _lines(summary: pl.DataFrame) -> list[str]:
    """What was found in each SAE."""
    lines = []
    for row in summary.iter_rows(named=True):
        name, chance = f"{row['alias']} {row['sae']}", row["n_families_by_chance"]
        found = f"{row['n_families']:,} families of {row['n_members']:,} of {row['d_sae']:,} features"
        rolled_ = f"{chance:,} of {row['n_members_by_chance']:,} with the tokens of every feature rolled"
        if row["median_quality"] is None:
            lines.append(f"{name}: {found} ({rolled_}).")
            continue
        size = (
            f"median size {row['median_size']:.0f}, the largest {row['largest']:,}, at most {row['deepest']} steps deep"
        )
        held = f"{row['quality_above_1']:.0%} co-occur more with their head than with each other"
        lines.append(
            f"{name}: {found} ({rolled_}); {size}; {held} (median ratio {row['median_quality']:.2f}, 1 is even)."
        )
    return lines


def _split_lines(counts: pl.DataFrame, min_value: float) -> list[str]:
    """What was found between widths."""
    lines = []
    for (sae, other), of in counts.group_by(["sae", "other"], maintain_order=True):
        found, chance = (dict(zip(of["n_children"], of[name], strict=True)) for name in ("found", "by_chance"))
        n, split, dealt = of["n"][0], found[2] + found[MOST_CHILDREN], chance[2] + chance[MOST_CHILDREN]
        lines.append(
            f"{sae} in {other}: of {n:,} features that fire {split:,} have two children or more by masked cosine of "
            f"{min_value:g} ({dealt:.0f} if children chose at random), {found[0]:,} have none ({chance[0]:.0f})."
        )
    none = "no two widths of one hook were compared: featlas correlate NARROW WIDE --measure masked_cosine"
    return lines or [f"Splitting: {none}."]
