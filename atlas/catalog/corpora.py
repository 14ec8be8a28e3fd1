"""Corpora of an atlas, by name, and the one that two SAEs were both measured on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from atlas.errors import AtlasError, UnknownName, UsageError

if TYPE_CHECKING:
    from atlas.db import Atlas


def corpus_named(atlas: Atlas, wanted: str) -> str:
    """Name of a corpus.

    Raises:
        UnknownName: There is no such corpus.
    """
    known = [name for name, *_ in atlas.fetch("catalog/corpus_names")]
    if wanted not in known:
        raise UnknownName("corpus", wanted, known, hint="featlas ls corpora")
    return wanted


def corpus_id(atlas: Atlas, name: str) -> int:
    return dict(atlas.fetch("catalog/corpus_ids").rows)[name]


def corpus_in_common(atlas: Atlas, sae_a: str, sae_b: str, corpus: str | None) -> dict[str, object]:
    """The corpus on which two SAEs are compared, with both scans and their stores.

    Args:
        atlas: Open for reading.
        sae_a: Full name.
        sae_b: Full name.
        corpus: Name of the corpus; None takes the only one, and refuses to choose among several.

    Raises:
        AtlasError: No corpus holds both; the message says whether the tokenizers or the cuts differ.
        UsageError: Several do and none was named.
    """
    shared = atlas.fetch("catalog/shared_scans", sae_a=sae_a, sae_b=sae_b).dicts()
    names = [str(row["corpus"]) for row in shared]
    if corpus is not None:
        if corpus not in names:
            raise UnknownName(f"corpus with scans of both {sae_a} and {sae_b}", corpus, names)
        return shared[names.index(corpus)]
    if not shared:
        raise nothing_in_common(atlas, sae_a, sae_b)
    if len(shared) > 1:
        raise UsageError(
            f"{sae_a} and {sae_b} share several corpora",
            why=f"both were measured on {', '.join(names)}",
            hint=f"--corpus {shlex.quote(names[0])}",
        )
    return shared[0]


def nothing_in_common(atlas: Atlas, sae_a: str, sae_b: str) -> AtlasError:
    """Why two SAEs that share no corpus cannot be compared on tokens, as an error to raise."""
    scans_a, scans_b = (
        atlas.fetch("catalog/scans_of", sae=sae_a).dicts(),
        atlas.fetch("catalog/scans_of", sae=sae_b).dicts(),
    )
    for name, scans in ((sae_a, scans_a), (sae_b, scans_b)):
        if not scans:
            return AtlasError(f"{name} was not measured on any corpus", hint="featlas ingest --help")
    described = "; ".join(
        f"{name} on "
        + ", ".join(f"{s['corpus']} ({s['n_tokens']:,} tokens, context {s['context_length']})" for s in scans)
        for name, scans in ((sae_a, scans_a), (sae_b, scans_b))
    )
    if not {s["tokenizer"] for s in scans_a} & {s["tokenizer"] for s in scans_b}:
        return AtlasError(
            f"the models of {sae_a} and {sae_b} have different tokenizers, so their tokens do not line up",
            why=described,
            hint="compare SAEs of models that share a tokenizer",
        )
    return AtlasError(
        f"{sae_a} and {sae_b} were not measured on the same tokens",
        why=described,
        hint="ingest both with the same --corpus, --tokens, --context-length and BOS choice",
    )
