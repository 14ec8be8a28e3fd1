"""From a request to what will be measured: everything is checked here, before the first forward pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from atlas.db import Atlas, open_atlas, store_of
from atlas.errors import AtlasUnavailable, UsageError
from ingest import registry
from ingest.runner import Measurement
from ingest.shards import Shard, ShardStore, plan_shards
from ingest.sources.contexts import cut
from ingest.sources.models import Model, check_device, default_device, is_written, load_model
from ingest.sources.saes import Sae, check_names, load_sae
from ingest.sources.texts import CorpusText, open_corpus
from ingest.spec import IngestRequest, ScanSpec, ScanSummary
from ingest.writer import Corpus, summary

Note = Callable[[str], None]

_DEFAULT_CONTEXT = 128


@dataclass(frozen=True, slots=True)
class Planned:
    """One SAE that is asked for."""

    measurement: Measurement
    """The SAE, the hook and the store."""

    spec: ScanSpec
    """What decides its rows."""

    present: ScanSummary | None
    """The same scan, if the atlas holds it already, nothing of it is missing and it is not to be replaced."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an ingest needs, checked and at hand."""

    model: Model
    """The model."""

    corpus: Corpus
    """The text, cut into contexts."""

    shards: list[Shard]
    """Pieces of the corpus."""

    scans: list[Planned]
    """SAEs in the order of the request."""

    @property
    def to_do(self) -> list[Planned]:
        """Scans that are to be measured."""
        return [scan for scan in self.scans if scan.present is None]


def make_plan(request: IngestRequest, db: Path, wait: float, note: Note) -> Plan:
    """Load the model and the SAEs, cut the text, and look at what the atlas holds.

    Raises:
        AtlasError: They do not fit each other, or the atlas.
    """
    note(f"loading {request.model} and {len(request.saes)} SAE{'s' if len(request.saes) > 1 else ''}")
    device = check_device(request.device) if request.device else default_device()
    model = load_model(request.model, device)
    names = request.names or (None,) * len(request.saes)
    saes = [
        load_sae(source, device, name=name, hook=request.hook) for source, name in zip(request.saes, names, strict=True)
    ]
    check_names(saes)
    hooks = [_hook(sae, model) for sae in saes]
    for sae in saes:
        sae.try_out()
        if n_zero := int((sae.norms == 0).sum()):
            note(f"note: {n_zero:,} decoder rows of {sae.name} are zero; these features reconstruct nothing")
    source = open_corpus(
        request.corpus, text_field=request.text_field, label_field=request.label_field, shuffle=request.shuffle
    )
    contexts = cut(
        source.documents(model.tokenizer, model.words),
        model.tokenizer,
        model.words,
        context_length=_row_length(source, request, model) or _context_length(request, saes, model, note),
        prepend_bos=source.row_length is None and _prepend_bos(request, saes, model),
        max_tokens=request.tokens,
        packing=request.packing if source.row_length is None else "rows",
        n_embedded=model.n_embedded,
        keep_labels=request.label_field is not None,
    )
    if request.tokens and contexts.n_tokens < request.tokens:
        note(f"note: the corpus ends after {contexts.n_tokens:,} tokens")
    corpus = Corpus(request.corpus_name or source.name, source.source, contexts)
    specs = [_spec(request, model, sae, hook, corpus) for sae, hook in zip(saes, hooks, strict=True)]
    measurements = [
        Measurement(sae, spec.hook, spec.centred, ShardStore(store_of(db) / spec.folder, request.store))
        for sae, spec in zip(saes, specs, strict=True)
    ]
    shards = plan_shards(contexts, request.shard_tokens)
    present = _present(request, db, wait, model, corpus, shards, measurements, specs, note)
    scans = [Planned(*parts) for parts in zip(measurements, specs, present, strict=True)]
    return Plan(model, corpus, shards, scans)


def _hook(sae: Sae, model: Model) -> str:
    """The point of the model that an SAE reads, when its width fits."""
    if sae.hook is None:
        known = ", ".join(hook for hook in model.hooks if hook.endswith("hook_resid_post"))
        raise UsageError(
            f"the cfg of {sae.name} does not say which hook it reads",
            why=f"{model.name} has {known}, …",
            hint=f"name the one it was trained on, for instance --hook {model.residual_hook}",
        )
    width = model.width(sae.hook)
    if width != sae.d_in:
        raise UsageError(
            f"{sae.name} does not fit {sae.hook} of {model.name}",
            why=f"it reads {sae.d_in} numbers and the hook gives {width}",
            hint="give the model it was trained on, or another --hook",
        )
    return sae.hook


def _row_length(source: CorpusText, request: IngestRequest, model: Model) -> int | None:
    """Tokens of a context of a corpus that is cut already; None if it is not."""
    length = source.row_length
    if length is None:
        return None
    if request.context_length not in (None, length):
        raise UsageError(
            f"--context-length {request.context_length} is not that of {source.source}",
            why=f"its contexts are cut already, at {length} tokens",
            hint="give no --context-length",
        )
    if model.n_ctx and length > model.n_ctx:
        raise UsageError(
            f"the contexts of {source.source} have {length} tokens",
            why=f"the longest context of {model.name} has {model.n_ctx}",
            hint="save the token ids as a stream, (tokens,), and they are cut shorter",
        )
    return length


