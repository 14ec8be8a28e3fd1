"""What an ingest would do, from the plan and one batch: tokens, shards, time, bytes."""

from __future__ import annotations

from collections.abc import Callable

from ingest.planning.memory import probe
from ingest.planning.plan import Plan, Planned
from ingest.shards.pieces import Shard
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
        if scan.earlier:
            n_before = int(contexts.first_token[scan.earlier.base.n_contexts])
            state = f"the tokens after the first {n_before:,} would be measured"
        note(
            f"{scan.measurement.sae.name} at {scan.measurement.hook}: {scan.measurement.sae.d_sae:,} features, {state}"
        )
    if not plan.to_do:
        note("nothing to do")
        return
    seen = probe(plan.model, [scan.measurement for scan in plan.to_do], contexts, plan.batch_size)
    lacking = {shard for scan in plan.to_do for shard in _lacking(plan, scan)}
    n_tokens = sum(shard.n_tokens for shard in lacking)
    share = n_tokens / seen.n_tokens
    stored = (
        f"about {share * sum(seen.n_codes) * BYTES_A_CODE / 1e6:,.0f} MB of activations"
        if request.store
        else "no activations kept"
    )
    rate = seen.n_tokens / seen.seconds
    pace = f"about {n_tokens / rate:,.0f} s at {rate:,.0f} tokens/s, loading and putting together aside"
    note(f"{n_tokens:,} tokens in {pace}; {stored}")


def _lacking(plan: Plan, scan: Planned) -> list[Shard]:
    covered = scan.earlier.base.n_contexts if scan.earlier else 0
    there = scan.measurement.store.missing(plan.shards)
    return [shard for shard in there if shard.end > covered]
