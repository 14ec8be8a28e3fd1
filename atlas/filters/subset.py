"""Which matched pairs of features are meant: match rule, filters, condition, concept. Every option stands here once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from atlas.choices import CONCEPT_RULES, DEFAULT_MEASURE, DIRECTIONS, MATCH_RULES, option, options_of

FILTERS = ("value", "joint", "density", "non-concept", "no shared token", "not mutual", "many-to-one")
"""Reasons of the macro `matches`, in the order in which its filters look."""

_TOKEN_FILTERS = ("keep_non_concept", "keep_unshared")


@dataclass(frozen=True, slots=True)
class Subset:
    """What is asked for. Equal subsets of equal atlases hold the same pairs."""

    match: str = option(
        "one-to-one",
        "Which partners count: one-to-one: a partner keeps the best that chose it; mutual: each is the other's "
        "best; singletons: only partners that one feature chose; first-seen: a partner keeps the lowest id; "
        "assignment: of the largest sum; greedy: the largest value first.",
        choices=MATCH_RULES,
        called="match rule",
        parameter="method",
        term="mutual",
    )
    """`one-to-one`: each partner keeps the best feature that chose it; `best`: every feature with its best partner,
    which several may share; `mutual`: each is the other's best; `singletons`: partners that several features chose are
    left out; `first-seen`: a partner keeps the chooser of the lowest id; `assignment`: one to one, of the largest sum;
    `greedy`: one to one, the largest value first. The last two are stored by `featlas match`."""
    measure: str = option(DEFAULT_MEASURE, "Of the pairs.", metavar="MEASURE", parameter="measure")
    direction: str = option("a_to_b", "Whose features choose.", choices=DIRECTIONS, parameter="direction")
    paper_compat: bool = option(
        False,
        "Select as the code of arXiv 2410.06981 does: features of B choose, first-seen, r (n - 1) / n > 0.1.",
        words="as the code of arXiv 2410.06981: value (n - 1) / n > {0.min_value:g}",
    )
    """Correlations count (n - 1) / n of themselves, and the minimum value itself is not enough. `as_the_paper` sets the
    rest."""
    min_value: float = option(
        0.0,
        "Minimum value of a pair.",
        words="value >= {0.min_value:g}",
        bound="value>=",
        example="0.5",
    )
    max_value: float | None = option(
        None, "Maximum value of a pair.", kind=float, bound="value<=", words="value <= {0.max_value:g}", added=True
    )
    min_density: float = option(
        0.0,
        "Minimum density of both features: the share of tokens on which each fires.",
        words="density {0.min_density:g} to {0.max_density:g}",
        bound="density>=",
    )
    max_density: float = option(
        1.0,
        "Maximum density of both features.",
        words="density {0.min_density:g} to {0.max_density:g}",
        bound="density<=",
        example="1e-2",
    )
    min_joint: int = option(
        0,
        "Minimum number of tokens on which both fire.",
        words="joint >= {0.min_joint}",
        bound="joint>=",
        example="20",
    )
    top_tokens: int = option(
        5,
        "Strongest tokens that the token filters look at.",
        low=1,
        high=20,
        parameter="top_tokens",
        term="top:",
        example="3",
    )
    keep_non_concept: bool = option(
        False,
        "Keep pairs that fire on full stops, newlines and such.",
        parameter="not drop_non_concept",
        words="non-concept kept",
        otherwise="non-concept dropped (top {0.top_tokens})",
        term="+non-concept",
    )
    keep_unshared: bool = option(
        False,
        "Keep pairs that share none of their strongest tokens.",
        "--keep-unshared",
        "--no-shared-token",
        parameter="not shared_token",
        words="unshared kept",
        otherwise="shared token (top {0.top_tokens})",
        term="+unshared",
    )
    concept: str | None = option(
        None,
        "Only features of a concept (featlas ls concepts); replaces the token filters.",
        metavar="NAME",
        words="concept {0.concept} by {0.concept_rule} (share >= {0.min_share:g})",
    )
    concept_rule: str = option(
        "share", "What makes a feature belong to it: see featlas concepts --help.", choices=CONCEPT_RULES
    )
    concept_share: float | None = option(
        None, "Minimum share of its tokens.  [default: 0.5 by share, else any]", kind=float, share=True
    )
    """Of the strongest tokens that are keywords, in (0, 1]; None is 0.5 for the rule `share` and any for others."""
    where: str | None = option(
        None,
        "Condition on both features, e.g. 'a.density < 1e-3 and b.max > 5'.",
        metavar="SQL",
        words="where {0.where}",
    )
    """Over the rows `a` and `b` of view features."""

    @property
    def min_share(self) -> float:
        """`concept_share`, or what it is if it was not given."""
        given = 0.5 if self.concept_rule == "share" else 0.0
        return given if self.concept_share is None else self.concept_share

    def as_the_paper(self) -> Subset:
        """With that code's direction, rule and minimum value: docs/matching.md says where its text differs."""
        return replace(self, paper_compat=True, **SET_BY_PAPER)

    def parameters(self, n_tokens: int) -> dict[str, Any]:
        """The struct `options` of the macro `matches_by`.

        Args:
            n_tokens: Tokens that the values rest on.
        """
        given: dict[str, Any] = {quantity: {"low": None, "high": None} for quantity in ("value", "joint", "density")}
        for name, declared in options_of(Subset).items():
            value = getattr(self, name)
            if declared.bound:
                given[declared.bound[:-2]]["low" if declared.bound.endswith(">=") else "high"] = value
            elif declared.parameter.startswith("not "):
                given[declared.parameter.removeprefix("not ")] = not (value or self.concept)
            elif declared.parameter:
                given[declared.parameter] = value
        if self.paper_compat:
            given["value"]["low"] = math.nextafter(self.min_value * n_tokens / (n_tokens - 1), math.inf)
        return given

    def in_words(self) -> str:
        """One line for the record."""
        left_out = {*(_TOKEN_FILTERS if self.concept else ()), *(("min_value",) if self.paper_compat else ())}
        said = ["{0.match} by {0.measure}, {0.direction}"]
        for name, declared in options_of(Subset).items():
            if name not in left_out:
                said.append(declared.otherwise if getattr(self, name) == declared.default else declared.words)
        return "; ".join(dict.fromkeys(words.format(self) for words in said if words))


SET_BY_PAPER: dict[str, Any] = {"match": "first-seen", "direction": "b_to_a", "min_value": 0.1}
"""What `paper_compat` goes with; its pairs are those by activation."""


def count_steps(reasons: Iterable[Sequence[str]]) -> list[tuple[str, int]]:
    """Candidates, then the pairs that each filter removed, in the order of the filters.

    Args:
        reasons: Of every candidate; a pair counts for the first of its reasons, and for none if it has none.
    """
    first = [pair[0] if pair else None for pair in reasons]
    removed = Counter(first)
    return [("candidates", len(first)), *((name, removed[name]) for name in FILTERS if removed[name])]
