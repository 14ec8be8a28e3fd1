"""`--batch-size auto`: the smallest batch with which the model reads about as many tokens a second as it can."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from atlas.errors import AtlasError
from ingest.running.runner import Measurement
from ingest.sources.models.model import Model, layer_of

FIRST = 8
"""Contexts of the first batch that is tried."""

RISE = 1.05
"""A batch twice as large must be this much faster, in contexts a second, to be worth its memory."""

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def best_batch_size(
    try_batch: Callable[[int], float],
    n_contexts: int,
    *,
    bytes_per_context: int = 0,
    limit_bytes: int | None = None,
    on_note: Callable[[str], None] = lambda _: None,
) -> int:
    """Double the batch until that no longer pays or memory does not suffice.

    Each size is tried twice and the shorter time counts; the first size is tried once more before, to warm up.

    Args:
        try_batch: Reads a batch of this many contexts as the measurement will, and gives the seconds it took.
        n_contexts: Contexts of the corpus; no batch is larger.
        bytes_per_context: Estimate of the memory that each context of a batch takes at the peak.
        limit_bytes: Memory that a batch may take; None for no limit but what the machine refuses.
        on_note: Is told what was chosen.

    Raises:
        AtlasError: Not even one context fits.
    """
    largest = n_contexts
    if limit_bytes is not None and bytes_per_context > 0:
        largest = min(largest, max(1, limit_bytes // bytes_per_context))
    size = min(FIRST, largest)
    while _rate(try_batch, size, times=1) is None:  # which also warms up
        if size == 1:
            why = "one context of the corpus is more than it holds"
            raise AtlasError(
                "there is too little memory for this model", why=why, hint="give a shorter --context-length"
            )
        size //= 2
    rate = _rate(try_batch, size) or 0.0
    while 2 * size <= largest:
        faster = _rate(try_batch, 2 * size)
        if faster is None or faster < RISE * rate:
            break
        size, rate = 2 * size, faster
    on_note(f"reading {size:,} contexts at once: {rate:,.0f} a second")
    return size


def context_bytes(model: Model, measurements: Sequence[Measurement], context_length: int) -> int:
    """Rough memory that one context of a batch takes while model and SAEs read it, in bytes."""
    cfg = model.module.cfg
    layers = [layer_of(m.hook) for m in measurements]
    whole = any(layer is None or layer == model.n_layers - 1 for layer in layers)
    d_mlp = getattr(cfg, "d_mlp", None) or 4 * model.d_model
    widths = 8 * model.d_model + 2 * d_mlp + 2 * cfg.n_heads * context_length + (2 * cfg.d_vocab if whole else 0)
    kept = sum(8 * m.sae.d_in for m in measurements)
    item = 4 if model.dtype == "float32" else 2
    return context_length * (item * int(widths) + 4 * kept)


def _rate(try_batch: Callable[[int], float], size: int, *, times: int = 2) -> float | None:
    """Contexts a second with batches of this size; None if they do not fit into memory."""
    try:
        seconds = min(try_batch(size) for _ in range(times))
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, RuntimeError) and not any(said in str(error).lower() for said in _OUT_OF_MEMORY):
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None
    return size / max(seconds, 1e-9)
