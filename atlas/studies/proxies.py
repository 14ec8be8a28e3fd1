"""What a feature is held against: tokens, a pattern, a script or a concept, and the evidence for it at every token.

Source: Bricken et al. 2023 ("Towards Monosemanticity"), whose proxy is log P(s | property) / P(s), for the string s up
to the token that makes it largest, with unigrams in P. Here both are counted in the corpus: P(token | property) is the
token's share among the tokens inside, at least 1e-10, and P(token) its share among all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from atlas.catalog.concepts import concept_named
from atlas.db import Atlas
from atlas.errors import UsageError
from atlas.studies.texts import Text, pattern_of

FLOOR = 1e-10
"""Minimum probability of a token given the property, as in the source."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """What is looked for; a token is inside if any of the four says so."""

    tokens: tuple[str, ...] = ()
    """Texts of tokens, letter case and outer spaces aside."""
    regex: str | None = None
    """Found in the text of a document; every token that shares a character with it is inside."""
    script: str | None = None
    """Name of a Unicode script; every token with a character of it is inside."""
    concept: str | None = None
    """Name of a concept of the atlas; its keywords as whole words, letter case aside."""

    def __str__(self) -> str:
        """In words."""
        parts = [f"token {', '.join(map(repr, self.tokens))}" if self.tokens else ""]
        parts += [f"/{self.regex}/" if self.regex is not None else "", f"script {self.script}" if self.script else ""]
        parts += [f"concept {self.concept}" if self.concept else ""]
        return " or ".join(part for part in parts if part)

    def inside(self, atlas: Atlas, text: Text) -> NDArray[np.bool_]:
        """(n_tokens,) which tokens are inside.

        Raises:
            UsageError: No property is given, the pattern or script is not valid, or no token, or every one, is inside.
        """
        if not str(self):
            raise UsageError("nothing to hold the features against", hint="--token, --regex, --script or --concept")
        found = np.zeros(len(text.token_ids), bool)
        if self.tokens:
            wanted = {token.strip().lower() for token in self.tokens}
            found |= np.array([t.strip().lower() in wanted for t in text.vocabulary])[text.token_ids]
        if self.regex is not None:
            found |= text.covered(pattern_of(self.regex))
        if self.script:
            found |= _of_script(atlas, text, self.script)
        if self.concept:
            words = atlas.rows(
                "select keyword from concepts where concept = $concept", concept=concept_named(atlas, self.concept)
            )
            found |= text.covered(_whole_words([word for (word,) in words]))
        if not found.any() or found.all():
            which = "every token" if found.all() else "no token"
            raise UsageError(f"{which} of {len(found):,} is inside {self}", hint="look for something else")
        return found


def log_ratios(token_ids: NDArray, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n_tokens,) log of P(token | property) / P(token), in nats, by unigrams of the corpus.

    Args:
        token_ids: (n_tokens,) ids >= 0.
        inside: (n_tokens,) whether a token is; at least one is.
    """
    of_all = np.bincount(token_ids)
    of_inside = np.bincount(token_ids[inside], minlength=len(of_all))
    given = np.maximum(of_inside / of_inside.sum(), FLOOR)
    with np.errstate(divide="ignore"):
        return (np.log(given) - np.log(of_all / of_all.sum()))[token_ids]


def evidence(ratios: NDArray[np.float64], segment: NDArray) -> NDArray[np.float64]:
    """(n_tokens,) the largest sum of ratios over tokens that end here and are of one segment.

    Args:
        ratios: (n_tokens,) log ratio of each token.
        segment: (n_tokens,) segment of each token; tokens of a segment stand together.
    """
    starts = np.flatnonzero(np.diff(segment, prepend=segment[:1] - 1))
    best = np.empty(len(ratios))
    for first, last in zip(starts, [*starts[1:], len(ratios)], strict=True):
        sums = np.cumsum(ratios[first:last])
        # The sum of a run is a difference of two sums from the start; the best run begins after the smallest of them.
        best[first:last] = sums - np.minimum.accumulate(np.append(0.0, sums[:-1]))
    return best


def segments(text: Text) -> NDArray[np.int64]:
    """(n_tokens,) number of the stretch of one document in one context: what the model sees before a token of it."""
    change = (np.diff(text.document) != 0) | (np.diff(text.context) != 0)
    return np.append(0, np.cumsum(change))[: len(text.document)]


def default_edges(inside: NDArray[np.bool_]) -> tuple[float, ...]:
    """No evidence, half of what a token gives that is always inside, and all of it, in nats."""
    certain = float(-np.log(inside.mean()))
    return 0.0, certain / 2, certain * (1 + 1e-9)


def _whole_words(words: Sequence[str]) -> re.Pattern[str]:
    either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)


def _of_script(atlas: Atlas, text: Text, script: str) -> NDArray[np.bool_]:
    """(n_tokens,) whether a token shares a character of the script; DuckDB's RE2 knows which characters are."""
    characters = sorted({c for _, words in text.documents() for c in set(words) if not "\ud800" <= c <= "\udfff"})
    try:
        if not re.fullmatch(r"\w+", script):
            raise UsageError(f"{script!r} is not the name of a script")
        rows = atlas.rows(
            "select c.it from (select unnest($characters::varchar[]) as it) c where regexp_matches(c.it, $pattern)",
            characters=characters,
            pattern=rf"\p{{{script}}}",
        )
    except (duckdb.Error, UsageError) as error:
        raise UsageError(f"no Unicode script named {script!r}", hint="Arabic, Cyrillic, Greek, Han, Latin …") from error
    if not len(rows):
        return np.zeros(len(text.token_ids), bool)
    return text.covered(re.compile("[" + "".join(re.escape(c) for (c,) in rows) + "]+"))
