"""What the whole screen and `featlas show` read of one feature, beyond its pane in the table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from atlas.queries.browse import records
from atlas.queries.browse_records import Context, Scan
from atlas.queries.feature_records import (
    ContextKind,
    FeatureMore,
    LogitToken,
    Match,
    Neighbour,
    PositionStat,
    Statistic,
    TokenStat,
)

if TYPE_CHECKING:
    from atlas.db import Atlas

N_LOGITS = 20
"""Logit tokens a sign, at most."""

N_TOKENS = 20
"""Tokens on which it fires, at most."""

N_NEIGHBOURS = 10
"""Neighbours by decoder cosine."""

_KEYS = ("sae", "corpus", "feature_id", "truncation", "n_tokens")
_DOCUMENTS = "document_pooling"


def contexts_of(atlas: Atlas, scan: Scan, feature_id: int, kind: ContextKind, *, most: int = 50) -> list[Context]:
    """Contexts of one feature that were chosen in one way.

    Args:
        atlas: Open for reading.
        scan: The SAE and the corpus.
        feature_id: The feature.
        kind: How they were chosen.
        most: Contexts a group, at most.
    """
    asked = {"scan_id": scan.scan_id, "feature_id": feature_id, "kind": kind, "most": most}
    return records(Context, atlas.fetch("browse/contexts", **asked))


def feature_more(atlas: Atlas, scan: Scan, feature_id: int) -> FeatureMore:
    """All of it but the neighbours, which take longer; see `with_neighbours`."""
    of_sae: dict[str, Any] = {"sae": scan.sae, "feature_id": feature_id}
    key = of_sae | {"corpus": scan.corpus}
    return FeatureMore(
        statistics=_statistics(atlas, "features", atlas.fetch("browse/feature", **key).dicts()),
        pooled=_statistics(atlas, _DOCUMENTS, atlas.fetch("browse/pooling", **key).dicts()),
        logits=records(LogitToken, atlas.fetch("browse/logits", **of_sae, most=N_LOGITS)),
        tokens=records(TokenStat, atlas.fetch("browse/tokens", **key, most=N_TOKENS)),
        positions=records(PositionStat, atlas.fetch("browse/positions", **key)),
        matches=records(Match, atlas.fetch("browse/matches", **key)),
        neighbours=None,
    )


def neighbours_of(atlas: Atlas, scan: Scan, feature_id: int) -> list[Neighbour]:
    """Features of the same SAE by decoder cosine: one pass over its decoder rows."""
    asked = {"sae": scan.sae, "scan_id": scan.scan_id, "feature_id": feature_id, "most": N_NEIGHBOURS}
    return records(Neighbour, atlas.fetch("browse/neighbours", **asked))


def with_neighbours(atlas: Atlas, scan: Scan, feature_id: int, more: FeatureMore) -> FeatureMore:
    return replace(more, neighbours=neighbours_of(atlas, scan, feature_id))


def _statistics(atlas: Atlas, view: str, rows: list[dict[str, Any]]) -> list[Statistic]:
    """Numbers of the first row of a view with the comments of its columns."""
    if not rows:
        return []
    found = rows[0]
    return [
        Statistic(name, found[name], meaning or "")
        for name, meaning in atlas.fetch("browse/meanings", view=view)
        if name not in _KEYS
        and (found[name] is None or isinstance(found[name], int | float))
        and name != "label"
        and not isinstance(found[name], bool)
    ]
