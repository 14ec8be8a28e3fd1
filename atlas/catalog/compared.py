"""What a command on two SAEs means: their names, their corpora, and the stored comparison that its pairs come from."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from atlas.catalog.concepts import concept_named
from atlas.catalog.corpora import corpus_in_common, corpus_named, nothing_in_common
from atlas.catalog.measures import known_measure
from atlas.catalog.saes import two_saes
from atlas.choices import DEFAULT_MEASURE, STORED_RULES, check_options
from atlas.errors import AtlasError, UnknownName, UsageError
from atlas.filters.subset import Subset

if TYPE_CHECKING:
    from atlas.db import Atlas


@dataclass(frozen=True, slots=True)
class Compared:
    """Two SAEs and the pairs of their features that a command is about, every name spelt as in the atlas."""

    sae_a: str
    """Full name of SAE A."""
    sae_b: str
    """Full name of SAE B."""
    corpus: str
    """Corpus of A on which the two were compared."""
    corpus_b: str
    """Corpus of B; another one where two tokenizations of a text were aligned."""
    n_tokens: int
    """Tokens, documents or spans that the values rest on."""
    subset: Subset
    """Which pairs."""
    stored: Mapping[str, Any]
    """A row of the query `pairings`, or `stored_matchings` for the rules that `featlas match` stores, seen from A."""

    @property
    def sides(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """(SAE, corpus) of A and of B."""
        return (self.sae_a, self.corpus), (self.sae_b, self.corpus_b)

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of a query over the macro `matches_by`."""
        options = self.subset.parameters(self.n_tokens)
        return {"sae_a": self.sae_a, "sae_b": self.sae_b, "corpus": self.corpus, "options": options}


def settle(
    atlas: Atlas, a: str, b: str, subset: Subset, corpus: str | None = None, *, newest: bool = False
) -> Compared:
    """Look up every name of a command on two SAEs, and what its pairs come from.

    Args:
        atlas: Open for reading.
        a: Name or alias of SAE A.
        b: Name or alias of SAE B.
        subset: Names the rule, the measure and the concept.
        corpus: Corpus of A; None takes the only one on which the two were compared.
        newest: Of several corpora take that of the newest comparison.

    Raises:
        UnknownName: No such SAE, corpus, concept, measure or rule, or the two were compared on another corpus.
        UsageError: Both names stand for one SAE, or several corpora are possible.
        AtlasError: Such pairs are not stored; the hint is the command that makes them.
    """
    sae_a, sae_b = two_saes(atlas, a, b)
    subset = as_spelt(atlas, subset)
    if corpus is not None:
        corpus_named(atlas, corpus)
    every = _comparisons(atlas, sae_a, sae_b, subset.match)
    rows = [row for row in every if row["measure"] == subset.measure]
    if not rows:
        if not newest:
            corpora_compared(atlas, sae_a, sae_b, corpus)  # says what keeps them from being compared, if anything does
        raise _not_stored(sae_a, sae_b, subset, sorted({row["measure"] for row in every}))
    known = [str(row["corpus"]) for row in rows]
    if corpus is None and len(known) > 1 and not newest:
        raise UsageError(
            f"{sae_a} and {sae_b} were compared on several corpora", why=", ".join(known), hint=f"--corpus {known[0]}"
        )
    if corpus not in (None, *known):
        raise UnknownName(f"corpus on which {sae_a} and {sae_b} were compared", str(corpus), known)
    row = rows[0 if corpus is None else known.index(corpus)]
    return Compared(sae_a, sae_b, row["corpus"], row["corpus_b"], row["n_tokens"], subset, row)


def as_spelt(atlas: Atlas, subset: Subset) -> Subset:
    """A subset with its measure and its concept as the atlas spells them: equal questions are one score.

    Raises:
        UnknownName: No such rule, direction, measure or concept.
    """
    check_options(subset)
    subset = replace(subset, measure=known_measure(atlas, subset.measure))
    return subset if subset.concept is None else replace(subset, concept=concept_named(atlas, subset.concept))


def has_pairs(atlas: Atlas, sae_a: str, sae_b: str, subset: Subset) -> bool:
    """Whether pairs by the rule and the measure of a subset are stored, on whatever corpus."""
    return any(row["measure"] == subset.measure for row in _comparisons(atlas, sae_a, sae_b, subset.match))


def _comparisons(atlas: Atlas, sae_a: str, sae_b: str, rule: str) -> list[dict[str, Any]]:
    """Every stored comparison of two SAEs that a match rule can use, seen from A, the newest first."""
    query = "comparisons/stored_matchings" if rule in STORED_RULES else "comparisons/pairings"
    rows = [row for row in atlas.fetch(query, sae_a=sae_a, sae_b=sae_b).dicts() if row.get("method", rule) == rule]
    rows = [row for row in rows if row["sae_a"] == sae_a or not row["has_direction"]]
    for row in rows:
        if row["sae_a"] != sae_a:
            row["corpus"], row["corpus_b"] = row["corpus_b"], row["corpus"]
    return rows


def _not_stored(sae_a: str, sae_b: str, subset: Subset, known: Sequence[str]) -> AtlasError:
    """That two SAEs have no pairs by a rule and a measure, and the command that makes them."""
    by_command = subset.match in STORED_RULES
    how = f"match {sae_a} {sae_b} --method {subset.match}" if by_command else f"correlate {sae_a} {sae_b}"
    measure = "" if subset.measure == DEFAULT_MEASURE else f" --measure {subset.measure}"
    return AtlasError(
        f"{sae_a} and {sae_b} have no {subset.match if by_command else 'pairs'} by {subset.measure} yet",
        why=f"stored are those by {', '.join(known)}" if known else None,
        hint=f"featlas {how}{measure}",
    )


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
        scans_of_text(atlas, name, wanted, option)
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


def scans_of_text(atlas: Atlas, sae: str, corpus: str | None, option: str) -> list[dict[str, Any]]:
    """Scans of an SAE with the text of each, on one corpus if it is named.

    Args:
        atlas: Open for reading.
        sae: Full name.
        corpus: None for every corpus.
        option: That names the corpus, for messages.
    """
    scans = atlas.fetch("catalog/text_scans", sae=sae).dicts()
    if not scans:
        raise AtlasError(f"{sae} was not measured on any corpus", hint="featlas ingest --help")
    known = [str(scan["corpus"]) for scan in scans]
    if corpus is not None and corpus not in known:
        raise UnknownName(f"corpus measured with {sae}", corpus, known, hint=f"{option} {shlex.quote(known[0])}")
    return [scan for scan in scans if corpus in (None, scan["corpus"])]
