"""One `featlas ingest` from request to rows: check everything, measure, open the database last."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from atlas.errors import UsageError
from ingest.sources.folders import check_model, check_sae
from ingest.sources.names import check_name, check_sae_name, check_text
from ingest.spec import IngestRequest, ScanSummary

if TYPE_CHECKING:
    import datetime

    from ingest.plan import Plan, Planned

Note = Callable[[str], None]
Progress = Callable[[int, int], None]


def ingest(
    request: IngestRequest,
    *,
    db: str | Path,
    wait: float = 0,
    command: str | None = None,
    on_note: Note = lambda text: None,
    on_progress: Progress = lambda done, total: None,
) -> list[ScanSummary]:
    """Measure SAEs on a corpus and write what was found; what is there already is not done again.

    Args:
        request: What to measure.
        db: The atlas; made if it is missing, opened for writing only when all is measured.
        wait: Seconds to wait for a locked atlas.
        command: Command line for the record; by default that of this process.
        on_note: Called with a sentence that the user should know.
        on_progress: Called as `on_progress(tokens_done, tokens_in_all)`.

    Returns:
        One summary an SAE, in the order of the request; none after a dry run.

    Raises:
        AtlasError: Something in the request is wrong; nothing was written.
    """
    check_request(request)
    # What follows imports torch, which takes seconds: only after everything that can be told without it.
    from atlas.runs import command_line, utc_now
    from ingest.plan import check_database, make_plan

    # DuckDB takes `:memory:` and `md:x` for something else than files, and a store has to stand beside a file.
    started_at, db = utc_now(), Path(db).absolute()
    check_database(db)
    note = _once(on_note)
    plan = make_plan(request, db, wait, note)
    if request.dry_run:
        from ingest.dry_run import describe

        describe(plan, request, note)
        return []
    record = (started_at, command or command_line())
    with ExitStack() as locks:
        for scan in plan.to_do:
            locks.enter_context(scan.measurement.store.locked())
        try:
            _say_what_is_there(plan, note)
            measure_missing(plan, request, on_progress)
            return [_write(plan, scan, request, db, wait, record, note) for scan in plan.scans]
        except KeyboardInterrupt as stop:
            if not any(scan.measurement.store.has(shard) for scan in plan.to_do for shard in plan.shards):
                raise
            kept = "finished shards are kept, and the same command goes on after them"
            raise KeyboardInterrupt(kept) from stop


def check_request(request: IngestRequest) -> None:
    """Raise on what can be told without loading anything."""
    if not request.saes:
        raise UsageError("no SAE is given", hint="--sae FOLDER, or --sae RELEASE/SAE_ID")
    if request.names and len(request.names) != len(request.saes):
        given = f"{len(request.names)} --name for {len(request.saes)} --sae"
        raise UsageError(given, hint="give one --name an SAE, in their order, or none")
    _check_words(request)
    for option, value, least in (
        ("--tokens", request.tokens, 1),
        ("--context-length", request.context_length, 2),
        ("--batch-size", request.batch_size, 1),
    ):
        if value is not None and value < least:
            raise UsageError(f"{option} {value} is too small", hint=f"give at least {least}")
    from ingest.sources.texts import check_corpus  # imports numpy, which asking for help does without

    check_corpus(
        request.corpus, text_field=request.text_field, label_field=request.label_field, shuffle=request.shuffle
    )
    check_model(request.model)
    for sae in request.saes:
        check_sae(sae)


def _check_words(request: IngestRequest) -> None:
    """Raise on a name or a path that is empty or cannot be stored."""
    check_text("--model", request.model)
    for sae in request.saes:
        check_text("--sae", sae)
    check_text("--corpus", str(request.corpus))
    for name in request.names:
        check_sae_name(name)
    if request.hook is not None:
        check_text("--hook", request.hook)
    if request.corpus_name is not None:
        check_name("--corpus-name", request.corpus_name)


def _say_what_is_there(plan: Plan, note: Note) -> None:
    """A note on shards that an earlier, interrupted run has left."""
    stores = [scan.measurement.store for scan in plan.to_do]
    there = sum(shard.n_tokens for shard in plan.shards if stores and all(store.has(shard) for store in stores))
    if there:
        note(f"going on after {there:,} tokens that were measured before")


def measure_missing(plan: Plan, request: IngestRequest, on_progress: Progress) -> None:
    """Make every shard that is missing, all SAEs in one pass; a scan with a number that is none leaves nothing."""
    from ingest.runner import NotFinite, measure

    measurements = [scan.measurement for scan in plan.to_do]
    try:
        measure(
            plan.model,
            measurements,
            plan.corpus.contexts,
            plan.shards,
            batch_size=request.batch_size,
            on_progress=on_progress,
        )
    except NotFinite:
        for measurement in measurements:
            measurement.store.remove()
        raise
    except BaseException:
        for measurement in measurements:
            measurement.store.discard_if_empty()
        raise


def _write(
    plan: Plan,
    scan: Planned,
    request: IngestRequest,
    db: Path,
    wait: float,
    record: tuple[datetime.datetime, str],
    note: Note,
) -> ScanSummary:
    """Reduce the shards of one scan, write it in one transaction, and clear what is no longer needed."""
    from atlas.db import open_atlas, store_of
    from ingest.finish import reduce_shards
    from ingest.shards import ShardStore
    from ingest.writer import FinishedScan, write_scan

    store = scan.measurement.store
    if scan.present:
        store.tidy(plan.shards)
        return scan.present
    finished = FinishedScan(
        model=plan.model,
        corpus=plan.corpus,
        measurement=scan.measurement,
        spec=scan.spec,
        measured=reduce_shards(store, plan.shards),
        started_at=record[0],
        command=record[1],
        options=_options(request),
    )
    with open_atlas(db, create=True, wait=wait) as atlas:
        found, stale = write_scan(atlas, finished, replace=request.replace, note=note)
    store.settle(plan.shards)
    if stale:
        ShardStore(store_of(db) / stale, keep=False).remove()
    return found


def _options(request: IngestRequest) -> dict[str, object]:
    """The request as it stands in the record."""
    options: dict[str, object] = asdict(request)
    return {**options, "corpus_source": str(request.corpus)}


def _once(note: Note) -> Note:
    """The same, but a sentence is said once only."""
    said: set[str] = set()

    def say(text: str) -> None:
        if text not in said:
            said.add(text)
            note(text)

    return say
