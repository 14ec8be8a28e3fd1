"""One `featlas ingest` from request to rows: check everything, measure, open the database last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from atlas.errors import AtlasUnavailable
from ingest.planning.opened import open_sources
from ingest.running.interrupt import stopping_between
from ingest.spec import IngestRequest, ScanSummary

if TYPE_CHECKING:
    import datetime

    from ingest.planning.plan import Plan, Planned
    from ingest.shards.store import ShardStore
    from ingest.writing.writer import FinishedScan

Note = Callable[[str], None]
Progress = Callable[[int, int], None]

_PATIENCE = 60.0
"""Seconds to wait, at least, for a locked atlas once all is measured."""


def ingest(
    request: IngestRequest,
    *,
    db: str | Path,
    wait: float = 0,
    command: str | None = None,
    on_note: Note = lambda text: None,
    on_progress: Progress = lambda done, total: None,
    on_reduced: Progress = lambda done, total: None,
) -> list[ScanSummary]:
    """Measure SAEs on a corpus and write what was found; what is there already is not done again.

    Args:
        request: What to measure.
        db: The atlas; made if it is missing, opened for writing only when all is measured.
        wait: Seconds to wait for a locked atlas.
        command: Command line for the record; by default that of this process.
        on_note: Called with a sentence that the user should know.
        on_progress: Called as `on_progress(tokens_done, tokens_in_all)`.
        on_reduced: Called as `on_reduced(features_done, features_in_all)` when all is measured.

    Returns:
        One summary an SAE, in the order of the request; none after a dry run.

    Raises:
        AtlasError: Something in the request is wrong; nothing was written.
    """
    opened = open_sources(request)
    # What follows imports torch, which takes seconds: only after everything that can be told without it.
    from atlas.db.runs import command_line, utc_now
    from ingest.planning.plan import check_database, make_plan

    # DuckDB takes `:memory:` and `md:x` for something else than files, and a store has to stand beside a file.
    started_at, db = utc_now(), Path(db).absolute()
    check_database(db)
    note = _once(on_note)
    plan = make_plan(opened, db, wait, note)
    if request.dry_run:
        from ingest.planning.dry_run import describe

        describe(plan, request, note)
        return []
    record = (started_at, command or command_line())
    held: list[ShardStore] = []
    with ExitStack() as locks:
        try:
            for scan in plan.to_do:
                locks.enter_context(scan.measurement.store.locked())
                held.append(scan.measurement.store)
                if scan.earlier:
                    scan.measurement.store.resume_from(scan.earlier, plan.shards)
            measure_missing(plan, on_progress, note)
            finished = _finished(plan, request, record, on_reduced)
            return [_write(plan, scan, next(finished, None), request, db, wait, note) for scan in plan.scans]
        except KeyboardInterrupt as stop:
            kept = any(len(store.missing(plan.shards)) < len(plan.shards) for store in held)
            _clear(held)
            if not kept:
                raise
            raise KeyboardInterrupt("finished shards are kept, and the same command resumes after them") from stop
        except BaseException:
            _clear(held)
            raise


def _clear(stores: Sequence[ShardStore]) -> None:
    for store in stores:
        store.discard_if_empty()


def measure_missing(plan: Plan, on_progress: Progress, note: Note) -> None:
    """Make every shard that is missing, all SAEs in one pass; one with activations that are not finite leaves none."""
    from ingest.running.runner import NotFinite, measure

    measurements = [scan.measurement for scan in plan.to_do]
    missing = [(measurement, measurement.store.missing(plan.shards)) for measurement in measurements]
    lacking = {shard for _, shards in missing for shard in shards}
    there = sum(shard.n_tokens for shard in plan.shards if shard not in lacking)
    if there and measurements:
        note(f"resuming after {there:,} tokens that were measured before")
    try:
        with stopping_between(note) as stop_if_asked:
            measure(
                plan.model,
                missing,
                plan.corpus.contexts,
                batch_size=plan.batch_size,
                on_progress=on_progress,
                on_shard=stop_if_asked,
            )
    except NotFinite as error:
        for measurement in measurements:
            if error.sae in (None, measurement.sae.name) and not measurement.store.base.receipt.exists():
                measurement.store.remove()
        raise


def _finished(
    plan: Plan, request: IngestRequest, record: tuple[datetime.datetime, str], on_reduced: Progress
) -> Iterator[FinishedScan | None]:
    """What is to be written of each SAE, none where nothing is; made one by one, all on the disk but its outline."""
    from ingest.running.logits import keep_unembedding, logit_weights
    from ingest.running.loss import losses
    from ingest.writing.finish import reduce_scan
    from ingest.writing.rows import CorpusFacts
    from ingest.writing.writer import FinishedScan

    contexts, measurements = plan.corpus.contexts, [scan.measurement for scan in plan.to_do]
    if measurements and request.store:
        keep_unembedding(plan.model, measurements[0].store.folder.parent)
    lost = iter(losses(plan.model, measurements, contexts, batch_size=plan.batch_size))
    facts = CorpusFacts.of(contexts, plan.shards, plan.model.words.texts) if measurements else None
    done, in_all = 0, sum(measurement.sae.d_sae for measurement in measurements)
    for scan in plan.scans:
        if scan.present or facts is None:
            yield None
            continue
        sae, store, hook = scan.measurement.sae, scan.measurement.store, scan.measurement.hook
        yield FinishedScan(
            model=plan.model,
            corpus=plan.corpus,
            measurement=scan.measurement,
            spec=scan.spec,
            measured=reduce_scan(
                store,
                plan.shards,
                sae.d_sae,
                contexts,
                facts,
                scan.spec.seed,
                lambda n, _, before=done: on_reduced(before + n, in_all),
            ),
            loss=next(lost),
            logits=logit_weights(plan.model, sae.vectors()[0], hook) if scan.needs_logits else None,
            started_at=record[0],
            command=record[1],
            options=_options(request),
        )
        done += sae.d_sae


def _write(
    plan: Plan,
    scan: Planned,
    finished: FinishedScan | None,
    request: IngestRequest,
    db: Path,
    wait: float,
    note: Note,
) -> ScanSummary:
    """Write one scan in one transaction, and clear what is no longer needed."""
    from atlas.db import open_atlas, store_of
    from ingest.shards.store import ShardStore
    from ingest.writing.writer import write_scan

    store = scan.measurement.store
    if scan.present or finished is None:
        store.tidy()
        return cast("ScanSummary", scan.present)
    try:
        with open_atlas(db, create=True, wait=max(wait, _PATIENCE)) as atlas:
            found, stale = write_scan(atlas, finished, replace=request.replace, note=note)
    except AtlasUnavailable as error:
        error.hint = f"all that was measured is kept: {error.hint}, and the same command writes it"
        raise
    if stale != scan.spec.folder:
        store.settle(plan.shards)
    if stale:
        ShardStore(store_of(db) / stale, keep=False).remove()
    return found


def _options(request: IngestRequest) -> dict[str, object]:
    options: dict[str, object] = asdict(request)
    return {**options, "corpus_source": str(request.corpus)}


def _once(note: Note) -> Note:
    """A note that says each sentence once."""
    said: set[str] = set()

    def say(text: str) -> None:
        if text not in said:
            said.add(text)
            note(text)

    return say
