"""Options that say which matched pairs of features are meant, alike in every command that takes a subset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from atlas.choices import MATCH_RULES
from atlas.cli.kit.params import Finite, Said, Whole

if TYPE_CHECKING:
    from atlas.comparisons.matched import Subset

MEASURE_ALIASES = {"coactivation": "phi"}
"""Names of measures on the command line that stand for others."""

_NAMES = (
    "match",
    "direction",
    "measure",
    "min_value",
    "min_joint",
    "min_density",
    "max_density",
    "top_tokens",
    "keep_non_concept",
    "keep_unshared",
    "where",
    "concept",
    "concept_rule",
    "concept_share",
)
_DIRECTION = click.Choice(["a_to_b", "b_to_a"])


def match_option(default: str, name: str = "--match") -> Any:
    """`--match`, or by another name; a command may have another default."""
    return click.option(
        name,
        "match",
        type=click.Choice(MATCH_RULES),
        default=default,
        show_default=True,
        help="Which partners count: one-to-one: a partner keeps the best that chose it; mutual: each is the other's "
        "best; singletons: only partners that one feature chose; first-seen: a partner keeps the lowest id; "
        "assignment: of the largest sum; greedy: the largest value first.",
    )


FILTERS = (
    click.option("--measure", default="activation", show_default=True, metavar="MEASURE", help="Of the pairs."),
    click.option("--direction", type=_DIRECTION, default="a_to_b", show_default=True, help="Whose features choose."),
    click.option("--min-value", type=Finite(), default=0.0, show_default=True, help="Least value of a pair."),
    click.option("--min-joint", type=Whole(), default=0, show_default=True, help="Least tokens on which both fire."),
    click.option(
        "--min-density", type=Finite(), default=0.0, show_default=True, help="Least share of tokens a feature fires on."
    ),
    click.option(
        "--max-density", type=Finite(), default=1.0, show_default=True, help="Largest such share, on either side."
    ),
    click.option("--top-tokens", type=click.IntRange(1, 20), default=5, show_default=True, help="Tokens filtered on."),
    click.option("--keep-non-concept", is_flag=True, help="Keep pairs that fire on full stops, newlines and such."),
    click.option(
        "--keep-unshared",
        "--no-shared-token",
        "keep_unshared",
        is_flag=True,
        help="Keep pairs that share none of their strongest tokens.",
    ),
    click.option(
        "--paper-compat",
        is_flag=True,
        help="Select as the code of arXiv 2410.06981 does: features of B choose, first-seen, r (n - 1) / n > 0.1.",
    ),
)
"""The filters of every command that takes a subset of pairs."""

_OPTIONS = (
    click.option("--corpus", metavar="NAME", help="Corpus of the matches; needed only if there are several."),
    match_option("one-to-one"),
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
        "--concept-rule",
        type=click.Choice(["share", "paper", "word"]),
        default="share",
        show_default=True,
        help="What makes a feature belong to it: see featlas concepts --help.",
    ),
    click.option(
        "--concept-share", type=Finite(share=True), help="Least share of its tokens.  [default: 0.5 by share, else any]"
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
    """The options as a `Subset`; those that a command does not offer keep their defaults.

    Raises:
        UsageError: `--paper-compat` beside an option that it sets, or densities that leave nothing.
    """
    from atlas.comparisons.matched import Subset
    from atlas.errors import UsageError

    chosen = {name: given[name] for name in _NAMES if name in given}
    chosen["measure"] = MEASURE_ALIASES.get(chosen["measure"], chosen["measure"])
    subset = Subset(**chosen)
    if given.get("concept_share") is not None and subset.concept is None:
        raise UsageError(
            "--concept-share is a share of the words of a concept", hint="--concept Time --concept-share 0.3"
        )
    if subset.min_density > subset.max_density:
        raise UsageError(f"no density is at least {subset.min_density:g} and at most {subset.max_density:g}")
    if not given["paper_compat"]:
        return subset
    source = click.get_current_context().get_parameter_source
    for name in ("direction", "match", "measure", "min_value"):
        if source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"--paper-compat sets --{name.replace('_', '-')} itself")
    return subset.as_the_paper()
