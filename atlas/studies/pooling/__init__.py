"""Study pooling."""

from atlas.studies.pooling.study import measure

__all__ = ["measure"]
