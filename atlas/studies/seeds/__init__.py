"""Study seeds."""

from atlas.studies.seeds.study import measure

__all__ = ["measure"]
