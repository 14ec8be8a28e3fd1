"""Options that say which matched pairs of features are meant, alike in every command that takes a subset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

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
_MATCH = click.Choice(["one-to-one", "best", "mutual"])
_DIRECTION = click.Choice(["a_to_b", "b_to_a"])
_SHARE = click.FloatRange(0, 1, min_open=True)
_OPTIONS = (
    click.option("--corpus", help="Corpus of the matches; needed only if there are several."),
    click.option("--match", type=_MATCH, default="one-to-one", show_default=True, help="Which best partners count."),
    click.option("--direction", type=_DIRECTION, default="a_to_b", show_default=True, help="Whose features choose."),
    click.option("--min-value", type=float, default=0.0, show_default=True, help="Least correlation of a pair."),
    click.option("--min-joint", type=int, default=0, show_default=True, help="Least tokens on which both fire."),
    click.option("--top-tokens", type=click.IntRange(1, 20), default=5, show_default=True, help="Tokens filtered on."),
    click.option("--keep-non-concept", is_flag=True, help="Keep pairs that fire on full stops, newlines and such."),
    click.option("--keep-unshared", is_flag=True, help="Keep pairs that share none of their strongest tokens."),
    click.option("--where", metavar="SQL", help="Condition on both sides, e.g. 'a.density < 1e-3 and b.max > 5'."),
    click.option("--concept", help="Only features of a concept (featlas ls concepts); replaces the token filters."),
    click.option("--concept-share", type=_SHARE, default=0.5, show_default=True, help="Least share of its ten tokens."),
)


def subset_options(command: Any) -> Any:
    """Add the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def subset_of(given: dict[str, Any]) -> Subset:
    """The options as a `Subset`."""
    from atlas.subsets import Subset

    return Subset(**{name: given[name] for name in _NAMES})
