"""What a command that scores asks for: rows, null, variant of the metric. Every option stands here once."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from atlas.choices import SVCCA_DIRECTIONS, option, options_of, typed
from atlas.filters.subset import SET_BY_PAPER, Subset

Space = Literal["decoder", "encoder", "activation"]
SPACES: tuple[Space, ...] = ("decoder", "encoder", "activation")
"""`decoder`, `encoder`: one row of weights a feature. `activation`: one row of activations a feature, over a sample of
the tokens on which any of the compared features fires."""

NullKind = Literal["shuffle", "subsets", "density", "norm", "gaussian"]
NULLS: tuple[NullKind, ...] = ("shuffle", "subsets", "density", "norm")
"""Of matched rows; `gaussian` is that of whole dictionaries."""

DICTIONARY_METRICS = ("mmcs", "pw_mcc")
"""Metrics of whole dictionaries, as in `atlas.scores.dictionaries`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is asked for, resolved. Equal comparisons of equal atlases give equal scores."""

    metric: str
    """A name in `METRICS`."""
    subset: Subset = field(default_factory=Subset)
    """Which matched pairs."""
    corpus: str | None = None
    """Corpus of A; None takes the only one on which the two were compared."""
    space: Space = option(
        "decoder",
        "Rows that are compared: of weights, or of activations over a sample of tokens.",
        "--on",
        choices=SPACES,
    )
    null: NullKind = option(
        "shuffle",
        "shuffle: the pairs shuffled. subsets: as many random features of both SAEs, matched afresh. density, "
        "norm: random partners that fire about as often, or whose decoder rows were about as long.",
        choices=NULLS,
    )
    shuffles: int = option(1000, "Draws of the null; 19 for mmcs and pw_mcc.", low=1)
    bootstrap: int = option(0, "Half-samples of the pairs for a 95 % interval of the score.")
    """0 for none."""
    halves: int = option(
        0, "Also score two halves of the pairs, N times: is it stable?", "--split-half", metavar="N", added=True
    )
    """0 for none."""
    allow_forced: bool = option(False, "Score even where rank alone (n pairs < directions) decides a part of it.")
    seed: int = option(0, "Of all draws.")
    """Of the null, of the sample of tokens, of the bootstrap and of the halves."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the metric, all of them."""


@dataclass(frozen=True, slots=True)
class MetricOptions:
    """Options of single metrics on the command line; None or False leaves what the metric does by default."""

    directions: int | None = option(
        None,
        f"svcca: directions kept of each SAE.  [default: {SVCCA_DIRECTIONS}]",
        kind=int,
        low=1,
        sets=("svcca", "k"),
    )
    variance: float | None = option(
        None, "svcca: keep this share of the variance instead.", kind=float, share=True, sets=("svcca", "variance")
    )
    rdm: str | None = option(
        None,
        "rsa: distance.  [default: euclidean]",
        choices=("euclidean", "correlation", "cosine"),
        sets=("rsa", "rdm"),
    )
    compare: str | None = option(
        None,
        "rsa: comparison.  [default: spearman]",
        choices=("spearman", "pearson", "kendall"),
        sets=("rsa", "compare"),
    )
    debiased: bool = option(False, "cka: without the bias of few rows.", sets=("cka", "debiased"))
    neighbours: int | None = option(
        None, "mutual_knn: nearest rows.  [default: 10]", kind=int, low=1, sets=("mutual_knn", "k")
    )
    near: str | None = option(
        None,
        "mutual_knn: what makes rows near.  [default: cosine]",
        choices=("cosine", "euclidean"),
        sets=("mutual_knn", "by"),
    )


def command_again(spec: Mapping[str, Any]) -> str:
    """`featlas metric …` with every option that is not at its default; empty where the spec is of another kind.

    Args:
        spec: Of a stored run.
    """
    subset = spec.get("subset")
    if not isinstance(subset, Mapping) or "metric" not in spec:
        return ""
    by_paper = (*SET_BY_PAPER, "measure") if subset.get("paper_compat") else ()
    metric_options = {name: o for name, o in options_of(MetricOptions).items() if o.sets[0] == spec["metric"]}
    chosen = {name: spec.get("options", {}).get(o.sets[1]) or o.default for name, o in metric_options.items()}
    gaussian = spec.get("null") == "gaussian"  # the metrics of dictionaries have no other, and another number of draws
    words = ["featlas", "metric", str(spec["metric"]), str(spec["sae_a"]), str(spec["sae_b"])]
    words += ["--corpus", str(spec["corpus"]), *typed(options_of(Subset), subset, without=by_paper)]
    words += typed(
        options_of(Comparison), spec, always=("shuffles",) if gaussian else (), without=("null",) if gaussian else ()
    )
    return shlex.join([*words, *typed(metric_options, chosen)])
