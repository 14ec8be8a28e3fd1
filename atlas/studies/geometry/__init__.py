"""Study geometry."""

from atlas.studies.geometry.study import measure

__all__ = ["measure"]
