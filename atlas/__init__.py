"""featlas: one database of sparse-autoencoder features and of how they compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["open_atlas"]

if TYPE_CHECKING:
    from atlas.db import open_atlas


def __getattr__(name: str) -> object:
    """Import `open_atlas` on first use, so that `import atlas` costs nothing."""
    if name == "open_atlas":
        from atlas.db import open_atlas

        return open_atlas
    raise AttributeError(f"module 'atlas' has no attribute {name!r}")
