"""From a request to what will be measured: everything is checked here, before the first forward pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from atlas.db import Atlas, open_atlas, store_of
from atlas.errors import AtlasUnavailable
from ingest.planning import choices
from ingest.planning import known as registry
from ingest.planning.memory import sizes
from ingest.planning.opened import Opened
from ingest.running.runner import Measurement
from ingest.shards.pieces import Shard, plan_shards
from ingest.shards.store import ShardStore
from ingest.sources.models.classes import agreed_model
from ingest.sources.models.model import Model, check_device, default_device, is_written, load_model
from ingest.sources.saes.sae import Sae, check_names, load_sae
from ingest.sources.tokens.contexts import cut
from ingest.spec import IngestRequest, ScanSpec, ScanSummary
from ingest.writing.register import Corpus
from ingest.writing.superseded import clear_superseded
from ingest.writing.writer import summary

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Planned:
    """One SAE that is asked for."""

    measurement: Measurement
    """The SAE, the hook and the store."""
    spec: ScanSpec
    """What decides its rows."""
    present: ScanSummary | None
    """The same scan, if the atlas holds it already, nothing of it is missing, and --replace is not given."""
    earlier: ShardStore | None
    """Store of a scan of the first contexts of the same corpus, from which this one resumes."""
    needs_logits: bool
    """Whether the atlas lacks what its decoder rows do to the vocabulary."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an ingest needs, checked and at hand."""

    model: Model
    """The model."""
    corpus: Corpus
    """The text, cut into contexts."""
    batch_size: int
    """Contexts in a forward pass."""
    shards: list[Shard]
    """Pieces of the corpus."""
    scans: list[Planned]
    """SAEs in the order of the request."""

    @property
    def to_do(self) -> list[Planned]:
        """Scans that are to be measured."""
        return [scan for scan in self.scans if scan.present is None]


def make_plan(opened: Opened, db: Path, wait: float, note: Note) -> Plan:
    """Load the SAEs and the model, cut the text, and look at what the atlas holds.

    Raises:
        AtlasError: They do not fit each other, or the atlas.
    """
    request = opened.request
    model, saes = _load(opened, note)
    hooks = [choices.hook(sae, model) for sae in saes]
    for sae in saes:
        sae.try_out()
        if n_zero := int((sae.norms == 0).sum()):
            note(f"note: {n_zero:,} decoder rows of {sae.name} are zero; these features reconstruct nothing")
    corpus = _corpus(opened, model, saes, db.parent, note)
    specs = [_spec(request, model, sae, hook, corpus) for sae, hook in zip(saes, hooks, strict=True)]
    measurements = [
        Measurement(sae, spec.hook, spec.centred, ShardStore(store_of(db) / spec.folder, request.store))
        for sae, spec in zip(saes, specs, strict=True)
    ]
    scans = _compared(request, db, wait, model, corpus, measurements, specs, note)
    ends = sorted({end for scan in scans if scan.earlier for end in scan.earlier.ends(corpus.contexts)})
    # Of all SAEs, also of those that are done: a command that resumes must place shards as it did before.
    needed = measurements if any(scan.present is None for scan in scans) else []
    batch_size, shard_tokens = sizes(request, model, needed, corpus.contexts, note)
    return Plan(model, corpus, batch_size, plan_shards(corpus.contexts, shard_tokens, ends), scans)


def _load(opened: Opened, note: Note) -> tuple[Model, list[Sae]]:
    """The model and its SAEs."""
    request, wanted = opened.request, opened.saes
    note(f"loading {request.model} and {len(wanted)} SAE{'s' if len(wanted) > 1 else ''}")
    device = check_device(request.device) if request.device else default_device()
    names = request.names or tuple(sae.name for sae in wanted)
    saes = [
        replace(load_sae(sae.source, device, name=name, hook=request.hook), named=bool(request.names))
        for sae, name in zip(wanted, names, strict=True)
    ]
    check_names(saes)
    model_class, options = agreed_model(saes, request.model, request.model_class)
    model = load_model(request.model, device, model_class=model_class, dtype=request.dtype, model_kwargs=options)
    return model, saes


