"""Whether an atlas already knows a tokenizer, model, corpus, SAE or scan, and what a new one is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, product
from string import ascii_uppercase
from typing import Any

import numpy as np

from atlas.db import Atlas, Rows
from atlas.db.runs import next_id
from atlas.errors import AtlasError, UsageError
from ingest.sources.models.model import Model
from ingest.sources.names import check_sae_name
from ingest.sources.saes.sae import Sae
from ingest.sources.tokens.contexts import Contexts
from ingest.spec import ScanSpec

Note = Callable[[str], None]

_CONTEXTS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a registry, there or to come."""

    row_id: int
    """Its number."""
    name: str
    """Its name."""
    known: bool
    """Whether it is in the atlas already."""
    n_contexts: int = 0
    """Of a corpus: contexts of it that the atlas has."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A scan of the same SAE on the same corpus that is in the atlas."""

    scan_id: int
    """Its number."""
    spec_sha256: str
    """What it was asked for."""
    store: str | None
    """Its folder in the store; None if it kept no activations."""
    n_contexts: int
    """Contexts of the corpus that it covers, from the first."""
    n_tokens: int
    """Counted tokens of these."""


def tokenizer_entry(atlas: Atlas, sha256: str) -> Entry:
    found = _one(atlas, "select tokenizer_id, sha256 from tokenizer where sha256 = $sha256", sha256=sha256)
    return Entry(found[0], sha256, True) if found else Entry(next_id(atlas, "tokenizer", "tokenizer_id"), sha256, False)


def model_entry(atlas: Atlas, model: Model, note: Note) -> Entry:
    """The model with these weights, under the name that the atlas has for it; else a name that is free."""
    found = _one(atlas, "select model_id, name from model where sha256 = $sha256", sha256=model.sha256)
    if found:
        if found[1] != model.name:
            note(f"note: the model {model.name} is in this atlas already, as {found[1]}")
        return Entry(found[0], found[1], True)
    name = _free_name(atlas, "model", model.name)
    if name != model.name:
        note(f"note: this atlas has another model named {model.name}, so this one is {name}")
    return Entry(next_id(atlas, "model", "model_id"), name, False)


def corpus_entry(atlas: Atlas, contexts: Contexts, name: str, note: Note) -> Entry:
    """The corpus that begins with these contexts, or that these begin with, under the name that the atlas has for it.

    If there is none, a name that is free.
    """
    for corpus_id, known, sha256, n_contexts in _corpora_tokenized_alike(atlas, contexts):
        if n_contexts == contexts.n_contexts:
            same = sha256 == contexts.sha256
        elif n_contexts < contexts.n_contexts:
            same = sha256 == contexts.prefix_sha256(n_contexts)
        else:
            same = _begins_with(atlas, corpus_id, contexts)
        if same:
            if known != name and not _numbered(known, name):
                note(f"note: this text, tokenized like this, is in this atlas already, as {known}")
            return Entry(corpus_id, known, True, n_contexts)
    free = _free_name(atlas, "corpus", name)
    if free != name:
        note(f"note: this atlas has another corpus named {name}, so this one is {free}; --corpus-name chooses")
    return Entry(next_id(atlas, "corpus", "corpus_id"), free, False)


def _corpora_tokenized_alike(atlas: Atlas, contexts: Contexts) -> Rows:
    cut = {"length": contexts.context_length, "bos": contexts.prepend_bos, "packing": contexts.packing}
    return atlas.fetch("catalog/corpora_contexts", tokenizer=contexts.tokenizer_sha256, **cut)


def _begins_with(atlas: Atlas, corpus_id: int, contexts: Contexts) -> bool:
    """Whether a corpus of the atlas begins with these contexts."""
    sql = """
        select k.token_ids, k.documents from context k
        where k.corpus_id = $corpus and k.context_id >= $begin and k.context_id < $end order by k.context_id
    """
    for begin in range(0, contexts.n_contexts, _CONTEXTS_AT_ONCE):
        end = min(begin + _CONTEXTS_AT_ONCE, contexts.n_contexts)
        here = slice(*contexts.offsets[[begin, end]])
        known = atlas.rows(sql, corpus=corpus_id, begin=begin, end=end).rows
        for i, mine in enumerate((contexts.token_ids[here], contexts.documents[here])):
            theirs = [value for row in known for value in row[i]]
            if len(theirs) != len(mine) or not np.array_equal(theirs, mine):
                return False
    return True


def sae_entry(atlas: Atlas, sae: Sae, hook: str, model_id: int, note: Note) -> Entry:
    """The SAE with these weights at this hook of this model, under its name in the atlas; else its own name.

    Raises:
        UsageError: The user gave a name to an SAE that the atlas knows under another.
        AtlasError: The name belongs to another SAE.
    """
    same = "select sae_id, name from sae where sha256 = $sha256 and hook_name = $hook and model_id = $model"
    found = _one(atlas, same, sha256=sae.sha256, hook=hook, model=model_id)
    if found:
        if found[1] != sae.name and sae.named:
            raise UsageError(
                f"{sae.source} is in this atlas already, as {found[1]}", hint=f"--name {found[1]}, or no --name"
            )
        if found[1] != sae.name:
            note(f"note: {sae.source} is in this atlas already, as {found[1]}")
        return Entry(found[0], found[1], True)
    check_sae_name(sae.name)
    _refuse_alias(atlas, sae.name)
    taken = _one(atlas, "select name, source, hook_name from sae where name = $name", name=sae.name)
    if taken:
        raise AtlasError(
            f"this atlas has another SAE named {sae.name!r}",
            why=f"it came from {taken[1]}, its hook is {taken[2]}, and its weights differ",
            hint=f"give this one a name of its own: --name {_free_name(atlas, 'sae', sae.name)}",
        )
    return Entry(next_id(atlas, "sae", "sae_id"), sae.name, False)


