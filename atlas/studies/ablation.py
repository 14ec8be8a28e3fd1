"""What stored ablations say: how the log probability of the next tokens changes when a feature is taken out.

Source: Bricken et al. 2023, "Towards Monosemanticity", feature ablations. `ingest.ablation` runs the model and stores
the changes; everything here is read from the atlas.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atlas.catalog.corpora import corpus_named
from atlas.catalog.saes import sae_named
from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError
from atlas.references import FeatureRef
from atlas.studies.findings import Findings, Table, frame, labelled, mean_of

if TYPE_CHECKING:
    import polars as pl


def measure(
    db: Path, features: Sequence[FeatureRef], *, corpus: str | None = None, contexts: int = 10, wait: float = 0
) -> Findings:
    """What was measured of some features.

    Args:
        db: The atlas.
        features: Each of an SAE by name or alias.
        corpus: Name of a corpus; None takes the newest scan of each SAE.
        contexts: Strongest contexts of each feature, at most.
        wait: Seconds to wait for a locked atlas.

    Raises:
        AtlasError: An SAE was not measured.
    """
    import polars as pl

    with open_atlas(db, wait=wait) as atlas:
        tokens = {str(ref): _tokens(atlas, ref, corpus, contexts) for ref in features}
    summary = frame(_summary(name, rows) for name, rows in tokens.items())
    together = pl.concat([labelled(rows, feature=name) for name, rows in tokens.items()])
    tables = (
        Table("features", "One feature: changes of log probability in nats, below 0 where it helped.", summary),
        Table("tokens", "One token of a context: its change, and the activations on it and before it.", together),
    )
    on = ", ".join(sorted(set(together["corpus"].to_list()))) or "no corpus"
    n, n_contexts = len(together.drop_nulls("effect")), int(summary["n_contexts"].sum())
    sample = f"{len(tokens)} features in their strongest contexts, {n_contexts:,} contexts of {n:,} tokens of {on}"
    return Findings("ablation", sample, tuple(_line(row) for row in summary.iter_rows(named=True)), tables)


def _tokens(atlas: Atlas, ref: FeatureRef, corpus: str | None, contexts: int) -> pl.DataFrame:
    """Every token of the contexts of one feature."""
    sae = sae_named(atlas, ref.sae)
    if corpus is not None:
        corpus_named(atlas, corpus)
    scans = atlas.fetch("studies/ablation_source", sae=sae, corpus=corpus).dicts()
    if not scans:
        raise AtlasError(f"{sae} was not measured{f' on {corpus}' if corpus else ''}", hint="featlas ls scans")
    of = {"sae": sae, "corpus": scans[0]["corpus"], "feature_id": ref.feature_id, "most": contexts}
    return atlas.frame("studies/ablated_tokens", **of)


def _summary(name: str, rows: pl.DataFrame) -> dict[str, Any]:
    """One row of numbers for one feature."""
    import polars as pl

    there = rows.drop_nulls("effect")
    after, rest = there.filter(there["activation_before"] > 0), there.filter(there["activation_before"] == 0)
    next_ = there.filter(there["from_peak"] == 1)
    return {
        "feature": name,
        "n_contexts": rows["rank"].n_unique(),
        "n_tokens": len(there),
        "after_peak": mean_of(next_["effect"]),
        "after_peak_chance": mean_of(next_["chance"]),
        "n_after_firing": len(after),
        "after_firing": mean_of(after["effect"]),
        "after_firing_chance": mean_of(after["chance"]),
        "elsewhere": mean_of(rest["effect"]),
        "helped": mean_of((after["effect"] < 0).cast(pl.Float64)),
        "size": mean_of(after["effect"].abs()),
        "size_chance": mean_of(after["chance"].abs()),
    }


def _line(row: dict[str, Any]) -> str:
    """One sentence for one feature."""
    if not row["n_after_firing"]:
        return f"{row['feature']}: no stored context in which a token follows one on which it fires."
    rest = f"{row['elsewhere']:+.3f} on other tokens; " if row["elsewhere"] is not None else ""
    size = f"mean size {row['size']:.3f} ({row['size_chance']:.3f} at random)"
    sample = f"{row['n_after_firing']:,} tokens in {row['n_contexts']:,} contexts"
    return (
        f"{row['feature']}: taking it out changes the log probability of the token after one on which it fires by "
        f"{row['after_firing']:+.3f} nats (a random direction by {row['after_firing_chance']:+.3f}; {rest}{sample}); "
        f"{row['helped']:.0%} of them get less likely; {size}."
    )
