"""Read the sparse activations of a scan as SciPy CSR, whole or in blocks of tokens.

A store is a folder of Parquet shards, each over consecutive tokens and sorted by feature, with a receipt in JSON
beside each shard. Orientation: tokens x features.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from atlas.db import Atlas, open_atlas
from atlas.errors import AtlasError, UnknownName
from atlas.queries.registry import sae_named


@dataclass(frozen=True, slots=True)
class Scan:
    """One SAE on one corpus, with its activations on disk."""

    sae: str
    """Full name of the SAE."""

    corpus: str
    """Name of the corpus."""

    n_tokens: int
    """Tokens measured; rows of the matrix."""

    d_sae: int
    """Features; columns of the matrix."""

    folder: Path
    """Where the shards are."""

    def csr(self) -> sp.csr_array:
        """All activations: (n_tokens, d_sae) float32, zeros where a feature is silent."""
        blocks = list(self.blocks())
        return blocks[0] if len(blocks) == 1 else sp.csr_array(sp.vstack(blocks, format="csr"))

    def blocks(self) -> Iterator[sp.csr_array]:
        """The same, shard after shard in the order of the tokens: (tokens of the shard, d_sae) each."""
        covered = 0
        for receipt in sorted(self.folder.glob("shard-*.json")):
            facts = json.loads(receipt.read_text(encoding="utf-8"))
            if facts["first_token"] != covered:
                break
            yield _read_shard(receipt.with_suffix(".parquet"), facts["first_token"], facts["n_tokens"], self.d_sae)
            covered += facts["n_tokens"]
        if covered != self.n_tokens:
            raise AtlasError(
                f"the activations of {self.sae} are incomplete: {covered:,} of {self.n_tokens:,} tokens",
                why=f"shards are missing in {self.folder}",
                hint="run its featlas ingest again with --replace",
            )


def open_scan(db: Atlas | str | Path, sae: str, corpus: str | None = None) -> Scan:
    """Find the activations of an SAE.

    Args:
        db: An open atlas or the path of one.
        sae: Name or alias.
        corpus: Name of the corpus; None takes the newest scan.

    Raises:
        AtlasError: Unknown SAE or corpus, or the scan kept no activations.
    """
    with nullcontext(db) if isinstance(db, Atlas) else open_atlas(db) as atlas:
        name = sae_named(atlas, sae)
        scans = atlas.fetch("scans_of", sae=name).dicts()
        store = atlas.store
    known = [scan["corpus"] for scan in scans]
    if not scans or (corpus is not None and corpus not in known):
        raise UnknownName(f"corpus measured with {name}", corpus or "any", known, hint="featlas ls scans")
    scan = scans[known.index(corpus)] if corpus is not None else scans[0]
    if scan["store"] is None:
        raise AtlasError(
            f"the scan of {name} on {scan['corpus']} kept no activations",
            hint="run its featlas ingest again with --replace and without --no-store",
        )
    return Scan(name, scan["corpus"], scan["n_tokens"], scan["d_sae"], store / scan["store"])


def read_scan(db: Atlas | str | Path, sae: str, corpus: str | None = None) -> sp.csr_array:
    """Activations of an SAE on a corpus as one (n_tokens, d_sae) float32 CSR array; see `open_scan`."""
    return open_scan(db, sae, corpus).csr()


def _read_shard(path: Path, first_token: int, n_tokens: int, d_sae: int) -> sp.csr_array:
    """One shard as CSR. The shard is sorted by feature, so it is read as CSC and turned."""
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=["feature_id", "token_index", "activation"])
    except (OSError, ValueError) as error:
        raise AtlasError(
            f"{path.name} cannot be read",
            why=str(error).splitlines()[0],
            hint="run its featlas ingest again with --replace",
        ) from error
    features = table["feature_id"].to_numpy()
    tokens = (table["token_index"].to_numpy() - first_token).astype(np.int32)
    starts = np.searchsorted(features, np.arange(d_sae + 1)).astype(np.int32 if len(features) < 2**31 else np.int64)
    by_feature = sp.csc_array((table["activation"].to_numpy(), tokens, starts), shape=(n_tokens, d_sae))
    return sp.csr_array(by_feature.tocsr())