def _context_length(request: IngestRequest, saes: Sequence[Sae], model: Model, note: Note) -> int:
    """Tokens of a context: as asked for, as the SAEs were trained, or 128; never more than the model reads."""
    longest = model.n_ctx
    if request.context_length is not None:
        if longest and request.context_length > longest:
            raise UsageError(
                f"--context-length {request.context_length} is more than {model.name} reads",
                why=f"its longest context has {longest} tokens",
                hint=f"--context-length {longest}",
            )
        return request.context_length
    for sae in saes:
        if sae.context_size is not None and (type(sae.context_size) is not int or sae.context_size < 2):
            raise UsageError(
                f"the cfg of {sae.name} speaks of contexts of {sae.context_size!r} tokens",
                why="a context has two tokens or more",
                hint=f"--context-length {min(longest or _DEFAULT_CONTEXT, _DEFAULT_CONTEXT)}",
            )
    trained = sorted({sae.context_size for sae in saes if sae.context_size is not None})
    if len(trained) > 1:
        note(f"note: the SAEs were trained on contexts of {', '.join(map(str, trained))} tokens; taking {trained[0]}")
    length = trained[0] if trained else _DEFAULT_CONTEXT
    return min(length, longest) if longest else length


def _prepend_bos(request: IngestRequest, saes: Sequence[Sae], model: Model) -> bool:
    """Whether contexts begin with BOS: as asked for, as the SAEs were trained, or if there is one."""
    if request.prepend_bos is not None:
        return request.prepend_bos
    trained = {sae.name: sae.prepend_bos for sae in saes if sae.prepend_bos is not None}
    if len(set(trained.values())) > 1:
        with_bos = ", ".join(name for name, bos in trained.items() if bos)
        without = ", ".join(name for name, bos in trained.items() if not bos)
        raise UsageError(
            "these SAEs were trained on contexts of different kinds",
            why=f"with BOS: {with_bos}; without: {without}",
            hint="ingest them in two commands, or choose with --prepend-bos or --no-prepend-bos",
        )
    return next(iter(trained.values()), model.words.bos_id is not None)


def _spec(request: IngestRequest, model: Model, sae: Sae, hook: str, corpus: Corpus) -> ScanSpec:
    """What decides the rows of one scan."""
    return ScanSpec(
        model_sha256=model.sha256,
        sae_sha256=sae.sha256,
        hook=hook,
        centred=sae.centred and model.centres and is_written(hook),
        corpus_sha256=corpus.contexts.sha256,
        decoder_norm=sae.decoder_norm,
        store=request.store,
        shard_tokens=request.shard_tokens,
    )


def _present(
    request: IngestRequest,
    db: Path,
    wait: float,
    model: Model,
    corpus: Corpus,
    shards: list[Shard],
    measurements: Sequence[Measurement],
    specs: Sequence[ScanSpec],
    note: Note,
) -> list[ScanSummary | None]:
    """Scans that the atlas holds already; raises where a name or an earlier scan is in the way."""
    if not db.exists():
        return [None] * len(specs)
    with open_atlas(db, wait=wait) as atlas:
        model_entry = registry.model_entry(atlas, model, note)
        corpus_entry = registry.corpus_entry(atlas, corpus.contexts, corpus.name, note)
        return [
            _present_scan(atlas, request, measurement, spec, model_entry.row_id, corpus_entry, shards, note)
            for measurement, spec in zip(measurements, specs, strict=True)
        ]


def _present_scan(
    atlas: Atlas,
    request: IngestRequest,
    measurement: Measurement,
    spec: ScanSpec,
    model_id: int,
    corpus: registry.Entry,
    shards: list[Shard],
    note: Note,
) -> ScanSummary | None:
    """The same scan, if the atlas holds it, nothing of it is missing and it is not to be replaced."""
    sae = registry.sae_entry(atlas, measurement.sae, measurement.hook, model_id, note)
    earlier = registry.earlier_scan(atlas, sae, corpus, spec, replace=request.replace)
    if earlier is None or request.replace or earlier.spec_sha256 != spec.sha256:
        return None
    if not measurement.store.keeps(shards):
        note(f"note: activations of {sae.name} on {corpus.name} are missing on the disk, so they are made again")
        return None
    return summary(atlas, earlier.scan_id, measured=False)


def check_database(db: Path) -> None:
    """Raise if no database can be written at `db`; makes nothing."""
    if db.is_dir() or not db.parent.is_dir():
        raise AtlasUnavailable(
            f"{db} cannot be a database file", hint="give a file name in a folder that exists: --db atlas.duckdb"
        )
    store = store_of(db)
    if store.exists() and not store.is_dir():
        raise AtlasUnavailable(f"{store} is no folder", why="activations are kept in it", hint="move it, or name --db")
    for path in (db.parent, db, store):
        if path.exists() and not os.access(path, os.W_OK):
            raise AtlasUnavailable(f"{path} may not be written to", hint="give a --db in a folder that is yours")
