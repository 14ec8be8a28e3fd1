"""How much of a scan is kept one by one; part of every spec, so it costs no import."""

TOP_POSITIONS = 20
"""Firing positions kept for each feature."""

TOP_CONTEXTS = 20
"""Contexts kept for each feature."""

REACH = 32
"""Tokens of a context's window on either side of the peak."""

TOP_TOKENS = 50
"""Tokens kept for each feature by lift, and as many by sum."""

TRUNCATIONS = (16, 32, 64, 128, 256, 512)
"""Leading counted tokens of a document that are pooled, besides the whole document."""

BINS = 10
"""Intervals, and quantiles, of a feature's activations from which contexts are sampled."""

CONTEXTS_PER_BIN = 5
"""Contexts sampled from each interval and from each quantile."""

RANDOM_CONTEXTS = 10
"""Contexts sampled from all in which a feature fires."""

SILENT_CONTEXTS = 10
"""Contexts sampled from those in which a feature never fires."""

SAMPLED_TOKENS = 8_000_000
"""Tokens of a scan from which contexts are sampled, to the end of the context that reaches them."""

KEPT = (
    TOP_POSITIONS,
    TOP_CONTEXTS,
    REACH,
    TOP_TOKENS,
    *TRUNCATIONS,
    BINS,
    CONTEXTS_PER_BIN,
    RANDOM_CONTEXTS,
    SILENT_CONTEXTS,
    SAMPLED_TOKENS,
)
"""All of these: what a scan keeps is part of what it is."""
