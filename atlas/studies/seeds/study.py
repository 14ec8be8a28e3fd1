"""How much of what one SAE found another one finds too: seeds, datasets, widths and architectures of one space.

Sources: Paulo & Belrose 2025, arXiv:2501.16615 (shared by decoder and encoder assignment; orphans; sharing against the
number of seeds); arXiv:2506.17673 (assignment by decoder); Cho 2025 (top-1 to top-4 cosines, dataset against seed);
Bricken et al. 2023 (agreement of activations). What is missing is computed and stored as `featlas correlate` and
`featlas match` do.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from atlas.catalog.scans import Scanned, sample_of
from atlas.errors import AtlasError
from atlas.studies.asked import Asked, study
from atlas.studies.findings import Findings, Table, frame
from atlas.studies.seeds.models import between_models, models_line
from atlas.studies.seeds.pairs import Compared, complete, read, spaces
from atlas.studies.seeds.tables import (
    by_density,
    by_label,
    counterparts,
    kinds,
    of_pair,
    orphans_among,
    rank_correlation,
    ranks,
    sweep,
)

if TYPE_CHECKING:
    import polars as pl


@study
def measure(asked: Asked, *, threshold: float = 0.7, models: bool = False) -> Findings:
    """Sharing between every two SAEs of one model and hook, seen from each; what is missing is computed and stored.

    Args:
        asked: Which SAEs.
        threshold: Minimum value of a counterpart, as in `shared_features`.
        models: Also compare SAEs of different models, by activation and by geometry.

    Raises:
        AtlasError: No two of the SAEs read one hook of one model.
    """
    with asked.open() as atlas:
        scans = asked.scans(atlas)
    groups = spaces(scans)
    if not groups:
        raise AtlasError(
            "no two of these SAEs read the same hook of one model",
            why="directions of different models or hooks cannot be compared",
            hint="featlas ls saes",
        )
    for a, b in asked.each([pair for group in groups for pair in combinations(group, 2)]):
        complete(asked.db, a, b, asked.wait)
    with asked.open() as atlas:
        read_groups = [read(atlas, group) for group in groups]
    across = between_models(asked.db, scans, asked.wait) if models else []
    return _findings([scan for group in groups for scan in group], read_groups, across, threshold)


def _findings(
    scans: Sequence[Scanned], groups: Sequence[Sequence[Compared]], across: list[dict[str, Any]], threshold: float
) -> Findings:
    """Tables and sentences."""
    import polars as pl

    compared = [one for group in groups for one in group]
    pairs = frame(of_pair(one, threshold) for one in compared)
    by_kind = kinds(pairs)
    features = pl.concat([counterparts(group, threshold) for group in groups])
    among = pl.concat([orphans_among(group, threshold) for group in groups])
    tables = (
        Table("pairs", "One SAE asked which of its features another one has.", pairs),
        Table("kinds", "Means over pairs of SAEs that differ in the same.", by_kind),
        Table("ranks", "Mean value of the partners of one rank.", pl.concat([ranks(one) for one in compared])),
        Table("sweep", "Share of the features shared at a threshold.", pl.concat([sweep(one) for one in compared])),
        Table("orphans", "Share of the features of one SAE that none of k others shares.", among),
        Table("densities", "Share shared of the features whose density lies in [lo, hi).", by_density(features)),
        Table("labels", "Features of one SAE that none of the others shares, and the rest.", by_label(features)),
        Table("features", "One feature: in how many of the others it is shared by paulo-belrose.", features),
        Table("models", "Two SAEs of different models.", frame(across)),
    )
    lines = [_kind_line(row, threshold) for row in by_kind.iter_rows(named=True)]
    lines += [line for group in groups if (line := _order_line(group, pairs))]
    lines += [models_line(row) for row in across]
    return Findings("seeds", sample_of(scans), tuple(lines), tables)


def _kind_line(row: dict[str, Any], threshold: float) -> str:
    """Pairs of SAEs that differ in the same."""
    by_rule = (
        f"{row['shared_paulo_belrose']:.0%} are shared by paulo-belrose, {row['shared_assignment']:.0%} by the decoder "
        f"assignment, {row['shared_top_1']:.0%} by the best decoder cosine at {threshold:g} (random vectors "
        f"{row['chance_shared']:.1%})"
    )
    return (
        f"They differ in {row['differ']} ({row['n']} comparisons, one a direction): best decoder cosine "
        f"{row['decoder_best']:.3f} and encoder {row['encoder_best']:.3f} (random vectors {row['chance_best']:.3f}); "
        f"of the features {by_rule}; {_activation(row)}."
    )


def _activation(row: dict[str, Any]) -> str:
    if row["activation_median"] is None:
        return "activations are not at hand"
    return (
        f"median best activation correlation {row['activation_median']:.3f} (tokens shifted "
        f"{row['activation_chance']:.3f})"
    )


def _order_line(group: Sequence[Compared], pairs: pl.DataFrame) -> str | None:
    """Whether weights and activations order the comparisons of one space alike."""
    names = [one.sae.sae for one in group]
    of = pairs.filter(pairs["sae"].is_in(names)).drop_nulls("activation_median")
    if len(of) < 4:
        return None
    r = rank_correlation(of["decoder_best"].to_numpy(), of["activation_median"].to_numpy())
    first = group[0].sae
    return (
        f"{first.model} {first.hook_name}: best decoder cosine and median activation correlation order the {len(of)} "
        f"comparisons with a rank correlation of {r or 0:.2f}; 1 would be the same order, 0 none."
    )
