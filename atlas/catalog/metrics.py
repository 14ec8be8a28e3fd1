"""Metrics by name: those of matched rows, and those of whole dictionaries."""

from __future__ import annotations

from atlas.catalog.requests import DICTIONARY_METRICS
from atlas.errors import UnknownName


def metric_named(wanted: str) -> str:
    """Name of a metric of matched rows.

    Raises:
        UnknownName: There is no such metric.
    """
    from atlas.metrics import METRICS

    if wanted not in METRICS:
        raise UnknownName("metric", wanted, sorted({*METRICS, *DICTIONARY_METRICS}))
    return wanted
