"""Options that say how a score is made, alike in every command that scores: rows, null, interval."""

from __future__ import annotations

from typing import Any

import click

from atlas.choices import METRIC_OPTIONS
from atlas.cli.kit.params import Finite, Whole
from atlas.cli.kit.subset import add_options

_OPTIONS = (
    click.option(
        "--on",
        "space",
        type=click.Choice(["decoder", "encoder", "activation"]),
        default="decoder",
        show_default=True,
        help="Rows that are compared: of weights, or of activations over a sample of tokens.",
    ),
    click.option("--directions", type=click.IntRange(1), help="svcca: directions kept a side.  [default: 10]"),
    click.option("--variance", type=Finite(share=True), help="svcca: keep this share of the variance instead."),
    click.option(
        "--rdm", type=click.Choice(["euclidean", "correlation", "cosine"]), help="rsa: distance.  [default: euclidean]"
    ),
    click.option(
        "--compare",
        type=click.Choice(["spearman", "pearson", "kendall"]),
        help="rsa: comparison.  [default: spearman]",
    ),
    click.option("--debiased", is_flag=True, default=None, help="cka: without the bias of few rows."),
    click.option("--neighbours", type=click.IntRange(1), help="mutual_knn: nearest rows.  [default: 10]"),
    click.option(
        "--near",
        type=click.Choice(["cosine", "euclidean"]),
        help="mutual_knn: what makes rows near.  [default: cosine]",
    ),
    click.option(
        "--null",
        type=click.Choice(["shuffle", "subsets", "density", "norm"]),
        default="shuffle",
        show_default=True,
        help="shuffle: the pairs shuffled. subsets: as many random features of both SAEs, matched afresh. density, "
        "norm: random partners that fire about as often, or whose decoder rows were about as long.",
    ),
    click.option(
        "--shuffles",
        type=click.IntRange(1),
        default=1000,
        show_default=True,
        help="Draws of the null; 19 for mmcs.",
    ),
    click.option(
        "--bootstrap",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Half-samples of the pairs for a 95 % interval of the score.",
    ),
    click.option(
        "--split-half",
        "halves",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        metavar="N",
        help="Also score two halves of the pairs, N times: is it stable?",
    ),
    click.option("--allow-forced", is_flag=True, help="Score even where counting alone decides a part of it."),
    click.option("--seed", type=Whole(), default=0, show_default=True, help="Of all draws."),
)


def null_options(command: Any) -> Any:
    """Add the options."""
    return add_options(_OPTIONS, command)


def settings_of(name: str | None, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `compare` takes of the options, and the options of the metric.

    Args:
        name: The metric; None for all of them, where no option of a metric may be given.
        given: The options.

    Raises:
        UnknownName: There is no such metric.
        UsageError: An option of another metric, or two that exclude each other.
    """
    from atlas.errors import UnknownName, UsageError
    from atlas.metrics import METRICS

    if name is not None and name not in METRICS:
        from atlas.scores.dictionaries import DICTIONARY_METRICS

        if name in DICTIONARY_METRICS:
            raise UsageError(f"{name} compares whole dictionaries, two at a time", hint=f"featlas metric {name} A B")
        raise UnknownName("metric", name, sorted({*METRICS, *DICTIONARY_METRICS}))
    chosen = {option: given[option] for option in METRIC_OPTIONS if given[option] is not None}
    for option in chosen:
        owner = METRIC_OPTIONS[option][0]
        if name != owner:
            raise UsageError(f"--{option} is an option of {owner}, not of {name or 'all metrics'}")
    if {"directions", "variance"} <= chosen.keys():
        raise UsageError("--directions and --variance exclude each other")
    names = ("space", "null", "shuffles", "bootstrap", "halves", "allow_forced", "seed")
    return {key: given[key] for key in names}, {METRIC_OPTIONS[option][1]: value for option, value in chosen.items()}
