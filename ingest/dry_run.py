"""What an ingest would do, from the plan and one batch: tokens, shards, time, bytes."""

from __future__ import annotations

import time
from collections.abc import Callable

from ingest.accumulate.residuals import Residuals
from ingest.plan import Plan
from ingest.runner import Gathered, batches, read_batch
from ingest.spec import IngestRequest

BYTES_A_CODE = 6
"""Bytes of one stored activation, measured on TopK SAEs; zstd-compressed Parquet."""


def describe(plan: Plan, request: IngestRequest, note: Callable[[str], None]) -> None:
    """Say what would be measured, how long it would take and how much room it needs; writes nothing."""
    contexts = plan.corpus.contexts
    note(
        f"{plan.model.name} on {plan.corpus.name}: {contexts.n_tokens:,} tokens in {contexts.n_contexts:,} contexts "
        f"of {contexts.context_length} {'with' if contexts.prepend_bos else 'without'} BOS, "
        f"{contexts.n_documents:,} documents, {len(plan.shards)} shards, on {plan.model.device}"
    )
    for scan in plan.scans:
        state = "was there already" if scan.present else "would be measured"
        note(
            f"{scan.measurement.sae.name} at {scan.measurement.hook}: {scan.measurement.sae.d_sae:,} features, {state}"
        )
    if not plan.to_do:
        note("nothing to do")
        return
    seconds, n_codes, n_tokens = _try_batch(plan, request.batch_size)
    share = contexts.n_tokens / n_tokens
    stored = (
        f"about {share * n_codes * BYTES_A_CODE / 1e6:,.0f} MB of activations"
        if request.store
        else "no activations kept"
    )
    note(f"about {share * seconds:,.0f} s at {n_tokens / seconds:,.0f} tokens/s; {stored}")


def _try_batch(plan: Plan, batch_size: int) -> tuple[float, int, int]:
    """Seconds, activations > 0 and tokens of one batch, the second time it is run."""
    measurements = [scan.measurement for scan in plan.to_do]
    begin, end = next(batches(plan.corpus.contexts, plan.shards[0], batch_size))
    seconds, n_codes = 0.0, 0
    for _ in range(2):
        gathered = [Gathered(Residuals.none(m.sae.d_in)) for m in measurements]
        started = time.perf_counter()
        read_batch(plan.model, measurements, plan.corpus.contexts, begin, end, 0, gathered)
        seconds = time.perf_counter() - started
        n_codes = sum(len(part[0]) for got in gathered for part in got.parts)
    first = plan.corpus.contexts.first_token
    return seconds, n_codes, int(first[end] - first[begin])
