"""How much of a scan is kept one by one; part of every spec, so it costs no import."""

TOP_POSITIONS = 20
"""Firing positions kept for each feature."""

TOP_CONTEXTS = 20
"""Contexts kept for each feature."""

REACH = 32
"""Tokens of a context's window on either side of the peak."""
