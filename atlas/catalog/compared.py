"""On which corpora two SAEs are compared: on one that both were measured on, or on two cuts of one text."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas.catalog.saes import corpus_in_common, nothing_in_common
from atlas.db import Atlas
from atlas.db.sqlfiles import sql_text
from atlas.errors import AtlasError, UnknownName, UsageError


@dataclass(frozen=True, slots=True, eq=False)
class ScanText:
    """What an SAE was measured on, token by token."""

    sae: str
    """Full name of the SAE."""

    corpus: str
    """Name of the corpus."""

    token_ids: np.ndarray
    """(n_tokens,) int32: the measured tokens, special ones left out."""

    document: np.ndarray
    """(n_tokens,) int32: document of each, from 0, ascending."""

    vocabulary: Sequence[str]
    """Text of every token id."""


def corpora_compared(
    atlas: Atlas, sae_a: str, sae_b: str, corpus: str | None = None, corpus_b: str | None = None
) -> tuple[str, str]:
    """Names of the corpora of two SAEs: equal where the same tokens were measured with both.

    Where there is none like that, those that were made from the same file, or else the only corpus of each; whether
    they are the same text is not known yet.

    Args:
        atlas: Open for reading.
        sae_a: Full name.
        sae_b: Full name.
        corpus: Corpus of A, and of B where they share it; None takes the only one that is possible.
        corpus_b: Corpus of B, if another.

    Raises:
        AtlasError: One of them was not measured on any corpus, or they were on one, but on more of it than the other.
        UsageError: Several are possible, a name is none of them, or one SAE is to be compared on two.
    """
    if corpus_b is None or corpus_b == corpus:
        shared = [str(row["corpus"]) for row in atlas.fetch("catalog/shared_scans", sae_a=sae_a, sae_b=sae_b).dicts()]
        if corpus in shared or (corpus is None and shared):
            name = str(corpus_in_common(atlas, sae_a, sae_b, corpus)["corpus"])
            return name, name
    if sae_a == sae_b:
        raise UsageError(f"{sae_a} is compared with itself on one corpus", hint="leave out --corpus-b")
    of_a, of_b = (
        _scans(atlas, name, wanted, option)
        for name, wanted, option in ((sae_a, corpus, "--corpus"), (sae_b, corpus_b, "--corpus-b"))
    )
    pairs = [(a, b) for a in of_a for b in of_b if a["corpus"] != b["corpus"]]
    of_one_source = [(a, b) for a, b in pairs if a["source"] == b["source"]]
    if not of_one_source and len(pairs) < len(of_a) * len(of_b):
        raise nothing_in_common(atlas, sae_a, sae_b)
    pairs = of_one_source or pairs
    if len(pairs) > 1:
        a, b = (str(side["corpus"]) for side in pairs[0])
        raise UsageError(
            f"{sae_a} and {sae_b} were measured on different tokens, and several corpora can be aligned",
            why="; ".join(f"{a['corpus']} with {b['corpus']}" for a, b in pairs[:10]),
            hint=f"--corpus {shlex.quote(a)} --corpus-b {shlex.quote(b)}",
        )
    return str(pairs[0][0]["corpus"]), str(pairs[0][1]["corpus"])


def scan_text(atlas: Atlas, sae: str, corpus: str) -> ScanText:
    """Read the tokens of a scan, and what they spell.

    Raises:
        AtlasError: The atlas does not hold all of them.
    """
    n_tokens = next(int(row["n_tokens"]) for row in _scans(atlas, sae, corpus, "--corpus"))
    parameters = {"corpus": corpus, "n_tokens": n_tokens}
    contexts = atlas.sql(sql_text("queries/catalog/text_contexts"), params=parameters).to_arrow_table()
    token_ids, documents = (_flat(contexts.column(name)) for name in ("token_ids", "documents"))
    counted = documents >= 0
    if np.count_nonzero(counted) < n_tokens:
        raise AtlasError(
            f"the text of {corpus} cannot be aligned with another",
            why=f"the atlas holds {np.count_nonzero(counted):,} of the {n_tokens:,} tokens that {sae} was measured on",
            hint="ingest both SAEs with the same --corpus again",
        )
    vocabulary = [text for _, text in atlas.fetch("catalog/text_vocabulary", corpus=corpus)]
    return ScanText(sae, corpus, token_ids[counted][:n_tokens], documents[counted][:n_tokens], vocabulary)


def _scans(atlas: Atlas, sae: str, corpus: str | None, option: str) -> list[dict[str, Any]]:
    """Scans of an SAE, on one corpus if it is named."""
    scans = atlas.fetch("catalog/text_scans", sae=sae).dicts()
    if not scans:
        raise AtlasError(f"{sae} was not measured on any corpus", hint="featlas ingest --help")
    known = [str(scan["corpus"]) for scan in scans]
    if corpus is not None and corpus not in known:
        raise UnknownName(f"corpus measured with {sae}", corpus, known, hint=f"{option} {shlex.quote(known[0])}")
    return [scan for scan in scans if corpus in (None, scan["corpus"])]


def _flat(lists: Any) -> np.ndarray:
    """A column of lists as one array."""
    return np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in lists.chunks] or [np.empty(0)])
