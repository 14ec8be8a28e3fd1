"""The activation store: sparse activations of a scan, token by token."""

from atlas.activations.store import Scan, open_scan, read_scan

__all__ = ["Scan", "open_scan", "read_scan"]
