"""How many contexts go into a forward pass and how many tokens into a shard, tried out on the first batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from atlas.errors import UsageError
from ingest.accumulate.residuals import Residuals
from ingest.planning.batch_size import best_batch_size, context_bytes
from ingest.running.runner import Gathered, Measurement, batches, read_batch
from ingest.sources.models.model import Model
from ingest.sources.tokens.contexts import Contexts
from ingest.spec import IngestRequest

Note = Callable[[str], None]

DEFAULT_MEMORY = 4 << 30
SMALLEST_SHARD = 4096
_PROBED = 32
"""Contexts on which activations are counted, for any size of a batch."""

_GATHERED, _WORKED_ON = 12, 120
"""Bytes that an activation takes while a shard is gathered, of every SAE; and while its statistics are taken, of one
SAE at a time (measured; see docs/performance.md)."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one batch showed."""

    seconds: float
    """Of the last run."""
    n_tokens: int
    """Counted tokens."""
    n_codes: tuple[int, ...]
    """Activations > 0 of each SAE."""


def probe(
    model: Model, measurements: Sequence[Measurement], contexts: Contexts, batch_size: int, times: int = 2
) -> Probe:
    """Run the first batch, by default twice, and keep nothing of it."""
    begin, end = next(batches(contexts, 0, contexts.n_contexts, batch_size))
    seconds, n_codes = 0.0, ()
    for _ in range(times):
        gathered = [Gathered(Residuals.none(m.sae.d_in)) for m in measurements]
        started = time.perf_counter()
        read_batch(model, measurements, contexts, begin, end, 0, gathered)
        seconds = time.perf_counter() - started
        n_codes = tuple(sum(len(part[0]) for part in got.parts) for got in gathered)
    first = contexts.first_token
    return Probe(seconds, int(first[end] - first[begin]), n_codes)


def sizes(
    request: IngestRequest, model: Model, measurements: Sequence[Measurement], contexts: Contexts, note: Note
) -> tuple[int, int]:
    """Contexts of a forward pass, and counted tokens of a shard: as asked for, as far as memory allows."""
    if not measurements:
        return 1, request.shard_tokens
    room = (request.memory or DEFAULT_MEMORY) // 2  # the other half is for what is gathered and merged
    batch_size = request.batch_size or best_batch_size(
        lambda size: probe(model, measurements, contexts, size, times=1).seconds,
        contexts.n_contexts,
        bytes_per_context=context_bytes(model, measurements, contexts.context_length),
        limit_bytes=room,
        on_note=note,
    )
    seen = probe(model, measurements, contexts, _PROBED, times=1)
    by_sae = [n / seen.n_tokens for n in seen.n_codes]
    bytes_a_token = _GATHERED * sum(by_sae) + _WORKED_ON * max(by_sae)
    fitting = int(room / max(bytes_a_token, 1))
    if fitting < min(SMALLEST_SHARD, contexts.n_tokens):
        needed = 2 * SMALLEST_SHARD * bytes_a_token
        raise UsageError(
            f"--memory {room * 2 / 1e9:.3g}GB is too little",
            why=f"these SAEs have {sum(by_sae):,.0f} activations a token",
            hint=f"--memory {needed / 1e9 + 0.05:.1f}GB, or fewer SAEs at a time",
        )
    # A power of two, so that a little more or less memory places shards the same.
    bounded = max(1 << (fitting.bit_length() - 1), SMALLEST_SHARD)
    return batch_size, min(request.shard_tokens, bounded)