def _corpus(opened: Opened, model: Model, saes: Sequence[Sae], scratch: Path, note: Note) -> Corpus:
    """The text, tokenized for the model; a long one is kept in the folder `scratch`, without a name."""
    request, source = opened.request, opened.text
    given = choices.row_length(source, request, model)
    contexts = cut(
        source.documents(model.tokenizer, model.words, scratch),
        model.tokenizer,
        model.words,
        context_length=given or choices.context_length(request, saes, model, note),
        prepend_bos=given is None and choices.prepend_bos(request, saes, model),
        max_tokens=request.tokens,
        packing=request.packing if given is None else "rows",
        n_embedded=model.n_embedded,
        keep_labels=request.label_field is not None,
        scratch=scratch,
    )
    if request.tokens and contexts.n_tokens < request.tokens:
        note(f"note: the corpus ends after {contexts.n_tokens:,} tokens")
    return Corpus(request.corpus_name or source.name, source.source, contexts)


def _spec(request: IngestRequest, model: Model, sae: Sae, hook: str, corpus: Corpus) -> ScanSpec:
    """What decides the rows of one scan."""
    return ScanSpec(
        model_sha256=model.sha256,
        sae_sha256=sae.sha256,
        hook=hook,
        centred=sae.centred and model.centres and is_written(hook),
        corpus_sha256=corpus.contexts.sha256,
        labels_sha256=corpus.contexts.labels_sha256(corpus.contexts.n_contexts),
        decoder_norm=sae.decoder_norm,
        store=request.store,
        seed=request.seed,
        dtype=model.dtype,
    )


def _compared(
    request: IngestRequest,
    db: Path,
    wait: float,
    model: Model,
    corpus: Corpus,
    measurements: Sequence[Measurement],
    specs: Sequence[ScanSpec],
    note: Note,
) -> list[Planned]:
    """What is asked for against what the atlas holds; raises where a name or an earlier scan is in the way."""
    if not db.exists():
        return [Planned(of, spec, None, None, True) for of, spec in zip(measurements, specs, strict=True)]
    with open_atlas(db, wait=wait) as atlas:
        clear_superseded(atlas)
        model_entry = registry.model_entry(atlas, model, note)
        corpus_entry = registry.corpus_entry(atlas, corpus.contexts, corpus.name, note)
        return [
            _compared_scan(atlas, request, measurement, spec, model_entry.row_id, corpus_entry, corpus, note)
            for measurement, spec in zip(measurements, specs, strict=True)
        ]


def _compared_scan(
    atlas: Atlas,
    request: IngestRequest,
    measurement: Measurement,
    spec: ScanSpec,
    model_id: int,
    entry: registry.Entry,
    corpus: Corpus,
    note: Note,
) -> Planned:
    """One SAE that is asked for, against what the atlas holds."""
    sae = registry.sae_entry(atlas, measurement.sae, measurement.hook, model_id, note)
    needs_logits = not registry.has_logits(atlas, sae)
    new = Planned(measurement, spec, None, None, needs_logits)
    earlier = registry.earlier_scan(atlas, sae, entry, spec, corpus.contexts, replace=request.replace)
    if earlier is None or request.replace:
        return new
    n_contexts, name = corpus.contexts.n_contexts, measurement.sae.name
    there = replace(new, present=summary(atlas, earlier.scan_id, measured=False))
    if earlier.n_contexts > n_contexts:
        more = f"{name} was measured on {earlier.n_tokens:,} tokens of {entry.name} before"
        note(f"note: {more}, which include these; --replace measures it on these only")
        return there
    if earlier.n_contexts == n_contexts:
        if measurement.store.keeps(earlier.n_tokens):
            return there
        note(f"note: activations of {name} on {entry.name} are missing on the disk, so they are made again")
        return new
    left = ShardStore(store_of(Path(atlas.path)) / earlier.store, keep=True) if earlier.store else None
    if left is None or not left.base.is_whole() or not left.keeps(earlier.n_tokens):
        why = "are not on the disk any more" if earlier.store else "were measured with --no-store"
        note(f"note: the first {earlier.n_tokens:,} tokens of {name} {why}, so all are measured")
        return new
    note(f"{name} resumes after the {earlier.n_tokens:,} tokens that it was measured on before")
    return replace(new, earlier=left)


def check_database(db: Path) -> None:
    """Raise if no database can be written at `db`; makes nothing."""
    if db.is_dir() or not db.parent.is_dir():
        raise AtlasUnavailable(
            f"{db} cannot be a database file", hint="give a file name in a folder that exists: --db atlas.duckdb"
        )
    store = store_of(db)
    if store.exists() and not store.is_dir():
        raise AtlasUnavailable(f"{store} is not a folder", why="activations go there", hint="move it, or name --db")
    for path in (db.parent, db, store):
        if path.exists() and not os.access(path, os.W_OK):
            raise AtlasUnavailable(f"{path} may not be written to", hint="give a --db in a folder that is yours")
