"""The options of records as options of commands: what `atlas.choices.option` declares, click reads here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource

from atlas.catalog.requests import DICTIONARY_METRICS, Comparison, MetricOptions
from atlas.choices import Option, options_of
from atlas.cli.kit.params import Finite, MeasureName, OneOf, Said, Whole
from atlas.filters.subset import SET_BY_PAPER, Subset

Decorator = Callable[[Any], Any]

CORPUS = click.option("--corpus", metavar="NAME", help="Corpus of the matches; needed only if there are several.")

_SCORED_ONLY = ("concept", "concept_rule", "concept_share", "where")
"""Options of a subset that only the commands that score take."""


def add_options(options: Sequence[Decorator], command: Any) -> Any:
    """Add options to a command, so that its help lists them in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def declared(
    record: type, *names: str, without: Sequence[str] = (), flags: dict[str, str] | None = None, **defaults: Any
) -> list[Decorator]:
    """Options of a record, as decorators of a command.

    Args:
        record: A frozen record of options.
        names: Which; none for all of them.
        without: Which not.
        flags: Other names on the command line.
        defaults: Other defaults.
    """
    renamed = {name: (flag,) for name, flag in (flags or {}).items()}
    found = []
    for name, option in options_of(record).items():
        if name not in without and (not names or name in names):
            option = replace(option, flags=renamed.get(name, option.flags), default=defaults.get(name, option.default))
            found.append(_click_option(name, option))
    return found


def _click_option(name: str, option: Option) -> Decorator:
    about: dict[str, Any] = {"help": option.help, "metavar": option.metavar}
    if option.kind is bool:
        return click.option(*option.flags, name, is_flag=True, **about)
    about |= {"default": option.default, "show_default": option.default is not None}
    return click.option(*option.flags, name, type=_type(option), **about)


def _type(option: Option) -> click.ParamType:
    """How a value is read from the command line."""
    if option.choices:
        return OneOf(option.choices)
    if option.metavar == "MEASURE":
        return MeasureName()
    if option.kind is float:
        return Finite(share=option.share)
    if option.kind is int:
        low = int(option.low or 0)
        return Whole(low) if option.high is None else click.IntRange(low, int(option.high))
    return Said()


def filter_options(without: Sequence[str] = (), **defaults: Any) -> list[Decorator]:
    """The options of every command that lists pairs."""
    return declared(Subset, without=(*_SCORED_ONLY, *without), **defaults)


def scoring_options(command: Any) -> Any:
    """Add the options of every command that scores: which pairs, which rows, which null."""
    return add_options([CORPUS, *declared(Subset), *declared(MetricOptions), *declared(Comparison)], command)


def subset_of(given: dict[str, Any]) -> Subset:
    """The options as a `Subset`; those that a command does not offer keep their defaults.

    Raises:
        UsageError: `--paper-compat` beside an option that it sets, or densities that leave nothing.
    """
    from atlas.errors import UsageError

    subset = Subset(**{name: given[name] for name in options_of(Subset) if name in given})
    if subset.concept_share is not None and subset.concept is None:
        raise UsageError(
            "--concept-share is a share of the words of a concept", hint="--concept Time --concept-share 0.3"
        )
    if subset.min_density > subset.max_density:
        raise UsageError(f"no density is at least {subset.min_density:g} and at most {subset.max_density:g}")
    if not subset.paper_compat:
        return subset
    source = click.get_current_context().get_parameter_source
    for name in (*SET_BY_PAPER, "measure"):
        if source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"--paper-compat sets --{name.replace('_', '-')} itself")
    return subset.as_the_paper()


def comparison_of(name: str | None, given: dict[str, Any]) -> Comparison:
    """The options as a `Comparison`.

    Args:
        name: The metric; None for all of them, where no option of a metric may be given.
        given: The options.

    Raises:
        UnknownName: There is no such metric.
        UsageError: An option of another metric, or two that exclude each other.
    """
    from atlas.catalog.metrics import metric_named
    from atlas.errors import UsageError

    if name in DICTIONARY_METRICS:
        raise UsageError(f"{name} compares whole dictionaries, two at a time", hint=f"featlas metric {name} A B")
    if name is not None:
        metric_named(name)
    of_metrics = options_of(MetricOptions)
    chosen = {option: given[option] for option in of_metrics if given[option] not in (None, False)}
    for option in chosen:
        if name != (owner := of_metrics[option].sets[0]):
            raise UsageError(f"--{option} is an option of {owner}, not of {name or 'all metrics'}")
    if {"directions", "variance"} <= chosen.keys():
        raise UsageError("--directions and --variance exclude each other")
    return Comparison(
        name or "",
        subset_of(given),
        given["corpus"],
        options={of_metrics[option].sets[1]: value for option, value in chosen.items()},
        **{key: given[key] for key in options_of(Comparison)},
    )
