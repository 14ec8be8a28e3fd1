"""Writes what an atlas lacks of a tokenizer, a model, a corpus or an SAE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from atlas.db import Atlas
from ingest.planning import known as registry
from ingest.planning.known import Entry, Note
from ingest.running.logits import LogitWeights
from ingest.running.runner import Measurement
from ingest.sources.models.model import Model, layer_of
from ingest.sources.saes.sae import Sae
from ingest.sources.tokens.contexts import Contexts
from ingest.writing.rows import lists

Columns = dict[str, object]

_CONTEXTS_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Corpus:
    """A text as tokenized for one model."""

    name: str
    """What the user calls it."""
    source: str
    """As the user gave it."""
    contexts: Contexts
    """Its contexts."""


def add_tokenizer(atlas: Atlas, model: Model) -> Entry:
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
        atlas.insert("vocab", with_id("tokenizer_id", entry.row_id, vocab))
    return entry


def add_model(atlas: Atlas, model: Model, tokenizer: Entry, note: Note) -> Entry:
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
        atlas.insert("model", one_row(row))
    return entry


def add_corpus(atlas: Atlas, corpus: Corpus, tokenizer: Entry, note: Note, *, replace: bool) -> Entry:
    """Register the corpus with its contexts and documents, or what it has grown by.

    Raises:
        UsageError: Its documents carry other labels in this atlas, and are not to get these.
    """
    contexts = corpus.contexts
    entry = registry.corpus_entry(atlas, contexts, corpus.name, note)
    if entry.known and contexts.labels is not None:
        _relabel(atlas, contexts.labels, entry, replace=replace)
    if entry.known and entry.n_contexts >= contexts.n_contexts:
        return entry
    extent = {
        "sha256": contexts.sha256,
        "n_documents": contexts.n_documents,
        "n_contexts": contexts.n_contexts,
        "n_tokens": contexts.n_tokens,
    }
    if entry.known:
        changes = ", ".join(f"{name} = ${name}" for name in extent)
        atlas.rows(f"update corpus set {changes} where corpus_id = $corpus", corpus=entry.row_id, **extent)
    else:
        row = {
            "corpus_id": entry.row_id,
            "name": entry.name,
            "source": corpus.source,
            "tokenizer_id": tokenizer.row_id,
            "context_length": contexts.context_length,
            "prepend_bos": contexts.prepend_bos,
            "packing": contexts.packing,
        }
        atlas.insert("corpus", one_row(row | extent))
    _contexts(atlas, contexts, entry)
    _documents(atlas, contexts, entry)
    return entry


def _contexts(atlas: Atlas, contexts: Contexts, entry: Entry) -> None:
    """Write the contexts that the atlas lacks."""
    for begin in range(entry.n_contexts, contexts.n_contexts, _CONTEXTS_AT_ONCE):
        end = min(begin + _CONTEXTS_AT_ONCE, contexts.n_contexts)
        here, lengths = slice(*contexts.offsets[[begin, end]]), np.diff(contexts.offsets[begin : end + 1])
        rows: Columns = {
            "context_id": np.arange(begin, end, dtype=np.int32),
            "first_token": contexts.first_token[begin:end],
            "token_ids": lists(pa.array(contexts.token_ids[here]), lengths),
            "documents": lists(pa.array(contexts.documents[here]), lengths),
        }
        atlas.insert("context", with_id("corpus_id", entry.row_id, rows))


def _relabel(atlas: Atlas, labels: np.ndarray, entry: Entry, *, replace: bool) -> None:
    """Give the documents that the atlas has the labels of this ingest; others are only replaced if asked for."""
    if registry.same_labels(registry.stored_labels(atlas, entry), labels):
        return
    if not replace:
        registry.refuse_other_labels(atlas, entry, labels)
    frame = pl.DataFrame({"document_id": np.arange(len(labels), dtype=np.int32), "label": labels})
    _update(atlas, "document", ("corpus_id", entry.row_id), frame)


def _update(atlas: Atlas, table: str, of: tuple[str, int], frame: pl.DataFrame) -> None:
    """Set columns of the rows of one thing: the first column of the frame is the key, NaN becomes null."""
    key, *columns = frame.columns
    atlas.con.register("incoming", frame.fill_nan(None).to_arrow())
    changes = ", ".join(f"{name} = n.{name}" for name in columns)
    atlas.rows(
        f"update {table} set {changes} from incoming n where {table}.{of[0]} = $id and {table}.{key} = n.{key}",
        id=of[1],
    )
    atlas.con.unregister("incoming")


def _documents(atlas: Atlas, contexts: Contexts, entry: Entry) -> None:
    """Write the documents that the atlas lacks, and the last one it has: that may have been cut off."""
    known = atlas.rows("select max(document_id) from document where corpus_id = $id", id=entry.row_id).rows[0][0]
    begin = known or 0
    atlas.rows("delete from document where corpus_id = $id and document_id >= $begin", id=entry.row_id, begin=begin)
    lengths = contexts.document_lengths()
    first = np.cumsum(lengths) - lengths
    labels = contexts.labels
    rows: Columns = {
        "document_id": np.arange(begin, len(lengths), dtype=np.int32),
        "first_token": first[begin:],
        "n_tokens": lengths[begin:],
    }
    if labels is not None:
        rows |= {"label": np.ma.array(labels, mask=np.isnan(labels))[begin:]}
    atlas.insert("document", with_id("corpus_id", entry.row_id, rows))


def add_sae(atlas: Atlas, measurement: Measurement, model: Entry, note: Note) -> Entry:
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
    atlas.insert("sae", one_row(row))
    _vectors(atlas, sae, entry)
    return entry


def _vectors(atlas: Atlas, sae: Sae, entry: Entry) -> None:
    """Write decoder rows, encoder columns, norms and biases."""
    w_dec, w_enc, b_enc = sae.vectors()
    vectors: Columns = {
        "feature_id": np.arange(sae.d_sae, dtype=np.int32),
        "w_dec": lists(pa.array(w_dec.ravel()), np.full(len(w_dec), w_dec.shape[1])),
        "w_enc": lists(pa.array(w_enc.ravel()), np.full(len(w_enc), w_enc.shape[1])),
        "b_enc": b_enc,
        "decoder_norm": sae.norms,
        "encoder_norm": np.linalg.norm(w_enc, axis=1).astype(np.float32),
    }
    atlas.insert("feature_vector", with_id("sae_id", entry.row_id, vectors))


def add_logits(atlas: Atlas, logits: LogitWeights, sae: Entry) -> None:
    """Write what decoder rows do to the vocabulary, unless the atlas has it."""
    if registry.has_logits(atlas, sae):
        return
    n_features, k = logits.top_ids.shape
    moments = {"mean": logits.mean, "std": logits.std, "skew": logits.skew, "kurtosis": logits.kurtosis}
    columns = {f"logit_{name}": values for name, values in moments.items()}
    frame = pl.DataFrame({"feature_id": np.arange(n_features, dtype=np.int32), **columns})
    _update(atlas, "feature_vector", ("sae_id", sae.row_id), frame)
    signs = ((1, logits.top_ids, logits.top_logits), (-1, logits.bottom_ids, logits.bottom_logits))
    rows: Columns = {
        "feature_id": np.tile(np.repeat(np.arange(n_features, dtype=np.int32), k), 2),
        "sign": np.repeat(np.array([sign for sign, _, _ in signs], np.int8), n_features * k),
        "rank": np.tile(np.arange(1, k + 1, dtype=np.int16), 2 * n_features),
        "token_id": np.concatenate([ids.ravel() for _, ids, _ in signs]).astype(np.int32),
        "logit": np.concatenate([weights.ravel() for _, _, weights in signs]).astype(np.float32),
    }
    sorted_rows = pl.DataFrame(rows).sort("feature_id", pl.col("sign") < 0, "rank").to_dict()
    atlas.insert("logit_token", with_id("sae_id", sae.row_id, dict(sorted_rows)))


def one_row(row: Mapping[str, object]) -> Columns:
    return {name: [value] for name, value in row.items()}


def with_id(name: str, value: int, columns: Columns) -> Columns:
    n_rows = len(next(iter(columns.values())))  # type: ignore[arg-type]
    return {name: pl.repeat(value, n_rows, dtype=pl.Int32, eager=True), **columns}
