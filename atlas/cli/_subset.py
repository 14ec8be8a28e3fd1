"""Options that say which matched pairs of features are meant, alike in every command that takes a subset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from atlas.cli._params import Finite, Said, Whole

if TYPE_CHECKING:
    from atlas.subsets import Subset

_NAMES = (
    "match",
    "direction",
    "min_value",
    "min_joint",
    "top_tokens",
    "keep_non_concept",
    "keep_unshared",
    "where",
    "concept",
    "concept_share",
)
_DIRECTION = click.Choice(["a_to_b", "b_to_a"])


def match_option(rules: list[str], default: str, which: str) -> Any:
    """`--match`: a command may offer fewer rules, and another default."""
    return click.option(
        "--match", type=click.Choice(rules), default=default, show_default=True, help=f"Which {which} count."
    )


FILTERS = (
    click.option("--direction", type=_DIRECTION, default="a_to_b", show_default=True, help="Whose features choose."),
    click.option("--min-value", type=Finite(), default=0.0, show_default=True, help="Least correlation of a pair."),
    click.option("--min-joint", type=Whole(), default=0, show_default=True, help="Least tokens on which both fire."),
    click.option("--top-tokens", type=click.IntRange(1, 20), default=5, show_default=True, help="Tokens filtered on."),
    click.option("--keep-non-concept", is_flag=True, help="Keep pairs that fire on full stops, newlines and such."),
    click.option(
        "--keep-unshared",
        "--no-shared-token",
        "keep_unshared",
        is_flag=True,
        help="Keep pairs that share none of their strongest tokens.",
    ),
)
"""The filters of every command that takes a subset of pairs."""

_OPTIONS = (
    click.option("--corpus", metavar="NAME", help="Corpus of the matches; needed only if there are several."),
    match_option(["one-to-one", "best", "mutual"], "one-to-one", "best partners"),
    *FILTERS,
    click.option(
        "--where", type=Said(), metavar="SQL", help="Condition on both sides, e.g. 'a.density < 1e-3 and b.max > 5'."
    ),
    click.option(
        "--concept",
        type=Said(),
        metavar="NAME",
        help="Only features of a concept (featlas ls concepts); replaces the token filters.",
    ),
    click.option(
        "--concept-share",
        type=Finite(share=True),
        default=0.5,
        show_default=True,
        help="Least share of its ten tokens.",
    ),
)


def add_options(options: Sequence[Any], command: Any) -> Any:
    """Add options to a command, so that its help lists them in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def subset_options(command: Any) -> Any:
    """Add the options of a subset of pairs."""
    return add_options(_OPTIONS, command)


def subset_of(given: dict[str, Any]) -> Subset:
    """The options as a `Subset`."""
    from atlas.subsets import Subset

    return Subset(**{name: given[name] for name in _NAMES})
