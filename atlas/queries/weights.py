"""Weights of SAEs and models as matrices, which token follows which, and the document of each."""

from __future__ import annotations

import numpy as np

from atlas.db import Atlas
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError


def weight_rows(atlas: Atlas, sae: str, column: str) -> np.ndarray:
    """Decoder rows (`w_dec`) or encoder columns (`w_enc`) of all features: (d_sae, d_in) float32.

    Raises:
        AtlasError: Some of them are not finite.
    """
    table = atlas.sql(sql_text("queries/catalog/weight_rows"), params={"sae": sae}).to_arrow_table()
    column_of = table.column(column).combine_chunks()
    rows = column_of.values.to_numpy().reshape(len(column_of), -1)
    broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(broken):
        kind = "decoder row" if column == "w_dec" else "encoder column"
        raise AtlasError(
            f"the {kind} of feature {broken[0]} of {sae} holds values that are not finite",
            why=f"{len(broken):,} of {len(rows):,} features have such a {kind}",
            hint="ingest this SAE again with --replace, from a file that is whole",
        )
    return rows


def unembedding_of(atlas: Atlas, sae: str) -> np.ndarray:
    """Unembedding of an SAE's model with the final norm's scale folded in: (vocabulary, d_model) float32.

    Raises:
        AtlasError: The ingest of this model did not keep it, or it is not finite.
    """
    sha256, model = atlas.fetch("catalog/model_of", sae=sae).rows[0]
    path = atlas.store / f"unembedding-{sha256[:12]}.npy"
    try:
        unembedding = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise AtlasError(
            f"the unembedding of {model} is not at hand",
            why=f"{path.name}: {error}",
            hint="run an ingest of this model again with --replace",
        ) from error
    if not np.isfinite(unembedding).all():
        raise AtlasError(
            f"the unembedding of {model} holds values that are not finite",
            why=path.name,
            hint="run an ingest of this model again with --replace",
        )
    return unembedding


def next_tokens(atlas: Atlas, corpus: str, n_tokens: int) -> np.ndarray:
    """(n_tokens,) int32: id of the token after each counted token in its context; -1 after the last of one."""
    columns = atlas.arrays("catalog/next_tokens", corpus=corpus, n_tokens=n_tokens)
    return np.asarray(columns["next_id"], dtype=np.int32)


def token_documents(atlas: Atlas, corpus: str, n_tokens: int) -> np.ndarray:
    """(n_tokens,) int32: the document of each counted token."""
    columns = atlas.arrays("catalog/token_documents", corpus=corpus, n_tokens=n_tokens)
    return np.asarray(columns["document"], dtype=np.int32)
