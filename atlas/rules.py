"""Names of the rules that choose a partner for a feature."""

from __future__ import annotations

MATCH_RULES = ("one-to-one", "best", "mutual", "singletons", "first-seen", "assignment", "greedy")
"""As of the macro `matches` and of `Subset.match`, where they are explained."""

STORED_RULES = ("assignment", "greedy")
"""Those that no view can follow: `featlas match` computes and stores their pairs."""
