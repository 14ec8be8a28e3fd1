"""What the browser and `featlas show` read: orders of ids first, then only the rows that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from atlas.errors import AtlasError, UnknownName
from atlas.queries.browse_records import (
    Context,
    Feature,
    FeatureDetail,
    FeatureRow,
    Pairing,
    Partner,
    Scan,
)
from atlas.queries.filtered import FeatureOrder
from atlas.references import resolve_sae

if TYPE_CHECKING:
    from atlas.db import Atlas, Rows

_Record = TypeVar("_Record")


def scans(atlas: Atlas) -> list[Scan]:
    return records(Scan, atlas.fetch("browse/scans"))


def pairings(atlas: Atlas) -> list[Pairing]:
    return records(Pairing, atlas.fetch("browse/pairings"))


def scan_named(atlas: Atlas, wanted: str, corpus: str | None = None) -> Scan:
    """The scan of an SAE: on a named corpus, else the newest.

    Raises:
        UnknownName: There is no such SAE, or it was not measured on that corpus.
        AtlasError: It was not measured at all.
    """
    return _scan_of(scans(atlas), resolve_sae(wanted, atlas.fetch("catalog/sae_names").rows), corpus)


def scans_of_pair(atlas: Atlas, a: str, b: str, corpus: str | None = None) -> tuple[Scan, Scan]:
    """The scans of two SAEs on one corpus: the named one, else where they were compared last, else where both were.

    Raises:
        UnknownName: There is no such SAE, or one was not measured on the named corpus.
        AtlasError: They were measured on no corpus in common.
    """
    known, names = scans(atlas), atlas.fetch("catalog/sae_names").rows
    sae_a, sae_b = resolve_sae(a, names), resolve_sae(b, names)
    if corpus is None:
        for pairing in reversed([p for p in pairings(atlas) if p.between(sae_a, sae_b)]):
            on_a, on_b = pairing.corpus_of(sae_a), pairing.corpus_of(sae_b)
            return _scan_of(known, sae_a, on_a), _scan_of(known, sae_b, on_b)
        corpora_b = {scan.corpus for scan in known if scan.sae == sae_b}
        both = [scan.corpus for scan in known if scan.sae == sae_a and scan.corpus in corpora_b]
        if not both:
            raise AtlasError(f"{sae_a} and {sae_b} were measured on no corpus in common", hint="featlas ls scans")
        corpus = both[-1]
    return _scan_of(known, sae_a, corpus), _scan_of(known, sae_b, corpus)


def _scan_of(known: Sequence[Scan], sae: str, corpus: str | None) -> Scan:
    """The newest scan of an SAE by its full name."""
    found = [scan for scan in known if scan.sae == sae]
    if not found:
        raise AtlasError(f"{sae} was not measured on any corpus", hint="featlas ingest --help")
    if corpus is None:
        return found[-1]
    for scan in reversed(found):
        if scan.corpus == corpus:
            return scan
    raise UnknownName(f"corpus with a scan of {sae}", corpus, [scan.corpus for scan in found])


def order_of(keys: Sequence[tuple[int, int]]) -> FeatureOrder:
    """A given list of (scan, feature) as an order."""
    import numpy as np

    pairs = np.array(keys, dtype=np.int64).reshape(-1, 2)
    return FeatureOrder(pairs[:, 0], pairs[:, 1])


def feature_window(atlas: Atlas, order: FeatureOrder, start: int, stop: int) -> list[FeatureRow]:
    """Rows `start` to `stop` of a feature table."""
    ids = {"scans": order.scan_ids[start:stop].tolist(), "features": order.feature_ids[start:stop].tolist()}
    best = {(row["scan_id"], row["feature_id"]): row for row in atlas.fetch("browse/window_matches", **ids).dicts()}
    nothing = {"other": None, "partner": None, "value": None}
    rows = atlas.fetch("browse/window", **ids).dicts()
    return [FeatureRow(**{**nothing, **row, **best.get((row["scan_id"], row["feature_id"]), {})}) for row in rows]


def feature_detail(atlas: Atlas, scan: Scan, feature_id: int, *, n_contexts: int = 50) -> FeatureDetail:
    """All about one feature of one scan.

    Raises:
        AtlasError: The SAE has no such feature.
    """
    key: dict[str, Any] = {"sae": scan.sae, "corpus": scan.corpus, "feature_id": feature_id}
    found = records(Feature, atlas.fetch("browse/feature_head", **key))
    if not found:
        raise AtlasError(
            f"{scan.sae} has no feature {feature_id}",
            why=f"its features are 0 to {scan.d_sae - 1:,}",
            hint="featlas tui",
        )
    contexts = atlas.fetch("browse/contexts", scan_id=scan.scan_id, feature_id=feature_id, kind="top", most=n_contexts)
    return FeatureDetail(
        scan=scan,
        feature=found[0],
        bins=atlas.fetch("browse/histogram", **key).rows,
        contexts=records(Context, contexts),
        partners=records(Partner, atlas.fetch("browse/partners", **key)),
    )


def records(kind: type[_Record], rows: Rows) -> list[_Record]:
    """One record a row, by the names of the columns; columns that the record does not know are left out."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    places = [rows.columns.index(name) for name in names]
    return [kind(*(row[place] for place in places)) for row in rows]
