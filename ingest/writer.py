"""Writes one finished scan into the atlas: registries and statistics in one transaction, all or nothing."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from atlas.db import Atlas
from atlas.runs import add_run, next_id, utc_now
from ingest import finish, registry
from ingest.finish import Columns, Measured, lists
from ingest.registry import Entry, Note
from ingest.runner import Measurement
from ingest.sources.contexts import Contexts
from ingest.sources.models import Model, layer_of
from ingest.spec import ScanSpec, ScanSummary

SOFTWARE = ("polars", "pyarrow", "torch", "transformers", "transformer-lens", "sae-lens")

_OF_A_SCAN = ("feature_stat", "histogram", "feature_context", "scan")


@dataclass(frozen=True, slots=True)
class Corpus:
    """A text as cut for one model."""

    name: str
    """What the user calls it."""

    source: str
    """As the user gave it."""

    contexts: Contexts
    """Its contexts."""


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

    started_at: datetime.datetime
    """When the ingest began, UTC."""

    command: str
    """Command line."""

    options: Mapping[str, object]
    """What the user asked for, for the record."""


def write_scan(atlas: Atlas, scan: FinishedScan, *, replace: bool, note: Note) -> tuple[ScanSummary, str | None]:
    """Write a scan and whatever it needs in the registries; what it found, and the folder of a scan it replaced."""
    with atlas.transaction():
        tokenizer = _tokenizer(atlas, scan.model)
        model = _model(atlas, scan.model, tokenizer, note)
        corpus = _corpus(atlas, scan.corpus, tokenizer, note)
        sae = _sae(atlas, scan.measurement, model, note)
        earlier = registry.earlier_scan(atlas, sae, corpus, scan.spec, replace=replace)
        if earlier:
            if earlier.spec_sha256 == scan.spec.sha256 and not replace:
                return summary(atlas, earlier.scan_id, measured=True), None
            _remove(atlas, earlier.scan_id, sae, corpus, note)
        scan_id = _scan(atlas, scan, sae, corpus)
    stale = earlier.store if earlier and earlier.store != scan.spec.folder else None
    return summary(atlas, scan_id, measured=True), stale


def summary(atlas: Atlas, scan_id: int, *, measured: bool) -> ScanSummary:
    """What a scan in the atlas found."""
    sql = """
        select c.sae, s.alias, c.corpus, c.scan_id, c.n_tokens, c.l0, c.n_alive, c.n_dead, c.n_dense, c.fvu
        from scans c join saes s on s.sae = c.sae where c.scan_id = $scan_id
    """
    return ScanSummary(*atlas.rows(sql, scan_id=scan_id).rows[0], measured=measured)


def _tokenizer(atlas: Atlas, model: Model) -> Entry:
    """Register the tokenizer and its vocabulary, unless they are there."""
    words = model.words
    entry = registry.tokenizer_entry(atlas, words.sha256)
    if not entry.known:
        n_vocab = len(words.texts)
        atlas.insert("tokenizer", {"tokenizer_id": [entry.row_id], "sha256": [words.sha256], "n_vocab": [n_vocab]})
        vocab: Columns = {
            "token_id": np.arange(n_vocab, dtype=np.int32),
            "text": list(words.texts),
            "class": list(words.classes),
        }
        atlas.insert("vocab", _with_id("tokenizer_id", entry.row_id, vocab))
    return entry


def _model(atlas: Atlas, model: Model, tokenizer: Entry, note: Note) -> Entry:
    """Register the model, unless it is there."""
    entry = registry.model_entry(atlas, model, note)
    if not entry.known:
        row = {
            "model_id": entry.row_id,
            "name": entry.name,
            "source": model.source,
            "sha256": model.sha256,
            "architecture": model.architecture,
            "d_model": model.d_model,
            "n_layers": model.n_layers,
            "n_ctx": model.n_ctx,
            "tokenizer_id": tokenizer.row_id,
        }
        atlas.insert("model", _one_row(row))
    return entry


def _corpus(atlas: Atlas, corpus: Corpus, tokenizer: Entry, note: Note) -> Entry:
    """Register the corpus and its contexts, unless they are there."""
    contexts = corpus.contexts
    entry = registry.corpus_entry(atlas, contexts, corpus.name, note)
    if entry.known:
        return entry
    row = {
        "corpus_id": entry.row_id,
        "name": entry.name,
        "source": corpus.source,
        "sha256": contexts.sha256,
        "tokenizer_id": tokenizer.row_id,
        "context_length": contexts.context_length,
        "prepend_bos": contexts.prepend_bos,
        "n_documents": contexts.n_documents,
        "n_contexts": contexts.n_contexts,
        "n_tokens": contexts.n_tokens,
    }
    atlas.insert("corpus", _one_row(row))
    lengths = np.diff(contexts.offsets)
    rows: Columns = {
        "context_id": np.arange(contexts.n_contexts, dtype=np.int32),
        "first_token": contexts.first_token[:-1],
        "token_ids": lists(pa.array(contexts.token_ids), lengths),
        "documents": lists(pa.array(contexts.documents), lengths),
    }
    atlas.insert("context", _with_id("corpus_id", entry.row_id, rows))
    return entry


def _sae(atlas: Atlas, measurement: Measurement, model: Entry, note: Note) -> Entry:
    """Register the SAE and its vectors, unless they are there."""
    sae = measurement.sae
    entry = registry.sae_entry(atlas, sae, measurement.hook, model.row_id, note)
    if entry.known:
        return entry
    row = {
        "sae_id": entry.row_id,
        "name": entry.name,
        "alias": registry.next_alias(atlas),
        "model_id": model.row_id,
        "hook_name": measurement.hook,
        "layer": layer_of(measurement.hook),
        "architecture": sae.architecture,
        "d_in": sae.d_in,
        "d_sae": sae.d_sae,
        "source": sae.source,
        "sha256": sae.sha256,
        "decoder_norm": sae.decoder_norm,
        "cfg": sae.cfg,
    }
    atlas.insert("sae", _one_row(row))
    w_dec, w_enc, b_enc = sae.vectors()
    vectors: Columns = {
        "feature_id": np.arange(sae.d_sae, dtype=np.int32),
        "w_dec": lists(pa.array(w_dec.ravel()), np.full(len(w_dec), w_dec.shape[1])),
        "w_enc": lists(pa.array(w_enc.ravel()), np.full(len(w_enc), w_enc.shape[1])),
        "b_enc": b_enc,
        "decoder_norm": sae.norms,
    }
    atlas.insert("feature_vector", _with_id("sae_id", entry.row_id, vectors))
    return entry


def _scan(atlas: Atlas, scan: FinishedScan, sae: Entry, corpus: Entry) -> int:
    """Write the run, the scan and its statistics; the number of the scan."""
    partial, contexts = scan.measured.partial, scan.corpus.contexts
    scan_id = next_id(atlas, "scan", "scan_id")
    spec = {**scan.options, "sae": sae.name, "corpus": corpus.name, "scan": asdict(scan.spec)}
    run_id = add_run(atlas, spec, scan.started_at, command=scan.command, packages=SOFTWARE)
    row = {
        "scan_id": scan_id,
        "sae_id": sae.row_id,
        "corpus_id": corpus.row_id,
        "run_id": run_id,
        "n_tokens": partial.moments.n_tokens,
        "n_nonzero": int(partial.moments.n_fired.sum()),
        "fvu": partial.residuals.fvu,
        "exact_quantiles": scan.measured.exact,
        "store": scan.spec.folder if scan.spec.store else None,
        "spec": scan.spec.json,
        "spec_sha256": scan.spec.sha256,
        "finished_at": utc_now(),
    }
    atlas.insert("scan", _one_row(row))
    texts = np.array(scan.model.words.texts, dtype=object)
    tables = {
        "feature_stat": finish.feature_stat(scan.measured, texts, contexts.counted_ids()),
        "histogram": finish.histogram(scan.measured),
        "feature_context": finish.feature_context(scan.measured),
    }
    for table, columns in tables.items():
        atlas.insert(table, _with_id("scan_id", scan_id, columns))
    return scan_id


def _remove(atlas: Atlas, scan_id: int, sae: Entry, corpus: Entry, note: Note) -> None:
    """Take a scan away, and the pairs that were made from its activations."""
    for table in _OF_A_SCAN:
        atlas.con.execute(f"delete from {table} where scan_id = $scan_id", {"scan_id": scan_id})
    of_both = "corpus_id = $corpus and (sae_a = $sae or sae_b = $sae)"
    ids = {"corpus": corpus.row_id, "sae": sae.row_id}
    atlas.con.execute(f"delete from pair where pairing_id in (select pairing_id from pairing where {of_both})", ids)
    gone = atlas.con.execute(f"delete from pairing where {of_both}", ids).fetchall()[0][0]
    if gone:
        note(f"note: {gone} correlations with the earlier scan of {sae.name} are gone; run featlas correlate again")


def _one_row(row: Mapping[str, object]) -> Columns:
    """Columns of a single row."""
    return {name: [value] for name, value in row.items()}


def _with_id(name: str, value: int, columns: Columns) -> Columns:
    """The same columns with a constant before them."""
    n_rows = len(next(iter(columns.values())))  # type: ignore[arg-type]
    return {name: pl.repeat(value, n_rows, dtype=pl.Int32, eager=True), **columns}
