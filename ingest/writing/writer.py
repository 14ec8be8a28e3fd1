"""Writes one finished scan into the atlas: registries and statistics in one transaction, all or nothing."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from atlas.db import Atlas
from atlas.db.runs import add_run, next_id, utc_now
from ingest.planning import known as registry
from ingest.planning.known import Entry, Note
from ingest.running.logits import LogitWeights
from ingest.running.loss import LossRecovered
from ingest.running.runner import Measurement
from ingest.sources.models.model import Model
from ingest.spec import ScanSpec, ScanSummary
from ingest.writing.finish import Measured
from ingest.writing.register import (
    Columns,
    Corpus,
    add_corpus,
    add_logits,
    add_model,
    add_sae,
    add_tokenizer,
    one_row,
    with_id,
)
from ingest.writing.superseded import supersede

SOFTWARE = ("polars", "pyarrow", "torch", "transformers", "transformer-lens", "sae-lens")

_BY_FEATURE = (
    "feature_stat",
    "histogram",
    "feature_context",
    "feature_position",
    "feature_token",
    "feature_pooling",
)
_OF_A_SCAN = (*_BY_FEATURE, "scan_position", "scan_pooling", "feature_family", "ablation", "scan")
_COMPARISONS = (
    ("matching", "matching_id", "matching_pair", "matchings", "match"),
    ("pairing", "pairing_id", "pair", "correlations", "correlate"),
)
_OF_THE_SCAN = """
    (t.sae_a = $sae and t.corpus_id = $corpus) or (t.sae_b = $sae and coalesce(t.corpus_b, t.corpus_id) = $corpus)
"""


@dataclass(frozen=True, slots=True)
class FinishedScan:
    """What is written in one transaction."""

    model: Model
    """The model that ran."""
    corpus: Corpus
    """The text it ran on."""
    measurement: Measurement
    """The SAE, the hook and the store."""
    spec: ScanSpec
    """What decides the rows."""
    measured: Measured
    """The statistics."""
    loss: LossRecovered | None
    """What the SAE leaves of the model's predictions; None if its hook cannot be replaced."""
    logits: LogitWeights | None
    """What its decoder rows do to the vocabulary; None outside the residual stream, or if the atlas has it."""
    started_at: datetime.datetime
    """When the ingest began, UTC."""
    command: str
    """Command line."""
    options: Mapping[str, object]
    """What the user asked for, for the record."""


def write_scan(atlas: Atlas, scan: FinishedScan, *, replace: bool, note: Note) -> tuple[ScanSummary, str | None]:
    """Write a scan and the rows that it needs in the registries; what it found, and the folder that is not needed now.

    That is the folder of the scan that this one takes the place of; or its own, if another program has written an
    equal or a longer scan in the meantime.
    """
    own = scan.spec.folder if scan.spec.store else None
    with atlas.transaction():
        tokenizer = add_tokenizer(atlas, scan.model)
        model = add_model(atlas, scan.model, tokenizer, note)
        corpus = add_corpus(atlas, scan.corpus, tokenizer, note, replace=replace)
        sae = add_sae(atlas, scan.measurement, model, note)
        earlier = registry.earlier_scan(atlas, sae, corpus, scan.spec, scan.corpus.contexts, replace=replace)
        if earlier and not replace and earlier.n_contexts >= scan.corpus.contexts.n_contexts:
            found = summary(atlas, earlier.scan_id, measured=earlier.spec_sha256 == scan.spec.sha256)
            return found, None if earlier.store == own else scan.spec.folder
        if earlier:
            _remove(atlas, earlier.scan_id, sae, corpus, note)
        if scan.logits is not None:
            add_logits(atlas, scan.logits, sae)
        scan_id = _scan(atlas, scan, sae, corpus)
        stale = earlier.store if earlier and earlier.store != scan.spec.folder else None
        if stale:
            supersede(atlas.store / stale, scan.spec.folder)
    return summary(atlas, scan_id, measured=True), stale


def summary(atlas: Atlas, scan_id: int, *, measured: bool) -> ScanSummary:
    return ScanSummary(*atlas.fetch("catalog/scan_summary", scan_id=scan_id).rows[0], measured=measured)


def _scan(atlas: Atlas, scan: FinishedScan, sae: Entry, corpus: Entry) -> int:
    """Write the run, the scan and its statistics; the number of the scan."""
    measured, contexts = scan.measured, scan.corpus.contexts
    scan_id = next_id(atlas, "scan", "scan_id")
    spec = {**scan.options, "sae": sae.name, "corpus": corpus.name, "scan": asdict(scan.spec)}
    run_id = add_run(atlas, spec, scan.started_at, command=scan.command, packages=SOFTWARE)
    row = {
        "scan_id": scan_id,
        "sae_id": sae.row_id,
        "corpus_id": corpus.row_id,
        "run_id": run_id,
        "n_tokens": contexts.n_tokens,
        "n_contexts": contexts.n_contexts,
        "n_documents": contexts.n_documents,
        "n_nonzero": measured.n_nonzero,
        "fvu": measured.residuals.fvu,
        "exact_quantiles": measured.exact,
        "store": scan.spec.folder if scan.spec.store else None,
        "spec": scan.spec.json,
        "spec_sha256": scan.spec.sha256,
        "finished_at": utc_now(),
        **_loss_row(scan.loss),
    }
    atlas.insert("scan", one_row(row))
    for table in (*_BY_FEATURE, "scan_position", "scan_pooling"):
        for rows in measured.rows(table):
            atlas.insert(table, with_id("scan_id", scan_id, dict(rows.to_dict())))
    return scan_id


def _loss_row(loss: LossRecovered | None) -> Columns:
    """Columns of `scan` about what the SAE leaves of the model's predictions."""
    if loss is None:
        return {}
    return {"loss_tokens": loss.n_tokens, "ce": loss.clean, "ce_spliced": loss.spliced, "ce_ablated": loss.ablated}


def _remove(atlas: Atlas, scan_id: int, sae: Entry, corpus: Entry, note: Note) -> None:
    """Take a scan away, and what was computed from its activations; scores stay, as records of what they were of."""
    (n_families,) = atlas.rows(
        "select count(distinct f.family) from feature_family f where f.scan_id = $scan_id", scan_id=scan_id
    ).rows[0]
    for table in _OF_A_SCAN:
        atlas.con.execute(f"delete from {table} where scan_id = $scan_id", {"scan_id": scan_id})
    gone = [(n_families, "families", "families")]
    ids = {"corpus": corpus.row_id, "sae": sae.row_id}
    for table, key, pairs, name, command in _COMPARISONS:
        of_table = f"select t.{key} from {table} t where {_OF_THE_SCAN}"
        atlas.con.execute(f"delete from {pairs} where {key} in ({of_table})", ids)
        n = atlas.con.execute(f"delete from {table} as t where {_OF_THE_SCAN}", ids).fetchall()[0][0]
        gone.append((n, name, command))
    if gone := [(f"{n} {name}", command) for n, name, command in gone if n]:
        what, commands = (", ".join(parts) for parts in zip(*reversed(gone), strict=True))
        note(f"note: {what} of the earlier scan of {sae.name} are gone; run featlas {commands} again")
