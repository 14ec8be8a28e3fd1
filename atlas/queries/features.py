"""Lists of features by a condition and an order that a user wrote."""

from __future__ import annotations

import duckdb

from atlas.db import Atlas, first_line
from atlas.errors import UnknownName, UsageError
from atlas.queries.registry import sae_named

COLUMNS = (
    "sae",
    "feature_id",
    "density",
    "n_fired",
    "mean_active",
    "std_active",
    "max",
    "doc_density",
    "is_concept",
    "top_tokens",
    "label",
    "corpus",
    "n_tokens",
)


def feature_rows(
    atlas: Atlas, *, sae: str | None = None, where: str | None = None, sort: str = "-density"
) -> tuple[duckdb.DuckDBPyRelation, int]:
    """Features of one SAE or of all, not read yet, and how many they are.

    Args:
        atlas: Open for reading; the condition is parsed as one expression there.
        sae: Name or alias; None for all SAEs.
        where: SQL condition over the columns of view features.
        sort: A column of the view; a leading minus sorts downwards. Ties go by SAE and feature.

    Raises:
        UnknownName: No such SAE or column.
        UsageError: The condition is no SQL over features.
    """
    features = atlas.sql("select f.* from features f")
    column = sort.removeprefix("-")
    if column not in features.columns:
        raise UnknownName("column", column, features.columns)
    if sae is not None:
        name = sae_named(atlas, sae)
        features = atlas.sql("select f.* from features f where f.sae = $name", params={"name": name})
    try:
        found = features.filter(where) if where else features
        total = found.aggregate("count(*)").fetchall()[0][0]  # runs the condition, so its errors show here
    except duckdb.Error as error:
        raise UsageError(
            f"the condition {where!r} does not work", why=first_line(error), hint='--where "density < 1e-3 and max > 5"'
        ) from error
    direction = "desc" if sort.startswith("-") else "asc"
    order = f'"{column}" {direction} nulls last, sae, corpus, feature_id'
    return found.order(order).select(", ".join(COLUMNS)), total