def earlier_scan(
    atlas: Atlas, sae: Entry, corpus: Entry, spec: ScanSpec, contexts: Contexts, *, replace: bool
) -> Earlier | None:
    """The scan of this SAE on this corpus, if there is one; it may cover less or more of the corpus.

    Raises:
        UsageError: There is one that was asked for differently, or documents carry other labels in this atlas, and
            nothing is to be replaced.
    """
    if corpus.known and not replace:
        refuse_other_labels(atlas, corpus, contexts.labels)
    if not (sae.known and corpus.known):
        return None
    query = """
        select c.scan_id, c.spec_sha256, c.store, c.n_contexts, c.n_tokens, c.spec
        from scan c where c.sae_id = $sae and c.corpus_id = $corpus
    """
    found = _one(atlas, query, sae=sae.row_id, corpus=corpus.row_id)
    if found is None:
        return None
    *facts, settings = found
    earlier = Earlier(*facts)
    if earlier.n_contexts < contexts.n_contexts:
        spec = spec.on_first(earlier.n_contexts, contexts)
    beyond = earlier.n_contexts > contexts.n_contexts
    alike = spec.sha256 == earlier.spec_sha256 or (beyond and spec.differs_only_in_corpus(settings))
    if not alike and not replace:
        raise UsageError(
            f"{sae.name} was measured on {corpus.name} before, with other settings",
            why=spec.differences(settings, beyond=beyond),
            hint="--replace puts the new scan in its place",
        )
    return earlier


def stored_labels(atlas: Atlas, corpus: Entry) -> np.ndarray:
    """(documents,) float64: labels that the atlas has of a corpus that it knows; NaN where a document has none."""
    sql = "select d.label from document d where d.corpus_id = $corpus order by d.document_id"
    return np.ma.filled(atlas.con.execute(sql, {"corpus": corpus.row_id}).fetchnumpy()["label"].astype(float), np.nan)


def same_labels(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two tokenizations of one corpus give the documents that both have the same labels, (documents,) each."""
    n_both = min(len(one), len(other))
    return np.array_equal(one[:n_both], other[:n_both], equal_nan=True)


def refuse_other_labels(atlas: Atlas, corpus: Entry, labels: np.ndarray | None) -> None:
    """Raise if the atlas has labels of documents, and others than these.

    Raises:
        UsageError: They differ.
    """
    if labels is None:
        return
    stored = stored_labels(atlas, corpus)
    if np.isnan(stored).all() or same_labels(stored, labels):
        return
    raise UsageError(
        f"the documents of {corpus.name} carry other labels in this atlas",
        why="statistics of scans before go by them",
        hint="--replace gives them these; another --db keeps both",
    )


def has_logits(atlas: Atlas, sae: Entry) -> bool:
    """Whether the atlas knows what the decoder rows of an SAE do to the vocabulary."""
    sql = "select sae_id from logit_token where sae_id = $sae limit 1"
    return sae.known and _one(atlas, sql, sae=sae.row_id) is not None


def next_alias(atlas: Atlas) -> str:
    """The first of A, B, …, Z, AA, AB, … that no SAE goes by, be it as alias or, letter case aside, as name."""
    taken = {known.upper() for row in atlas.rows("select alias, name from sae") for known in row}
    letters = ("".join(part) for length in count(1) for part in product(ascii_uppercase, repeat=length))
    return next(alias for alias in letters if alias not in taken)


def _refuse_alias(atlas: Atlas, name: str) -> None:
    """Raise if a name is, letter case aside, the alias of an SAE: typing the alias would then mean either."""
    known = _one(atlas, "select alias, name from sae where lower(alias) = lower($name)", name=name)
    if known:
        raise UsageError(f"{known[0]} is the alias of {known[1]}", hint=f"--name {name}-sae")


def _one(atlas: Atlas, sql: str, **params: object) -> Sequence[Any] | None:
    """The first row, or None."""
    return next(iter(atlas.rows(sql, **params)), None)


def _free_name(atlas: Atlas, table: str, name: str) -> str:
    """`name`, or `name-2`, `name-3`, … if it is taken."""
    taken = {row[0] for row in atlas.rows(f"select name from {table}")}
    candidates = (name if n == 1 else f"{name}-{n}" for n in count(1))
    return next(candidate for candidate in candidates if candidate not in taken)


def _numbered(known: str, name: str) -> bool:
    """Whether `known` is what `_free_name` made of `name`."""
    base, _, number = known.rpartition("-")
    return base == name and number.isdigit()
