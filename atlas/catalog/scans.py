"""Which SAEs a study is about: names, aliases, patterns, the file or folder that they came from, or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from atlas.db import Atlas
from atlas.errors import AtlasError, UnknownName, UsageError


@dataclass(frozen=True, slots=True)
class Scanned:
    """One SAE as measured on one corpus."""

    sae: str
    """Full name."""
    alias: str
    """The letter that stands for it."""
    model: str
    """Its model."""
    hook_name: str
    """What of the model it reads."""
    layer: int | None
    """Layer of the hook; None where the hook names none."""
    architecture: str
    """standard, topk, …"""
    d_in: int
    """Width of what it reads."""
    d_sae: int
    """Features."""
    source: str
    """Folder or release that it came from."""
    corpus: str
    """The corpus."""
    scan_id: int
    """Its scan."""
    n_tokens: int
    """Tokens measured."""

    @property
    def key(self) -> dict[str, str]:
        """SAE and corpus, as parameters of a query and as columns of a row."""
        return {"sae": self.sae, "corpus": self.corpus}

    @property
    def head(self) -> dict[str, str]:
        """The first columns of a row about this SAE."""
        return {"sae": self.sae, "alias": self.alias, "corpus": self.corpus}

    @property
    def space(self) -> tuple[str, str, int]:
        """Model, hook and width: what SAEs must share for their decoder rows to be comparable."""
        return self.model, self.hook_name, self.d_in


def chosen(atlas: Atlas, patterns: Sequence[str] = (), corpus: str | None = None) -> tuple[Scanned, ...]:
    """The newest scan of every SAE that one of the patterns fits, by model, layer and name.

    Args:
        atlas: Open for reading.
        patterns: Names, aliases, patterns with `*`, `?` and `[…]`, or paths: an SAE's own folder, or one that holds
            several; none takes every SAE.
        corpus: Name of a corpus; None takes the only one that all of them were measured on.

    Raises:
        UnknownName: A pattern fits none, or there is no such corpus.
        UsageError: They share several corpora, and none was named.
        AtlasError: Nothing was measured, or not all on one corpus.
    """
    known = [Scanned(*row) for row in atlas.fetch("catalog/scanned").rows]
    if not known:
        raise AtlasError("this atlas holds no scan", hint="featlas ingest, or featlas demo for one that does")
    names = list(dict.fromkeys(scan.sae for scan in known))
    for pattern in patterns:
        if not any(_fits(pattern, scan) for scan in known):
            raise UnknownName("SAE", pattern, names, hint="featlas ls saes")
    wanted = [scan for scan in known if not patterns or any(_fits(pattern, scan) for pattern in patterns)]
    on = _corpus(wanted, corpus)
    return tuple(scan for scan in wanted if scan.corpus == on)


def sample_of(scans: Sequence[Scanned]) -> str:
    """The sample in words."""
    tokens = {scan.n_tokens for scan in scans}
    counted = f"{min(tokens):,}" if len(tokens) == 1 else f"{min(tokens):,} to {max(tokens):,}"
    names = ", ".join(f"{scan.alias} {scan.sae}" for scan in scans[:4]) + (" …" if len(scans) > 4 else "")
    return f"{len(scans)} {'SAE' if len(scans) == 1 else 'SAEs'} ({names}) on {scans[0].corpus}, {counted} tokens"


def _corpus(wanted: Sequence[Scanned], corpus: str | None) -> str:
    """The corpus that is meant."""
    saes = {scan.sae for scan in wanted}
    shared = [
        name
        for name in dict.fromkeys(scan.corpus for scan in wanted)
        if {scan.sae for scan in wanted if scan.corpus == name} == saes
    ]
    if corpus is not None:
        if corpus not in {scan.corpus for scan in wanted}:
            raise UnknownName("corpus", corpus, list(dict.fromkeys(scan.corpus for scan in wanted)))
        missing = saes - {scan.sae for scan in wanted if scan.corpus == corpus}
        if missing:
            raise AtlasError(f"{sorted(missing)[0]} was not measured on {corpus}", hint="featlas ls scans")
        return corpus
    if not shared:
        raise AtlasError("these SAEs were not measured on one corpus", hint="name those that were: featlas ls scans")
    if len(shared) > 1:
        raise UsageError("these SAEs share several corpora", why=", ".join(shared), hint=f"--corpus {shared[0]}")
    return shared[0]


def _fits(pattern: str, scan: Scanned) -> bool:
    """A name, an alias, or a path at or above the SAE's own."""
    if fnmatchcase(scan.sae, pattern) or fnmatchcase(scan.alias, pattern.upper()):
        return True
    try:
        source = Path(scan.source).resolve()
        return Path(pattern).exists() and source.is_relative_to(Path(pattern).resolve())
    except OSError:
        return False
