"""Lists of features by a condition and an order that a user wrote."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from atlas.catalog.saes import sae_named
from atlas.db import Atlas, first_line
from atlas.db.sqlfiles import sql_text
from atlas.errors import UnknownName, UsageError
from atlas.filters.terms import Sort
from atlas.queries.filtered import ALL, compiled

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
    atlas: Atlas,
    *,
    sae: str | None = None,
    line: str = "",
    where: str | None = None,
    sort: str | None = None,
    marks: frozenset[tuple[str, int]] = frozenset(),
) -> tuple[duckdb.DuckDBPyRelation, int]:
    """Features of one SAE or of all, not read yet, and how many they are. Ties go by SAE and feature.

    Args:
        atlas: Open for reading; the condition is parsed as one expression there.
        sae: Name or alias; None for all SAEs.
        line: A filter as the browser takes it.
        where: SQL condition over the columns of view features.
        sort: A column of the view; a leading minus sorts downwards. None leaves it to the filter, else `-density`.
        marks: (SAE, feature) that the browser has marked.

    Raises:
        UnknownName: No such SAE or column.
        UsageError: The filter cannot be read, or the condition is no SQL over features.
    """
    ids = compiled(atlas, line, sort=Sort("density", descending=True), marks=marks, places=True)
    name = None if sae is None else sae_named(atlas, sae)
    order = "place" if sort is None else _order(sort, atlas.sql("from features").columns)
    features = atlas.sql(
        sql_text("filters/features").replace("/* ids */", ids.sql),
        params={**ids.params, "scans": [], "most": ALL, "name": name},
    )
    try:
        found = features.filter(where) if where else features
        total = found.aggregate("count(*)").fetchall()[0][0]  # runs the condition, so its errors show here
    except duckdb.Error as error:
        raise UsageError(
            f"the condition {where!r} does not work", why=first_line(error), hint='--where "density < 1e-3 and max > 5"'
        ) from error
    return found.order(f"{order}, sae, corpus, feature_id").select(", ".join(COLUMNS)), total


def _order(sort: str, columns: Sequence[str]) -> str:
    """An order by a column of the view."""
    column = sort.removeprefix("-")
    if column not in columns:
        raise UnknownName("column", column, columns)
    return f'"{column}" {"desc" if sort.startswith("-") else "asc"} nulls last'
